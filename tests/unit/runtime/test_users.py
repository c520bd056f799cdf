"""Unix users: only ours are ever named, and an ordinary user changes nothing."""

from pathlib import Path

import pytest

from tradewind.runtime import users


@pytest.mark.parametrize("name", ["root", "postgres", "", "tw", "TW-x", "atw-x"])
@pytest.mark.parametrize("act", [users.ensure, users.remove, users.ensure_group])
def test_nobody_elses_user_is_touched(act, name):
    with pytest.raises(ValueError, match="not a user of this service"):
        act(name)


def test_nobody_elses_user_joins_and_nobody_elses_group_is_joined():
    with pytest.raises(ValueError, match="not a user of this service: 'root'"):
        users.join("root", "tw-x")
    with pytest.raises(ValueError, match="not a user of this service: 'wheel'"):
        users.join("tw-x", "wheel")


def test_an_ordinary_user_makes_and_removes_nothing(monkeypatch):
    monkeypatch.setattr(users.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(users.subprocess, "run", lambda *_, **__: pytest.fail("a program was started"))
    assert not users.is_root()
    assert users.ensure("tw-nobody-has-this") is None
    assert users.ensure_group("tw-nobody-has-this") is None
    users.remove("tw-nobody-has-this")
    users.join("tw-nobody-has-this", "tw-nor-this")


def test_a_user_that_is_not_there_is_none():
    assert users.find("tw-nobody-has-this") is None


def test_names_of_the_services_own_users_are_ours():
    assert {users.POSTGRES, users.BUILDER} == {"tw-postgres", "tw-build"}


def test_a_buckets_group_is_short_and_follows_from_its_folder():
    group = users.bucket_group(Path("/data/buckets/a"))
    assert group == users.bucket_group(Path("/data/buckets/../buckets/a"))
    assert group != users.bucket_group(Path("/data/buckets/b"))
    assert len(group) <= 32
    assert group.startswith("tw-b-")
