"""Which of Airflow's roles a sign-in gives, when an admin has deleted some of the default ones."""

import pytest

from tradewind_airflow.assertions import DEFAULT_ROLES, AssertionRefused, given_roles


@pytest.mark.parametrize(
    ("asked", "present", "held", "given"),
    [
        (("Op", "User"), {"Op", "User"}, set(), ("Op", "User")),
        (("Viewer",), {"Viewer"}, ["Op", "Analysts"], ("Viewer", "Analysts")),  # what IAM took away goes, custom stays
        (DEFAULT_ROLES, set(DEFAULT_ROLES) - {"Op"}, set(), ("Admin", "User", "Viewer", "Public")),
        (("Public",), set(), ["Public", "Analysts"], ("Analysts",)),
        ((), set(), ["Op"], ()),  # nobody asked for any
    ],
)
def test_what_is_given(asked, present, held, given):
    assert given_roles(asked, present, held) == given


def test_who_would_have_none_is_refused_and_told_which_are_missing():
    with pytest.raises(AssertionRefused, match="this environment's database has no role Op, Viewer"):
        given_roles(("Viewer", "Op"), (), ("User",))
