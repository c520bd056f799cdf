"""From IAM identities to Airflow user names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.access.identities import airflow_identity

ANY_TEXT = st.text(st.characters(), min_size=1, max_size=200)


@pytest.mark.parametrize(
    "identity", ["root", "user/alice", "user/division/a+b=c,d.e@f_g-h", "assumed-role/Admin/session", "a" * 64]
)
def test_iams_names_stay_as_they_are(identity):
    assert airflow_identity(identity).user_name == identity
    assert airflow_identity(identity).first_name == identity


def test_long_names_keep_their_beginning_and_differ_in_their_ends():
    one, other = airflow_identity("user/" + "a" * 60), airflow_identity("user/" + "a" * 61)
    assert one.user_name.startswith("user/aaaaaaaaaaaaaaaaaaaaaaaaaa~")
    assert len(one.user_name) == 64
    assert one != other


def test_a_known_name_is_hashed_as_ever():
    """Users in Airflow's database are found by this name: it may never change."""
    name = "assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/alice@example.com"
    assert airflow_identity(name).user_name == "assumed-role/AWSReservedSSO_Adm~d9e574e511828dd894dd463d7db6d281"


@given(ANY_TEXT)
def test_every_identity_gives_a_name_that_airflow_takes(identity):
    assert re.fullmatch(r"[A-Za-z0-9+=,.@_/~-]{1,64}", airflow_identity(identity).user_name)


@given(ANY_TEXT, ANY_TEXT)
def test_different_identities_give_different_names(one, other):
    same = airflow_identity(one).user_name == airflow_identity(other).user_name
    assert same == (one == other)


@given(ANY_TEXT)
def test_a_hashed_name_cannot_be_taken_by_choosing_it(identity):
    name = airflow_identity(identity).user_name
    if name != identity:
        assert airflow_identity(name).user_name != name


def test_nobody_has_no_name():
    with pytest.raises(ValueError, match="empty"):
        airflow_identity("")
