"""Snapshots: asked for, taken, kept for a while."""

import dataclasses
import re

import pytest
import sqlalchemy as sa

from tests.unit.domain.samples import SEALING, SPEC, environment
from tradewind.domain.environments import Connections, Origin, Phase
from tradewind.domain.identifiers import new_environment_id
from tradewind.domain.snapshots import (
    KEPT_AUTOMATIC,
    Kind,
    SnapshotState,
    automatic_id,
    new_snapshot_id,
)
from tradewind.store import Environments
from tradewind.store.snapshots import SnapshotRecords


@pytest.fixture
def records(engine):
    return SnapshotRecords(engine, SEALING)


@pytest.fixture
def sample():
    return dataclasses.replace(environment(), id=new_environment_id(), name="saved", generation=4)


def taken(records, sample, kind=Kind.MANUAL, id_=None):
    id_ = id_ or new_snapshot_id()
    records.ask(id_, sample, kind)
    records.finish(id_, spec=SPEC, fernet_key="a key", size=12)
    return id_


def test_one_is_asked_for_once_and_taken(records, sample):
    id_ = new_snapshot_id()
    assert re.fullmatch(r"snap-[0-9a-f]{16}", id_)
    records.ask(id_, sample, Kind.MANUAL)
    records.ask(id_, sample, Kind.AUTOMATIC)
    pending = records.pending(sample.id)
    assert (pending.id, pending.kind, pending.state, pending.spec) == (id_, Kind.MANUAL, SnapshotState.PENDING, None)
    records.finish(id_, spec=SPEC, fernet_key="a key", size=12)
    assert records.pending(sample.id) is None
    found = records.get(id_)
    assert (found.state, found.spec, found.fernet_key, found.size) == (SnapshotState.AVAILABLE, SPEC, "a key", 12)
    assert "a key" not in repr(found)


def test_those_of_an_update_are_not_waited_for(records, sample):
    id_ = automatic_id(sample.id, 4)
    assert re.fullmatch(r"snap-[0-9a-f]{16}", id_)
    assert id_ == automatic_id(sample.id, 4) != automatic_id(sample.id, 5)
    records.ask(id_, sample, Kind.AUTOMATIC)
    assert records.pending(sample.id) is None


def test_one_that_cannot_be_taken_says_why(records, sample):
    first, second, done = new_snapshot_id(), new_snapshot_id(), taken(records, sample)
    for id_ in (first, second):
        records.ask(id_, sample, Kind.MANUAL)
    records.fail(first, "cannot dump")
    records.fail_pending(sample.id, "its environment was deleted")
    assert [(records.get(id_).state, records.get(id_).error) for id_ in (first, second, done)] == [
        (SnapshotState.FAILED, "cannot dump"),
        (SnapshotState.FAILED, "its environment was deleted"),
        (SnapshotState.AVAILABLE, ""),
    ]


def test_they_are_listed_the_latest_first(records, sample):
    ids = [taken(records, sample) for _ in range(3)]
    assert [each.id for each in records.all("saved") if each.environment_id == sample.id] == ids[::-1]
    assert records.all("nobody") == []
    assert {each.id for each in records.all()} >= set(ids)


def in_the_store(engine, sample, snapshot, *, generation=2, observed=1):
    """An environment that is to be restored from a snapshot."""
    store = Environments(engine, SEALING)
    made = dataclasses.replace(sample, name=str(sample.id), generation=generation)
    store.create(dataclasses.replace(made, origin=Origin(generation, snapshot, Connections.KEEP)))
    store.observe(sample.id, phase=Phase.READY, generation=observed)
    return store


def test_what_is_being_restored_stays_until_that_is_over(records, sample, engine):
    automatic = [taken(records, sample, Kind.AUTOMATIC) for _ in range(KEPT_AUTOMATIC + 2)]
    records.want_deleted(automatic[1])
    store = in_the_store(engine, sample, automatic[0])
    assert automatic[0] not in records.unwanted()
    assert automatic[1] in records.unwanted()
    store.observe(sample.id, generation=2)
    assert set(automatic[:2]) <= set(records.unwanted())


def test_what_a_crash_left_behind_goes(records, sample, engine):
    """Of an update that is over, and for a copy that nobody makes any more."""
    begun = automatic_id(sample.id, 2)
    records.ask(begun, sample, Kind.AUTOMATIC)
    fork = taken(records, sample, Kind.FORK)
    store = in_the_store(engine, sample, "snap-of-another")
    assert {begun, fork} & set(records.unwanted()) == set(), "the update is under way, and the copy may be"
    store.observe(sample.id, generation=2)
    assert begun in records.unwanted()
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE snapshots SET created_at = created_at - interval '1 hour'"))
    assert fork in records.unwanted()


def test_one_that_was_deleted_while_it_was_taken_is_not_there(records, sample):
    id_ = new_snapshot_id()
    records.ask(id_, sample, Kind.MANUAL)
    records.want_deleted(id_)
    assert not records.finish(id_, spec=SPEC, fernet_key="", size=1)


def test_what_nobody_wants_goes_and_automatic_ones_when_there_are_many(records, sample):
    manual = taken(records, sample)
    automatic = [taken(records, sample, Kind.AUTOMATIC) for _ in range(KEPT_AUTOMATIC + 2)]
    other = taken(records, dataclasses.replace(sample, id=new_environment_id()), Kind.AUTOMATIC)
    assert set(records.unwanted()) == set(automatic[:2])
    assert records.want_deleted(manual)
    assert not records.want_deleted(manual)
    assert records.get(manual) is None
    assert set(records.unwanted()) == {manual, *automatic[:2]}
    for id_ in records.unwanted():
        records.forget(id_)
    assert records.unwanted() == []
    assert records.get(other) is not None
