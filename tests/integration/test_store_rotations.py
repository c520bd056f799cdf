"""The rotation of a Fernet key in the store: asked for once at a time, each move made once, no key lost on the way."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.unit.domain.samples import SEALING, SECRETS, environment
from tradewind.domain.environments import Phase
from tradewind.domain.identifiers import new_environment_id
from tradewind.domain.rotations import RotationState
from tradewind.store import Environments
from tradewind.store.rotations import Rotations


@pytest.fixture
def store(engine):
    return Environments(engine, SEALING)


@pytest.fixture
def rotations(engine):
    return Rotations(engine, SEALING)


@pytest.fixture
def kept(store):
    """The id of an environment that is up."""
    made = dataclasses.replace(environment(), id=new_environment_id(), name="kept")
    store.create(made)
    store.finish_change(made.id, "CREATE", phase=Phase.READY, generation=1)
    return made.id


def seen(store, id_):
    found = store.get(id_)
    return found.rotation.state, found.secrets.fernet_key


def test_each_move_is_made_once_and_in_its_turn(store, rotations, kept):
    old = SECRETS.fernet_key
    rotations.widen(kept, "too-early")
    assert store.get(kept).rotation is None
    assert rotations.ask(kept)
    assert seen(store, kept) == (RotationState.PENDING, old)
    rotations.narrow(kept)
    rotations.finish(kept)
    assert seen(store, kept) == (RotationState.PENDING, old)
    for _ in range(2):
        rotations.widen(kept, "new")
        assert seen(store, kept) == (RotationState.WIDENED, f"new,{old}")
    for _ in range(2):
        rotations.narrow(kept)
        assert seen(store, kept) == (RotationState.NARROWED, "new")
    for _ in range(2):
        rotations.finish(kept)
        assert seen(store, kept) == (RotationState.DONE, "new")
    # nothing else of its secrets has changed
    assert store.get(kept).secrets == dataclasses.replace(SECRETS, fernet_key="new")
    assert rotations.ask(kept)


def test_one_that_failed_keeps_both_keys_and_goes_on_with_them(store, rotations, kept):
    rotations.ask(kept)
    rotations.widen(kept, "new")
    rotations.fail(kept, "InvalidToken")
    both = f"new,{SECRETS.fernet_key}"
    assert seen(store, kept) == (RotationState.FAILED, both)
    assert store.get(kept).rotation.error == "InvalidToken"
    assert rotations.ask(kept)
    rotations.widen(kept, "newer")
    assert seen(store, kept) == (RotationState.WIDENED, both)
    assert store.get(kept).rotation.error == ""


@pytest.mark.parametrize("phase", [Phase.NEW, Phase.PROVISIONING, Phase.CHANGING, Phase.RETURNING, Phase.REFUSED])
def test_what_is_on_its_way_is_not_rotated(store, rotations, kept, phase):
    store.observe(kept, phase=phase)
    assert not rotations.ask(kept)


def test_what_goes_or_is_not_there_is_not_rotated(store, rotations, kept):
    assert not rotations.ask(new_environment_id())
    store.want_absent(kept)
    assert not rotations.ask(kept)
    store.forget(kept)
    assert not rotations.ask(kept)


def test_of_many_who_ask_at_once_one_is_heard(new_engine, kept):
    together = Barrier(6)

    def ask(_number):
        mine = Rotations(new_engine(), SEALING)
        together.wait(20)
        return mine.ask(kept)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(ask, range(6))) == [False] * 5 + [True]
