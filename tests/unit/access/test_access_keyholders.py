"""Whose key it is: the root's, a user's, a session's; and what is no key's id is not looked up."""

from types import SimpleNamespace

import pytest

from tests.unit.api.doubles import ACCOUNT, PLACE
from tradewind.access.keyholders import Keyholders


class Store:
    """Users' keys and sessions: answers what it was asked for."""

    def __init__(self):
        self.asked = []

    def part(self, name):
        return SimpleNamespace(credential=lambda id_: self.asked.append((name, id_)))


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def keys(store):
    return Keyholders(ACCOUNT, PLACE, store.part("users"), store.part("sessions"))


def test_the_roots_key_is_the_accounts(keys, store):
    found = keys.credential(ACCOUNT.access_key_id)
    assert found.principal.is_root
    assert found.secret == ACCOUNT.secret_access_key
    assert store.asked == []


def test_the_others_lie_where_their_prefix_says(keys, store):
    keys.credential("AKIAALICEALICEALICE0")
    keys.credential("ASIAALICEALICEALICE0")
    assert store.asked == [("users", "AKIAALICEALICEALICE0"), ("sessions", "ASIAALICEALICEALICE0")]


@pytest.mark.parametrize(
    "id_", ["", "AKIA\0", "ASIA\0", "\0", "ASIAALICEALICEALICE0\n", "AKIAÄ", "A" * 129, "' OR 1=1 --"]
)
def test_what_is_no_id_is_not_looked_up(keys, store, id_):
    assert keys.credential(id_) is None
    assert store.asked == []
