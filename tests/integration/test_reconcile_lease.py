"""Two control planes on one database: one of them reconciles, and the other takes over when that one is cut off."""

import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from tests.unit.domain.samples import environment
from tradewind.domain.environments import Phase
from tradewind.reconcile import loop
from tradewind.reconcile.loop import Reconciler
from tradewind.store import Leases

SECONDS = 12.0  # a machine that stands still for a while is no lease that ran out


class PassOfManySteps:
    """Each pass does a step every 20 ms for as long as it may; `done` says who did one, and when."""

    done: list[tuple[str, float]]

    def __init__(self, hands, stopping=lambda: False):
        self.name, self.stopping = hands.name, stopping

    def run(self, _environment):
        until = time.monotonic() + 60
        while not self.stopping() and time.monotonic() < until:
            type(self).done.append((self.name, time.monotonic()))
            time.sleep(0.02)


class LeasesThatMayBeCutOff:
    def __init__(self, leases):
        self.leases, self.is_cut_off = leases, False

    def take(self, subject, seconds):
        if self.is_cut_off:
            raise sa.exc.OperationalError("take", {}, OSError("no route to the server"))
        return self.leases.take(subject, seconds)

    def release(self, lease):
        self.leases.release(lease)


@contextmanager
def control_plane(name, engine, url):
    hands = SimpleNamespace(
        name=name,
        environments=SimpleNamespace(all=lambda: [environment(phase=Phase.NEW)]),
        records=SimpleNamespace(unwanted=list),
    )
    leases = LeasesThatMayBeCutOff(Leases(engine, name))
    reconciler, stop = Reconciler(hands, leases, url, lambda: None), threading.Event()
    thread = threading.Thread(target=reconciler.run, args=(stop,))
    thread.start()
    try:
        yield leases
    finally:
        stop.set()
        thread.join(20)


def seen(name, since=0.0):
    return [at for who, at in PassOfManySteps.done if who == name and at > since]


def wait_for(check):
    deadline = time.monotonic() + 20
    while not check():
        if time.monotonic() > deadline:
            pytest.fail("waited in vain")
        time.sleep(0.02)


def test_one_of_two_reconciles_and_the_other_takes_over_after_its_last_step(postgres, engine, monkeypatch):
    monkeypatch.setattr(loop, "LEASE_SECONDS", SECONDS)
    monkeypatch.setattr(loop, "Passes", PassOfManySteps)
    PassOfManySteps.done = []
    url = postgres.server.url("tradewind")
    with control_plane("first", engine, url) as first:
        wait_for(lambda: seen("first"))
        with control_plane("second", engine, url):
            time.sleep(SECONDS + 1)
            assert seen("second") == [], "the lease is held"
            first.is_cut_off = True
            wait_for(lambda: seen("second"))
            handed_over = seen("second")[0]
            assert seen("first")[-1] < handed_over, "in the middle of its pass it noticed that it leads no more"
            first.is_cut_off = False
            time.sleep(SECONDS + 1)
            assert seen("first", since=handed_over) == []
        wait_for(lambda: seen("first", since=handed_over))  # given back, not run out
