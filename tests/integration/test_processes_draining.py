"""Processes that are given time: a changed, removed or replaced one finishes its work, and nobody stands in its way."""

import time
from dataclasses import replace

import pytest

from tests.integration.test_processes_world import OWNER, World, made, until
from tradewind.domain.manifests import ProcessState
from tradewind.runtime.processes.launcher import look

DRAINING = "trap 'echo told; sleep 4; echo drained; exit 0' TERM; while :; do sleep 0.05; done"


@pytest.fixture
def world(tmp_path):
    with made(tmp_path) as world:
        yield world


def test_a_changed_one_that_drains_is_replaced_when_it_has_drained(world: World):
    worker = world.process("worker", DRAINING, drains=True, stop_seconds=60)
    world.apply(worker)
    old = world.running("worker")
    began = time.monotonic()
    world.apply(replace(worker, priority=400), generation=2)
    assert time.monotonic() - began < 3.5
    until(lambda: world.lines("worker")[-1] == "told")
    seen = world.seen("worker")
    assert seen
    assert (seen.state, seen.digest) == (ProcessState.STARTING, replace(worker, priority=400).digest())
    world.apply(replace(worker, priority=400), generation=2)
    assert [seen.pid for seen in world.programs("worker")] == [old]
    new = world.running("worker", but=old)
    assert world.lines("worker") == [f"started {old}", "told", "drained", f"started {new}"]


def test_an_old_copy_is_ended_when_it_was_given_its_time(world: World):
    worker = world.process("worker", DRAINING.replace("sleep 4", "sleep 600"), drains=True, stop_seconds=600)
    leaving = world.process("leaving", DRAINING, drains=True, stop_seconds=60)
    world.apply(worker, leaving)
    old, gone = world.running("worker"), world.running("leaving")
    assert world.runtime.end_replaced(OWNER, patience=0) == [], "nothing was replaced"
    world.apply(replace(worker, priority=400), generation=2)
    seen = world.seen("worker")
    assert seen
    assert seen.waits
    began = time.monotonic()
    assert world.runtime.end_replaced(OWNER, patience=1) == ["worker"]
    assert 1 <= time.monotonic() - began < 60
    new = world.running("worker", but=old)
    after = world.seen("worker")
    assert after
    assert not after.waits
    assert look(old) is None
    assert world.lines("worker")[-1] == f"started {new}"
    until(lambda: world.lines("leaving")[-1] == "drained")  # it is wanted no more, and finishes its work
    assert f"started {gone}" in world.lines("leaving")


def test_a_removed_one_that_drains_finishes_its_work(world: World):
    staying = world.process("staying")
    world.apply(staying, world.process("worker", DRAINING, drains=True, stop_seconds=60))
    pid = world.running("worker")
    world.apply(staying, generation=2)
    world.apply(staying, generation=2)
    assert world.state("worker") is ProcessState.STOPPING
    until(lambda: look(pid) is None)
    assert world.lines("worker")[1:] == ["told", "drained"]
    until(lambda: world.seen("worker") is None)


def test_changed_twice_while_it_drains_only_the_last_starts(world: World):
    worker = world.process("worker", DRAINING, drains=True, stop_seconds=60)
    world.apply(worker)
    old = world.running("worker")
    for generation in (2, 3, 4):
        world.apply(replace(worker, priority=generation), generation=generation)
    new = world.running("worker", but=old)
    assert world.lines("worker") == [f"started {old}", "told", "drained", f"started {new}"]
    seen = world.seen("worker")
    assert seen
    assert seen.digest == replace(worker, priority=4).digest()
