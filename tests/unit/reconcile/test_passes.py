"""Passes over one environment with hands that are doubles: how the phase and the change move."""

import dataclasses
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from tests.unit.domain.samples import ID, SPEC, environment
from tradewind.domain.environments import Change, ChangeState, Phase, Settled, Status, Target, Trial, TrialState
from tradewind.domain.errors import CannotProvide, TradewindError
from tradewind.domain.manifests import ObservedManifest
from tradewind.reconcile import passes
from tradewind.reconcile.passes import Passes
from tradewind.reconcile.plan import steps
from tradewind.reconcile.world import World

WHOLE = World(
    folder=True, lock=True, runtime=True, startup=True, template=True, database=True, bundle="v1",
    processes_current=True, processes_left=True, route=True, database_left=True, proven=True,
    observed=ObservedManifest("x", 1, supervised=True),
)  # fmt: skip
PENDING = Change("CREATE", ChangeState.PENDING, datetime(2026, 3, 1, tzinfo=UTC))


class EnvironmentsInMemory:
    """One environment, as the store would keep it."""

    def __init__(self, environment):
        self.now = environment
        self.steps = []
        self.settled = self.refused = None

    def get(self, id_):
        return self.now if self.now is not None and self.now.id == id_ else None

    def observe(self, id_, *, phase=None, generation=None, progress=None, bundle_version=None):
        changes = {"phase": phase, "observed_generation": generation, "progress": progress}
        self.now = dataclasses.replace(self.now, **{key: value for key, value in changes.items() if value is not None})

    def finish_change(self, id_, kind, error=None, *, phase=None, generation=None, settled=None, refused=None, at=None):
        if at is not None and at != self.now.generation:
            return
        if phase is not None:
            self.observe(id_, phase=phase, generation=generation, progress="")
        if settled is not None:
            self.settled = settled
        if refused is not None:
            self.refused = refused
            self.now = dataclasses.replace(self.now, asked=None)
        if self.now.change.state is ChangeState.PENDING and self.now.change.kind == kind:
            code, message = error or (None, None)
            state = ChangeState.FAILED if error else ChangeState.SUCCESS
            self.now = dataclasses.replace(
                self.now,
                change=dataclasses.replace(self.now.change, state=state, error_code=code, error_message=message),
            )

    def finish_trial(self, id_, number, *, report, error):
        state = TrialState.FAILED if report is None else TrialState.DONE
        trial = dataclasses.replace(self.now.trial, state=state, report=report or {}, error=error)
        self.now = dataclasses.replace(self.now, trial=trial)

    def let_drain(self, id_, generation, settled):
        self.observe(id_, phase=Phase.DRAINING, generation=generation, progress="")
        self.settled = settled

    def settle(self, id_, settled, *, at):
        assert at == self.now.generation
        self.settled = settled
        self.steps.append("settled")

    def turn_back(self, id_, error, *, workers, at):
        assert at == self.now.generation
        change = dataclasses.replace(self.now.change, error_code=error[0], error_message=error[1])
        self.now = dataclasses.replace(self.now, phase=Phase.RETURNING, change=change, workers=workers)

    def checkpoint(self, id_, generation, step, seconds):
        self.steps.append(step)


class EverythingWorks:
    """A performer whose steps all succeed; subclasses say what does not."""

    def __init__(self, hands, still_wanted):
        self.still_wanted = still_wanted

    def perform(self, step, environment):
        return


class RequirementsThatDoNotResolve(EverythingWorks):
    def perform(self, step, environment):
        if isinstance(step, steps.ResolveRequirements):
            raise CannotProvide(
                "cannot resolve requirements.txt: Because duckdb==99 does not exist",
                "INCORRECT_CONFIGURATION",
                ("No solution found", "Because duckdb==99 does not exist"),
            )


class DatabaseThatRestarts(EverythingWorks):
    def perform(self, step, environment):
        if isinstance(step, steps.MakeDatabase):
            raise ConnectionError("the database system is starting up")


class SomeoneDeletesIt(EverythingWorks):
    """While the health is being proven, somebody asks for deletion."""

    def perform(self, step, environment):
        if isinstance(step, steps.ProveHealth):
            STORE[0].now = dataclasses.replace(STORE[0].now, target=Target.ABSENT, generation=2)
            if not self.still_wanted(environment):
                raise passes.NoLongerWanted


STORE = []


def hands(store, *, seconds_up=3600.0):
    return SimpleNamespace(
        environments=store,
        databases=SimpleNamespace(seconds_up=lambda: seconds_up),
        records=SimpleNamespace(pending=lambda _id: None),
    )


def run(monkeypatch, environment, performer, world, *, stopping=lambda: False):
    """One pass; the store afterwards."""
    store = EnvironmentsInMemory(environment)
    STORE[:] = [store]
    monkeypatch.setattr(passes, "Performer", performer)
    monkeypatch.setattr(passes, "observe", lambda _hands, _environment: world)
    Passes(hands(store), stopping).run(environment)
    return store


def new(**changes):
    return environment(**({"phase": Phase.NEW, "observed_generation": 0, "change": PENDING} | changes))


def test_a_plan_that_was_performed_makes_it_available(monkeypatch):
    store = run(monkeypatch, new(), EverythingWorks, World())
    assert store.now.status is Status.AVAILABLE
    assert (store.now.observed_generation, store.now.progress) == (1, "")
    assert store.now.change.state is ChangeState.SUCCESS
    assert store.steps == [
        "folders", "requirements", "runtime", "start-up script", "preloading", "DAGs", "template database", "database",
        "route", "processes", "health",
    ]  # fmt: skip


def test_requirements_that_do_not_resolve_refuse_it_with_their_words(monkeypatch):
    store = run(monkeypatch, new(), RequirementsThatDoNotResolve, World())
    assert store.now.status is Status.CREATE_FAILED
    assert store.steps == ["folders"]
    change = store.now.change
    assert (change.state, change.error_code) == (ChangeState.FAILED, "INCORRECT_CONFIGURATION")
    assert change.error_message == "cannot resolve requirements.txt: Because duckdb==99 does not exist"


def test_a_database_that_restarts_is_left_to_the_next_pass(monkeypatch):
    young = new(created_at=datetime.now(UTC))
    with pytest.raises(ConnectionError):
        run(monkeypatch, young, DatabaseThatRestarts, World())
    store = STORE[0]
    assert store.now.status is Status.CREATING
    assert (store.now.phase, store.now.progress) == (Phase.PROVISIONING, "database")
    assert store.now.change.state is ChangeState.PENDING


def test_a_creation_that_never_ends_is_refused_at_last(monkeypatch):
    old = new(created_at=datetime.now(UTC) - timedelta(minutes=31))
    store = run(monkeypatch, old, DatabaseThatRestarts, World())
    assert store.now.status is Status.CREATE_FAILED
    assert store.now.change.error_code == "INTERNAL"
    assert store.now.change.error_message == "cannot create the environment: the database system is starting up"


def test_a_ready_environment_outlives_a_repair_that_fails(monkeypatch):
    with pytest.raises(ConnectionError):
        run(monkeypatch, environment(), DatabaseThatRestarts, dataclasses.replace(WHOLE, database=False))
    assert STORE[0].now.status is Status.AVAILABLE

    store = run(monkeypatch, environment(), RequirementsThatDoNotResolve, dataclasses.replace(WHOLE, lock=False))
    assert store.now.status is Status.AVAILABLE
    assert store.now.change.state is ChangeState.SUCCESS


def test_a_repair_leaves_phase_and_change_alone(monkeypatch):
    before = environment()
    store = run(monkeypatch, before, EverythingWorks, dataclasses.replace(WHOLE, route=False))
    assert (store.now.phase, store.now.change) == (before.phase, before.change)
    assert store.steps == ["route"]


def test_what_is_no_longer_wanted_is_left_at_once(monkeypatch):
    store = run(monkeypatch, new(), SomeoneDeletesIt, World())
    assert store.now.status is Status.DELETING
    assert store.now.phase is Phase.PROVISIONING
    assert "health" not in store.steps


def test_an_environment_that_is_gone_is_left_at_once(monkeypatch):
    store = EnvironmentsInMemory(None)
    monkeypatch.setattr(passes, "Performer", EverythingWorks)
    monkeypatch.setattr(passes, "observe", lambda _hands, _environment: World())
    Passes(hands(store)).run(new())
    assert store.steps == []


def test_no_step_is_begun_when_the_service_ends(monkeypatch):
    store = run(monkeypatch, new(), EverythingWorks, World(), stopping=lambda: True)
    assert store.steps == []
    assert store.now.phase is Phase.NEW


def test_a_deletion_does_not_make_it_ready(monkeypatch):
    deleting = new(target=Target.ABSENT, generation=2, change=Change("DELETE", ChangeState.PENDING, PENDING.created_at))
    store = run(monkeypatch, deleting, EverythingWorks, WHOLE)
    assert store.now.status is Status.DELETING
    assert "forget" not in store.steps  # its row is history by then


def test_taking_back_leaves_it_refused(monkeypatch):
    failed = new(phase=Phase.REFUSED, change=dataclasses.replace(PENDING, state=ChangeState.FAILED))
    store = run(monkeypatch, failed, EverythingWorks, WHOLE)
    assert store.now.status is Status.CREATE_FAILED
    assert store.now.change.state is ChangeState.FAILED


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("cannot x", ()),
        ("cannot x", ("line",) * 400),
        ("cannot x", ("y" * 5000,)),
        ("z" * 5000, ("line",)),
        ("z" * 1015, ("line",)),
        ("z" * 1023, ("line",)),
    ],
)
def test_a_message_fits_mwaas_1024_characters(sentence, evidence):
    message = passes._message(CannotProvide(sentence, "C", evidence))
    assert 1 <= len(message) <= 1024
    assert message.startswith(sentence[:1010])


def test_a_message_carries_the_end_of_the_evidence():
    lines = (*("first line",) * 200, "the reason")
    assert passes._message(CannotProvide("cannot x", "C", lines)).endswith("first line | the reason")


def test_evidence_that_the_sentence_ends_with_is_not_told_twice():
    error = CannotProvide("cannot x: because of y", "C", ("line", "because of y"))
    assert passes._message(error) == "cannot x: because of y"


def test_blank_lines_are_no_evidence():
    assert passes._message(CannotProvide("cannot x", "C", ("a", " ", "b"))) == "cannot x; last lines: a | b"


# -- updates ---------------------------------------------------------------------------------------------------

ASKED = dataclasses.replace(SPEC, max_workers=3)
UPDATE = Change("UPDATE", ChangeState.PENDING, datetime.now(UTC))


class Refuses(EverythingWorks):
    """What an update asks for cannot be had."""

    def perform(self, step, environment):
        if isinstance(step, steps.PrepareRequirements | steps.ProveHealth):
            raise CannotProvide("cannot do that", "INCORRECT_CONFIGURATION")


def updating(**changes):
    # asked for just now: this module may have been read an hour ago
    change = dataclasses.replace(UPDATE, created_at=datetime.now(UTC))
    return environment(**({"generation": 2, "change": change, "phase": Phase.READY} | changes))


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


def test_what_fails_while_postgresql_is_started_anew_is_tried_again(monkeypatch):
    fresh = new(created_at=datetime.now(UTC))
    store = EnvironmentsInMemory(fresh)
    monkeypatch.setattr(passes, "Performer", RequirementsThatDoNotResolve)
    monkeypatch.setattr(passes, "observe", lambda _hands, _environment: World())
    with pytest.raises(TradewindError, match="PostgreSQL was started anew meanwhile: cannot resolve"):
        Passes(hands(store, seconds_up=0.0)).run(fresh)
    assert store.now.change.state is ChangeState.PENDING


def test_what_runs_on_another_database_is_settled_with_it(monkeypatch):
    moved = updating(spec=ASKED, revision=2, phase=Phase.CHANGING, moved_to="env_x_2", proven=Settled(SPEC, 1))
    monkeypatch.setattr(passes.moving, "release", lambda _hands, environment: STORE[0].steps.append("let go"))
    store = run(monkeypatch, moved, EverythingWorks, dataclasses.replace(WHOLE, held=True))
    assert store.settled == Settled(ASKED, 2, "env_x_2")
    assert store.steps[-2:] == ["settled", "let go"], "what is scheduled then must not be taken back"
