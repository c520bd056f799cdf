"""A pass over one environment for tests: a store of one environment, and performers whose names say what they do."""

import dataclasses
from datetime import UTC, datetime
from types import SimpleNamespace

from tests.unit.domain.samples import SPEC, environment
from tradewind.domain.environments import Change, ChangeState, Phase, Target, TrialState
from tradewind.domain.errors import CannotProvide
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
