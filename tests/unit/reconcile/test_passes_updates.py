"""Passes over an environment that is being updated: what is prepared, proven, taken back, drained, or only tried."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.domain.samples import ID, SPEC, environment
from tests.unit.reconcile.passing import (
    ASKED,
    STORE,
    UPDATE,
    WHOLE,
    EnvironmentsInMemory,
    EverythingWorks,
    Refuses,
    hands,
    run,
    updating,
)
from tradewind.domain.environments import ChangeState, Phase, Settled, Status, Trial, TrialState
from tradewind.domain.errors import CannotProvide
from tradewind.domain.manifests import ObservedManifest
from tradewind.reconcile import passes
from tradewind.reconcile.passes import Passes


def test_an_update_that_is_prepared_is_not_ready_yet(monkeypatch):
    store = run(monkeypatch, updating(asked=ASKED), EverythingWorks, WHOLE)
    assert store.steps == ["requirements", "runtime", "start-up script", "rehearsal", "cut over"]
    assert store.now.change.state is ChangeState.PENDING
    assert store.now.status is Status.UPDATING
    assert store.settled is None


def test_an_update_that_cannot_be_prepared_leaves_what_is_in_force(monkeypatch):
    store = run(monkeypatch, updating(asked=ASKED), Refuses, WHOLE)
    assert store.now.status is Status.UPDATE_FAILED
    assert (store.now.spec, store.refused, store.settled) == (SPEC, 2, None)
    assert store.now.change.error_message == "cannot do that"


def test_an_update_that_was_proven_is_in_force(monkeypatch):
    changing = updating(spec=ASKED, revision=2, phase=Phase.CHANGING)
    store = run(monkeypatch, changing, EverythingWorks, dataclasses.replace(WHOLE, proven=False))
    assert store.now.status is Status.AVAILABLE
    assert (store.settled, store.now.observed_generation) == (Settled(ASKED, 2, ID.database), 2)
    assert store.now.change.state is ChangeState.SUCCESS


def test_an_update_that_does_not_work_turns_back_and_says_why_in_the_end(monkeypatch):
    changing = updating(spec=ASKED, revision=2, phase=Phase.CHANGING)
    store = run(monkeypatch, changing, Refuses, dataclasses.replace(WHOLE, proven=False))
    assert store.now.status is Status.ROLLING_BACK
    returning = dataclasses.replace(store.now, spec=SPEC, revision=1)
    store = run(monkeypatch, returning, EverythingWorks, dataclasses.replace(WHOLE, proven=False))
    assert store.now.status is Status.UPDATE_FAILED
    assert (store.refused, store.settled) == (2, None)
    change = store.now.change
    assert (change.error_code, change.error_message) == ("INCORRECT_CONFIGURATION", "cannot do that")


def test_the_way_back_is_tried_until_it_works(monkeypatch):
    returning = updating(phase=Phase.RETURNING)
    with pytest.raises(CannotProvide):
        run(monkeypatch, returning, Refuses, dataclasses.replace(WHOLE, proven=False))
    assert STORE[0].now.status is Status.ROLLING_BACK


def test_the_way_back_ends_at_last(monkeypatch):
    old = dataclasses.replace(UPDATE, created_at=datetime.now(UTC) - timedelta(hours=1), error_message="cannot x")
    unproven = dataclasses.replace(WHOLE, proven=False)
    store = run(monkeypatch, updating(phase=Phase.RETURNING, change=old), Refuses, unproven)
    assert store.now.status is Status.UPDATE_FAILED
    assert store.now.change.error_message == ("cannot x; and the settings before it do not work either: cannot do that")


def test_an_update_that_never_ends_is_refused_at_last(monkeypatch):
    old = dataclasses.replace(UPDATE, created_at=datetime.now(UTC) - timedelta(minutes=31))

    class Disturbed(EverythingWorks):
        def perform(self, step, environment):
            raise ConnectionError("the database system is starting up")

    store = run(monkeypatch, updating(asked=ASKED, change=old), Disturbed, WHOLE)
    assert store.now.status is Status.UPDATE_FAILED
    assert store.now.change.error_message == "cannot update the environment: the database system is starting up"


# -- graceful updates -------------------------------------------------------------------------------------------

GRACEFUL = dataclasses.replace(UPDATE, strategy="GRACEFUL")


def graceful(**changes):
    return updating(**({"spec": ASKED, "revision": 2, "workers": "2", "change": GRACEFUL} | changes))


def test_a_graceful_update_that_was_proven_lets_old_workers_drain(monkeypatch):
    store = run(monkeypatch, graceful(phase=Phase.CHANGING), EverythingWorks, dataclasses.replace(WHOLE, proven=False))
    assert store.now.status is Status.MAINTENANCE
    assert (store.settled, store.now.observed_generation) == (Settled(ASKED, 2, ID.database), 2)
    assert store.now.change.state is ChangeState.PENDING


def test_it_has_succeeded_when_they_have_ended(monkeypatch):
    draining = graceful(phase=Phase.DRAINING, observed_generation=2)
    store = run(monkeypatch, draining, EverythingWorks, dataclasses.replace(WHOLE, draining=True))
    assert (store.now.status, store.steps) == (Status.MAINTENANCE, [])
    store = run(monkeypatch, draining, EverythingWorks, WHOLE)
    assert store.now.status is Status.AVAILABLE
    assert store.now.change.state is ChangeState.SUCCESS


def test_without_a_supervisor_nobody_knows_whether_they_have_ended(monkeypatch):
    draining = graceful(phase=Phase.DRAINING, observed_generation=2)
    blind = dataclasses.replace(WHOLE, observed=ObservedManifest("x"))
    assert run(monkeypatch, draining, EverythingWorks, blind).now.status is Status.MAINTENANCE


def test_an_update_that_was_asked_for_meanwhile_is_not_taken_for_done(monkeypatch):
    draining = graceful(phase=Phase.DRAINING, observed_generation=2)
    store = EnvironmentsInMemory(dataclasses.replace(draining, generation=3, is_awaited=True))
    monkeypatch.setattr(passes, "Performer", EverythingWorks)
    monkeypatch.setattr(passes, "observe", lambda _hands, _environment: WHOLE)
    Passes(hands(store)).run(draining)
    assert (store.now.phase, store.now.change.state) == (Phase.DRAINING, ChangeState.PENDING)


def test_a_later_update_leaves_them_no_more_time(monkeypatch):
    awaited = graceful(phase=Phase.DRAINING, observed_generation=2, generation=3, is_awaited=True)
    store = run(monkeypatch, awaited, EverythingWorks, dataclasses.replace(WHOLE, draining=True))
    assert store.steps == ["end draining workers"]
    assert store.now.phase is Phase.READY
    assert store.now.change.state is ChangeState.PENDING, "the later one's"


def test_a_graceful_update_whose_workers_are_the_same_drains_nothing(monkeypatch):
    same = graceful(phase=Phase.CHANGING, workers="")
    store = run(monkeypatch, same, EverythingWorks, dataclasses.replace(WHOLE, proven=False))
    assert store.now.status is Status.AVAILABLE


@pytest.mark.parametrize(("workers", "then"), [("2", "2r"), ("", ""), ("1", "1")])
def test_the_way_back_has_names_that_are_free(monkeypatch, workers, then):
    changing = graceful(phase=Phase.CHANGING, workers=workers)
    store = run(monkeypatch, changing, Refuses, dataclasses.replace(WHOLE, proven=False))
    assert (store.now.status, store.now.workers) == (Status.ROLLING_BACK, then)


# -- dry runs ---------------------------------------------------------------------------------------------------


def test_a_dry_run_is_prepared_and_reported_and_moves_nothing(monkeypatch):
    before = environment(trial=Trial(1, ASKED, TrialState.PENDING, datetime.now(UTC)))
    performed = []

    class Records(EverythingWorks):
        def perform(self, step, environment):
            performed.append(step.label)

    store = run(monkeypatch, before, Records, WHOLE)
    assert performed == ["requirements", "runtime", "start-up script", "rehearsal", "report"]
    assert store.steps == [], "they are no steps of a change"
    assert (store.now.phase, store.now.change, store.now.spec) == (before.phase, before.change, before.spec)


def test_a_dry_run_that_cannot_be_had_says_why_and_moves_nothing(monkeypatch):
    before = environment(trial=Trial(1, ASKED, TrialState.PENDING, datetime.now(UTC)))
    store = run(monkeypatch, before, Refuses, WHOLE)
    assert (store.now.trial.state, store.now.trial.error) == (TrialState.FAILED, "cannot do that")
    assert (store.now.status, store.now.change) == (Status.AVAILABLE, before.change)


def test_what_runs_on_another_database_is_settled_with_it(monkeypatch):
    moved = updating(spec=ASKED, revision=2, phase=Phase.CHANGING, moved_to="env_x_2", proven=Settled(SPEC, 1))
    monkeypatch.setattr(passes.moving, "release", lambda _hands, environment: STORE[0].steps.append("let go"))
    store = run(monkeypatch, moved, EverythingWorks, dataclasses.replace(WHOLE, held=True))
    assert store.settled == Settled(ASKED, 2, "env_x_2")
    assert store.steps[-2:] == ["settled", "let go"], "what is scheduled then must not be taken back"
