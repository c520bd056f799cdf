"""Turns: who is due when, and how long a failure waits. Threads and time are doubles."""

import threading
from concurrent.futures import Future
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from tests.unit.domain.samples import ID, environment
from tradewind.domain.environments import Phase, Target
from tradewind.reconcile import loop
from tradewind.reconcile.loop import Reconciler, Turn, back_off, first_line
from tradewind.store import Lease

pytestmark = pytest.mark.usefixtures("told")


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (7, 30), (5000, 30)]
)
def test_each_failure_waits_longer_up_to_half_a_minute(failures, seconds):
    assert back_off(failures) == seconds


@pytest.mark.parametrize(("error", "words"), [(OSError("a\nb"), "a"), (OSError(), "OSError"), (ValueError("\n"), "")])
def test_an_error_is_told_in_one_line(error, words):
    assert first_line(error) == words


class Clock:
    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


class PoolThatKeepsJobs:
    """Takes jobs; a test ends them when it likes."""

    def __init__(self):
        self.jobs = []

    def submit(self, work, *arguments):
        future = Future()
        self.jobs.append((future, work, arguments))
        return future

    def end_all(self):
        """Do every job that was taken and not ended, in this thread."""
        for future, work, arguments in self.jobs:
            if not future.done():
                future.set_result(work(*arguments))


class PassesThat:
    def __init__(self):
        self.seen = []
        self.error = None

    def run(self, environment):
        self.seen.append((environment.target, environment.phase))
        if self.error is not None:
            raise self.error


class SyncThatFollows:
    def __init__(self):
        self.followed = 0

    def follow(self, environment):
        self.followed += 1
        return 1.0


class LeasesInMemory:
    def __init__(self):
        self.released = []

    def release(self, lease):
        self.released.append(lease)


class LeasesThatCannotBeGivenBack(LeasesInMemory):
    def release(self, lease):
        raise sa.exc.OperationalError("release", {}, OSError("the server is gone"))


class World:
    def __init__(self, monkeypatch, *environments):
        self.clock = Clock()
        monkeypatch.setattr(loop, "time", self.clock)
        self.known = list(environments)
        self.pool, self.passes, self.sync = PoolThatKeepsJobs(), PassesThat(), SyncThatFollows()
        hands = SimpleNamespace(environments=SimpleNamespace(all=lambda: self.known))
        self.reconciler = Reconciler(hands, LeasesInMemory(), "", lambda: None)
        self.reconciler.sync, self.reconciler.passes = self.sync, self.passes

    def tick(self, seconds=0.5, *, end=True):
        """Time passes, turns are given; unless `end` is False they also end."""
        self.clock.now += seconds
        self.reconciler._give_turns(self.pool, self.pool)
        if end:
            self.pool.end_all()


def test_a_new_environment_is_looked_at_at_once(monkeypatch):
    world = World(monkeypatch, environment(phase=Phase.NEW))
    world.tick()
    assert world.passes.seen == [(Target.PRESENT, Phase.NEW)]
    assert world.sync.followed == 0


def test_it_is_looked_at_again_every_few_seconds(monkeypatch):
    world = World(monkeypatch, environment())
    for _ in range(20):
        world.tick(0.5)
    assert 3 <= len(world.passes.seen) <= 4


def test_the_bucket_of_a_ready_one_is_followed_each_second(monkeypatch):
    world = World(monkeypatch, environment())
    for _ in range(20):
        world.tick(0.5)
    assert 9 <= world.sync.followed <= 12


def test_one_that_is_deleted_is_not_followed(monkeypatch):
    world = World(monkeypatch, environment(target=Target.ABSENT))
    for _ in range(4):
        world.tick(1.0)
    assert world.sync.followed == 0
    assert world.passes.seen


def test_an_environment_has_one_pass_at_a_time(monkeypatch):
    world = World(monkeypatch, environment(phase=Phase.NEW))
    for _ in range(10):
        world.tick(5, end=False)
    assert len(world.pool.jobs) == 1


def test_a_bucket_is_followed_while_a_pass_takes_long(monkeypatch):
    world = World(monkeypatch, environment())
    world.tick(end=False)
    for _ in range(5):
        for future, work, arguments in world.pool.jobs:
            if work == world.reconciler._follow and not future.done():
                future.set_result(work(*arguments))
        world.tick(1.0, end=False)
    assert world.sync.followed >= 4
    assert sum(1 for _, work, _ in world.pool.jobs if work == world.reconciler._turn) == 1


def test_no_pass_takes_away_what_a_look_at_the_bucket_puts_there(monkeypatch):
    world = World(monkeypatch, environment())
    world.tick(end=False)
    for future, work, arguments in world.pool.jobs:
        if work == world.reconciler._turn:
            future.set_result(work(*arguments))
    world.known[:] = [environment(target=Target.ABSENT)]
    world.tick(5, end=False)
    assert (Target.ABSENT, Phase.READY) not in world.passes.seen
    world.pool.end_all()
    world.tick()
    assert (Target.ABSENT, Phase.READY) in world.passes.seen


def test_failures_wait_and_a_success_resets_them(monkeypatch):
    world = World(monkeypatch, environment(phase=Phase.NEW))
    world.passes.error = RuntimeError("no")
    world.tick()
    assert world.reconciler.turns[str(ID)].failures == 1
    world.tick(0.5)
    assert len(world.passes.seen) == 1
    world.tick(0.6)
    assert len(world.passes.seen) == 2
    world.tick(1.5)
    assert len(world.passes.seen) == 2
    world.passes.error = None
    world.tick(1)
    assert len(world.passes.seen) == 3
    assert world.reconciler.turns[str(ID)].failures == 0


def test_a_failure_is_told_whatever_it_is(monkeypatch, told):
    world = World(monkeypatch, environment(phase=Phase.NEW))
    world.reconciler.turns[str(ID)] = Turn(failures=5000)
    world.passes.error = RuntimeError()
    world.tick()
    assert world.reconciler.turns[str(ID)].look_at == world.clock.now + 30
    assert [(line["action"], line["environment"], line["again_in"]) for line in told] == [("failed", str(ID), 30)]


def test_something_new_is_looked_at_at_once_whatever_failed_before(monkeypatch):
    world = World(monkeypatch, environment(phase=Phase.NEW))
    world.passes.error = RuntimeError("no")
    for _ in range(8):
        world.tick(40)
    world.known = [environment(phase=Phase.NEW, target=Target.ABSENT, generation=2)]
    world.tick(0.1)
    assert world.passes.seen[-1] == (Target.ABSENT, Phase.NEW)


def test_a_deletion_during_a_pass_is_looked_at_right_after_it(monkeypatch):
    world = World(monkeypatch, environment(phase=Phase.NEW))
    world.passes.error = RuntimeError("no")
    world.tick(end=False)
    world.known = [environment(phase=Phase.NEW, target=Target.ABSENT, generation=2)]
    world.tick(end=False)
    assert len(world.pool.jobs) == 1
    world.pool.end_all()
    world.tick(0.1)
    assert world.passes.seen == [(Target.PRESENT, Phase.NEW), (Target.ABSENT, Phase.NEW)]


def test_one_that_is_gone_is_forgotten_once_its_pass_has_ended(monkeypatch):
    world = World(monkeypatch, environment())
    world.tick(end=False)
    world.known = []
    world.tick(end=False)
    assert str(ID) in world.reconciler.working
    world.pool.end_all()
    world.tick()
    assert world.reconciler.turns == {}
    assert world.reconciler.working == {}


def stopped():
    stop = threading.Event()
    stop.set()
    return stop


def test_when_the_service_ends_the_lease_is_given_back_and_no_step_begun(monkeypatch):
    world = World(monkeypatch)
    world.reconciler.lease = Lease("reconciler", "me", 3)
    world.reconciler.run(stopped())
    assert world.reconciler.leases.released == [Lease("reconciler", "me", 3)]
    assert world.reconciler.passes.stopping()


def test_a_lease_that_was_never_taken_is_not_given_back(monkeypatch):
    world = World(monkeypatch)
    world.reconciler.run(stopped())
    assert world.reconciler.leases.released == []


def test_a_lease_that_cannot_be_given_back_is_told_and_ends_by_itself(monkeypatch, told):
    world = World(monkeypatch)
    world.reconciler.lease = Lease("reconciler", "me", 3)
    world.reconciler.leases = LeasesThatCannotBeGivenBack()
    world.reconciler.run(stopped())
    assert [line["action"] for line in told] == ["lease_kept"]


def test_each_bucket_says_when_it_is_looked_at_next(monkeypatch):
    world = World(monkeypatch, environment())
    monkeypatch.setattr(world.sync, "follow", lambda _environment: world.clock.now - 1000 + 5)
    world.tick()
    assert world.reconciler.turns[str(ID)].follow_at >= world.clock.now + 5
