"""Ids fit everywhere that a name derives from them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.identifiers import EnvironmentId, new_environment_id

DNS_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


def test_drawn_ids_are_labels_without_letters_that_are_mistaken_for_others():
    drawn = [new_environment_id() for _ in range(500)]
    assert len(set(drawn)) == 500
    for id_ in drawn:
        assert DNS_LABEL.fullmatch(str(id_))
        assert not set("lo01") & set(str(id_))
        assert str(id_)[0].isalpha()


def test_every_place_of_an_id_is_drawn():
    """No character is fixed: 500 ids show nearly all letters at each place."""
    drawn = [str(new_environment_id()) for _ in range(500)]
    for place in range(12):
        assert len({id_[place] for id_ in drawn}) > 15


def test_names_that_derive_from_an_id():
    id_ = EnvironmentId("abcdefghjkm2")
    assert (id_.database, id_.role, id_.unix_user) == ("env_abcdefghjkm2", "env_abcdefghjkm2", "tw-abcdefghjkm2")
    assert len(id_.unix_user) <= 32


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "abcdefghjkmnp",
        "1bcdefghjkmn",
        "Abcdefghjkmn",
        "abcdefghjkm-",
        "abcdefghjkmn\n",
        "../../../../a",
        "äbcdefghjkmn",
    ],
)
def test_what_is_no_id_is_refused(text):
    with pytest.raises(ValueError, match="not an environment id"):
        EnvironmentId(text)


@given(st.text(max_size=14))
def test_only_labels_of_twelve_pass(text):
    try:
        EnvironmentId(text)
    except ValueError:
        assert not re.fullmatch(r"[a-z][a-z0-9]{11}", text)
    else:
        assert re.fullmatch(r"[a-z][a-z0-9]{11}", text)
