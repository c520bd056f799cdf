"""Passes over one environment with hands that are doubles: how the phase and the change move."""

import dataclasses
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from tests.unit.domain.samples import environment
from tradewind.domain.environments import Change, ChangeState, Phase, Status, Target
from tradewind.domain.errors import CannotProvide
from tradewind.reconcile import passes
from tradewind.reconcile.passes import Passes
from tradewind.reconcile.plan import steps
from tradewind.reconcile.world import World

WHOLE = World(
    folder=True, lock=True, runtime=True, template=True, database=True, bundle="v1", processes_current=True,
    processes_left=True, route=True, database_left=True, proven=True,
)  # fmt: skip
PENDING = Change("CREATE", ChangeState.PENDING, datetime(2026, 3, 1, tzinfo=UTC))


class EnvironmentsInMemory:
    """One environment, as the store would keep it."""

    def __init__(self, environment):
        self.now = environment
        self.steps = []

    def get(self, id_):
        return self.now if self.now is not None and self.now.id == id_ else None

    def observe(self, id_, *, phase=None, generation=None, progress=None, bundle_version=None):
        changes = {"phase": phase, "observed_generation": generation, "progress": progress}
        self.now = dataclasses.replace(self.now, **{key: value for key, value in changes.items() if value is not None})

    def finish_change(self, id_, kind, error=None, *, phase=None, generation=None):
        if phase is not None:
            self.observe(id_, phase=phase, generation=generation, progress="")
        if self.now.change.state is ChangeState.PENDING and self.now.change.kind == kind:
            code, message = error or (None, None)
            state = ChangeState.FAILED if error else ChangeState.SUCCESS
            self.now = dataclasses.replace(
                self.now,
                change=dataclasses.replace(self.now.change, state=state, error_code=code, error_message=message),
            )

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


def run(monkeypatch, environment, performer, world, *, stopping=lambda: False):
    """One pass; the store afterwards."""
    store = EnvironmentsInMemory(environment)
    STORE[:] = [store]
    monkeypatch.setattr(passes, "Performer", performer)
    monkeypatch.setattr(passes, "observe", lambda _hands, _environment: world)
    Passes(SimpleNamespace(environments=store), stopping).run(environment)
    return store


def new(**changes):
    return environment(**({"phase": Phase.NEW, "observed_generation": 0, "change": PENDING} | changes))


def test_a_plan_that_was_performed_makes_it_available(monkeypatch):
    store = run(monkeypatch, new(), EverythingWorks, World())
    assert store.now.status is Status.AVAILABLE
    assert (store.now.observed_generation, store.now.progress) == (1, "")
    assert store.now.change.state is ChangeState.SUCCESS
    assert store.steps == [
        "folders", "requirements", "runtime", "preloading", "DAGs", "template database", "database", "route",
        "processes", "health",
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
    Passes(SimpleNamespace(environments=store)).run(new())
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
