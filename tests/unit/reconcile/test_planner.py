"""The planner against a model world: performing a step sets its facet, anything may fail, anything may get lost.

Whatever happens, when it stops happening a few passes make the world as wanted, and a complete database of a
wanted environment is never dropped or made anew.
"""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain.samples import NOW, SPEC, environment
from tradewind.domain.environments import Connections, Environment, Origin, Phase, Settled, Target, Trial, TrialState
from tradewind.domain.manifests import ObservedManifest, ObservedProcess, ProcessState
from tradewind.reconcile.plan import plan, steps
from tradewind.reconcile.world import World

EMPTY = World()
WHOLE = World(
    folder=True, lock=True, runtime=True, startup=True, template=True, database=True, bundle="v1",
    processes_current=True, processes_left=True, route=True, database_left=True, user_left=True, proven=True,
)  # fmt: skip
WANTED = environment()
LOSABLE = ("folder", "lock", "runtime", "startup", "template", "bundle", "processes_current", "route")


class Crash(Exception):
    """A step that ended half-way."""


class ModelWorld:
    """What steps do to a world, with what they rely on."""

    def __init__(self, world: World, wanted: Environment) -> None:
        self.world = world
        self.wanted = wanted
        self.forgotten = False
        self.databases_made = 0
        self.databases_dropped = 0

    def pass_over(self, *, crash_at: int | None = None) -> int:
        """Plan once and perform; the step at `crash_at` has no effect and ends the pass. Returns the plan's length."""
        planned = plan(self.wanted, self.world)
        for number, step in enumerate(planned):
            if number == crash_at:
                return len(planned)
            self.perform(step)
        is_settled = self.wanted.asked is None and not any(isinstance(step, steps.CutOver) for step in planned)
        if self.wanted.target is Target.PRESENT and self.wanted.phase is not Phase.REFUSED and is_settled:
            self.see(proven=True)
            settled = Settled(self.wanted.spec, self.wanted.revision, self.wanted.database)
            self.wanted = dataclasses.replace(self.wanted, phase=Phase.READY, proven=settled)
        return len(planned)

    def see(self, **facets: object) -> None:
        self.world = dataclasses.replace(self.world, **facets)

    def perform(self, step: steps.Step) -> None:  # noqa: C901, PLR0912, PLR0915
        world = self.world
        match step:
            case steps.MakeFolder():
                self.see(folder=True, user_left=True)
            case steps.ResolveRequirements():
                assert world.folder
                self.see(lock=True, runtime=False, startup=False)
            case steps.BuildRuntime():
                assert world.lock
                self.see(runtime=True)
            case steps.RunStartupScript():
                assert world.folder
                assert world.runtime
                self.see(startup=True)
            case steps.StartPreloading():
                assert world.folder
                assert world.runtime
                assert world.startup
                assert not world.processes_left, "what runs would be stopped"
                self.see(processes_left=True)
            case steps.TakeBundle():
                assert world.folder
                self.see(bundle="v1")
            case steps.MakeTemplate():
                assert world.runtime
                self.see(template=True)
            case steps.MakeDatabase():
                assert world.template
                assert not world.database, "a complete database was made anew"
                self.databases_made += 1
                self.see(database=True, database_left=True)
            case steps.OpenDatabase():
                self.see(database=True)
            case steps.AwaitSnapshot():
                assert self.wanted.origin is not None
            case steps.RestoreDatabase():
                assert not world.database, "a complete database was made anew"
                assert world.lock
                self.databases_made += 1
                self.see(database=True, database_left=True)
            case steps.SaveSnapshot():
                assert self.wanted.asked is not None
                self.see(coming_saved=True)
            case steps.ProveDatabase():
                assert world.coming_saved or self.wanted.asked is None
                assert world.coming_runtime
                self.see(coming_database=True, other_databases=True)
            case steps.ClearTheWay():
                assert self.wanted.phase is Phase.CHANGING
                self.see(processes_current=False, processes_left=False, held=True)
            case steps.MoveDatabase():
                assert world.held, "the database was copied while somebody worked on it"
                assert not world.processes_current
                self.see(database=True, other_databases=True)
            case steps.Release():
                assert not self.wanted.is_on_hold, "something was scheduled that may be lost"
                self.see(held=False)
            case steps.RemoveOtherDatabases():
                assert self.wanted.phase is Phase.READY, "the way back was removed"
                assert self.wanted.coming is self.wanted
                self.see(other_databases=False)
            case steps.TakeSnapshot():
                self.see(snapshot_asked=False)
            case steps.PublishRoute():
                self.see(route=True)
            case steps.ApplyProcesses():
                assert world.folder
                assert world.runtime
                assert world.startup
                assert world.bundle
                assert world.database
                self.see(processes_current=True, processes_left=True)
            case steps.ProveHealth():
                assert world.processes_current
                assert world.route
                self.see(proven=True)
            case steps.EndReplaced():
                assert world.processes_current
                self.see(replaced=False)
            case steps.EndDraining():
                assert self.wanted.is_awaited
                self.see(draining=False)
            case steps.PrepareRequirements():
                self.see(coming_lock=True, coming_runtime=False, coming_startup=False, coming_rehearsed=False)
            case steps.PrepareRuntime():
                assert world.coming_lock
                self.see(coming_runtime=True)
            case steps.PrepareStartup():
                assert world.coming_runtime
                self.see(coming_startup=True)
            case steps.RehearseUpdate():
                assert world.coming_runtime
                assert world.coming_startup
                self.see(coming_rehearsed=True)
            case steps.CutOver():
                assert world.coming_rehearsed
                assert world.coming_database or not world.moves
                self.see(lock=True, runtime=True, startup=True, processes_current=False, proven=False, replaced=True)
                moved = {"moved_to": "env_other", "proven": Settled(SPEC, 1)} if world.moves else {}
                self.see(database=not world.moves, held=False, moves=False)
                self.wanted = dataclasses.replace(self.wanted.coming, phase=Phase.CHANGING, **moved)
            case steps.StopProcesses():
                self.see(processes_current=False, processes_left=False)
            case steps.WithdrawRoute():
                self.see(route=False)
            case steps.DropDatabase():
                assert not world.processes_left, "a database was dropped under running processes"
                self.databases_dropped += 1
                self.see(database=False, database_left=False)
            case steps.RemoveFolder():
                assert not world.processes_left, "files were removed under running processes"
                self.see(folder=False, lock=False, runtime=False, bundle=None)
            case steps.RemoveUser():
                assert not world.folder, "a user was removed whose files are there"
                self.see(user_left=False)
            case steps.Forget():
                self.forgotten = True
                self.wanted = dataclasses.replace(self.wanted, phase=Phase.GONE)


def converge(model: ModelWorld, passes: int = 3) -> None:
    """A few passes without disturbance, and then nothing is left to do."""
    for _ in range(passes):
        if not model.pass_over():
            return
    assert plan(model.wanted, model.world) == ()


FACETS = {field.name: st.booleans() for field in dataclasses.fields(World) if field.name not in {"bundle", "observed"}}
WORLDS = st.builds(World, **FACETS, bundle=st.none() | st.just("v1"))
DISTURBANCES = st.lists(
    st.tuples(st.integers(0, 8) | st.none(), st.none() | st.sampled_from(LOSABLE)), max_size=12
)  # fmt: skip


def consistent(world: World) -> World:
    """What cannot be seen together: a database is there if it is complete, something runs if it runs as wanted."""
    return dataclasses.replace(
        world,
        database_left=world.database_left or world.database,
        processes_left=world.processes_left or world.processes_current,
    )


def disturb(model: ModelWorld, disturbances: list[tuple[int | None, str | None]]) -> None:
    for crash_at, lost in disturbances:
        model.pass_over(crash_at=crash_at)
        if lost is not None:
            model.see(**{lost: None if lost == "bundle" else False})


@settings(max_examples=200)
@given(WORLDS.map(consistent), DISTURBANCES)
def test_what_is_wanted_present_comes_to_be(world, disturbances):
    model = ModelWorld(world, environment(phase=Phase.NEW))
    had = world.database
    disturb(model, disturbances)
    converge(model)
    world = model.world
    assert world.folder
    assert world.lock
    assert world.runtime
    assert world.bundle
    assert world.route
    assert world.database
    assert world.processes_current
    assert world.proven
    assert model.databases_dropped == 0
    assert model.databases_made == (0 if had else 1)
    assert not model.forgotten


@settings(max_examples=200)
@given(
    WORLDS.map(consistent), DISTURBANCES, st.sampled_from([Phase.NEW, Phase.PROVISIONING, Phase.READY, Phase.REFUSED])
)
def test_what_is_wanted_absent_leaves_nothing(world, disturbances, phase):
    model = ModelWorld(world, environment(target=Target.ABSENT, phase=phase))
    disturb(model, disturbances)
    converge(model)
    world = model.world
    assert model.forgotten
    assert model.databases_made == 0
    left = (world.folder, world.processes_left, world.database_left, world.user_left, world.route, world.bundle)
    assert not any(left)


@settings(max_examples=200)
@given(WORLDS.map(consistent), DISTURBANCES)
def test_what_was_refused_is_taken_back_but_not_forgotten(world, disturbances):
    model = ModelWorld(world, environment(phase=Phase.REFUSED))
    disturb(model, disturbances)
    converge(model)
    world = model.world
    assert not model.forgotten
    assert model.databases_made == 0
    left = (world.folder, world.processes_left, world.database_left, world.user_left, world.route, world.bundle)
    assert not any(left)


@given(st.integers(0, 20), DISTURBANCES)
def test_a_deletion_in_the_middle_of_a_creation_leaves_nothing(passes, disturbances):
    model = ModelWorld(EMPTY, environment(phase=Phase.NEW))
    for crash_at in range(passes):
        model.pass_over(crash_at=crash_at)
    model.wanted = environment(target=Target.ABSENT, phase=Phase.PROVISIONING)
    disturb(model, disturbances)
    converge(model)
    assert model.forgotten
    assert not model.world.database_left


def test_a_new_environment_is_made_in_this_order():
    assert plan(environment(phase=Phase.NEW), EMPTY) == (
        steps.MakeFolder(),
        steps.ResolveRequirements(),
        steps.BuildRuntime(),
        steps.RunStartupScript(),
        steps.StartPreloading(),
        steps.TakeBundle(),
        steps.MakeTemplate(),
        steps.MakeDatabase(),
        steps.PublishRoute(),
        steps.ApplyProcesses(),
        steps.ProveHealth(),
    )


def test_an_environment_is_taken_away_in_this_order():
    assert plan(environment(target=Target.ABSENT), WHOLE) == (
        steps.WithdrawRoute(),
        steps.StopProcesses(),
        steps.DropDatabase(),
        steps.RemoveFolder(),
        steps.RemoveUser(),
        steps.Forget(),
    )


def test_what_was_refused_keeps_its_logs():
    assert plan(environment(phase=Phase.REFUSED), WHOLE) == (
        steps.WithdrawRoute(),
        steps.StopProcesses(),
        steps.DropDatabase(),
        steps.RemoveFolder(keep_logs=True),
        steps.RemoveUser(),
    )


def test_a_world_as_wanted_needs_nothing():
    assert plan(WANTED, WHOLE) == ()
    assert plan(environment(target=Target.ABSENT, phase=Phase.GONE), EMPTY) == ()
    assert plan(environment(phase=Phase.REFUSED), EMPTY) == ()


@pytest.mark.parametrize(
    ("facet", "lost", "needed"),
    [
        ("folder", False, (steps.MakeFolder(),)),
        ("runtime", False, (steps.BuildRuntime(),)),
        ("startup", False, (steps.RunStartupScript(),)),
        ("bundle", None, (steps.TakeBundle(),)),
        ("template", False, ()),  # only cloning needs it
        ("route", False, (steps.PublishRoute(),)),
        ("processes_current", False, (steps.ApplyProcesses(),)),
        ("proven", False, (steps.ProveHealth(),)),
    ],
)
def test_a_repair_touches_only_what_is_lost(facet, lost, needed):
    assert plan(WANTED, dataclasses.replace(WHOLE, **{facet: lost})) == needed


def test_nothing_in_the_world_drops_the_database_of_what_is_wanted():
    for phase in (Phase.NEW, Phase.PROVISIONING, Phase.READY):
        assert steps.DropDatabase() not in plan(environment(phase=phase), EMPTY)


def test_processes_that_gave_up_are_seen():
    observed = ObservedManifest(
        "x", processes=(ObservedProcess("a", ProcessState.FATAL), ObservedProcess("b", ProcessState.BACKOFF))
    )
    assert World(observed=observed).given_up == ("a",)
    assert EMPTY.given_up == ()


def test_every_step_has_words_for_people():
    for step in (*plan(environment(phase=Phase.NEW), EMPTY), *plan(environment(target=Target.ABSENT), WHOLE)):
        assert step.label
        assert step.label == step.label.strip()


@settings(max_examples=200)
@given(st.booleans(), st.booleans(), st.booleans(), DISTURBANCES)
def test_an_update_to_another_database_is_proven_on_a_copy_and_holds_until_it_works(saved, lock, asked, disturbances):
    world = dataclasses.replace(WHOLE, moves=True, coming_saved=saved, coming_lock=lock, snapshot_asked=asked)
    model = ModelWorld(world, environment(asked=SPEC, generation=2, proven=Settled(SPEC, 1)))
    disturb(model, disturbances)
    converge(model, 6)
    assert (model.wanted.database, model.wanted.phase) == ("env_other", Phase.READY)
    assert model.world.database
    assert model.world.proven
    world = model.world
    assert (world.held, world.other_databases, world.snapshot_asked) == (False, False, False)
    assert model.databases_made == model.databases_dropped == 0


@settings(max_examples=100)
@given(DISTURBANCES)
def test_a_copy_is_made_of_a_snapshot(disturbances):
    origin = Origin(1, "snap-0", Connections.MASK)
    model = ModelWorld(EMPTY, environment(phase=Phase.NEW, generation=1, origin=origin))
    disturb(model, disturbances)
    converge(model)
    assert model.world.proven
    assert model.databases_made == 1


def test_an_update_to_another_database_goes_these_steps():
    coming = environment(asked=SPEC, generation=2, proven=Settled(SPEC, 1))
    world = dataclasses.replace(WHOLE, moves=True)
    assert plan(coming, world) == (
        steps.PrepareRequirements(), steps.PrepareRuntime(), steps.PrepareStartup(), steps.SaveSnapshot(),
        steps.ProveDatabase(), steps.RehearseUpdate(), steps.CutOver(),
    )  # fmt: skip
    trial = environment(proven=Settled(SPEC, 1), trial=Trial(1, SPEC, TrialState.PENDING, NOW))
    assert steps.SaveSnapshot() not in plan(trial, world), "a dry run leaves nothing"
    assert steps.ProveDatabase() in plan(trial, world)
    changing = environment(phase=Phase.CHANGING, generation=2, moved_to="env_other", proven=Settled(SPEC, 1))
    before = dataclasses.replace(WHOLE, database=False, processes_current=False, proven=False)
    assert plan(changing, before)[:2] == (steps.ClearTheWay(), steps.MoveDatabase())
    stopped = dataclasses.replace(before, held=True, processes_left=False)
    assert steps.ClearTheWay() not in plan(changing, stopped)
    assert plan(environment(generation=2), dataclasses.replace(WHOLE, held=True, other_databases=True)) == (
        steps.Release(), steps.RemoveOtherDatabases(),
    )  # fmt: skip


def test_what_is_held_is_let_go_only_once_it_is_proven():
    world = dataclasses.replace(WHOLE, held=True, other_databases=True)
    moved = environment(phase=Phase.CHANGING, moved_to="env_other", proven=Settled(SPEC, 1))
    for held in (moved, environment(phase=Phase.RETURNING)):
        assert not {steps.Release(), steps.RemoveOtherDatabases()} & set(plan(held, world))
    settled = dataclasses.replace(moved, proven=Settled(SPEC, 2, "env_other"))
    assert steps.Release() in plan(settled, world), "the control plane died between the two"


def test_a_database_that_was_in_force_is_opened_and_never_made_anew():
    for phase in (Phase.READY, Phase.RETURNING):
        planned = plan(environment(phase=phase, proven=Settled(SPEC, 1)), dataclasses.replace(WHOLE, database=False))
        assert steps.OpenDatabase() in planned
        assert steps.MakeDatabase() not in planned


@settings(max_examples=200)
@given(st.booleans(), st.booleans(), DISTURBANCES)
def test_an_update_is_prepared_put_in_force_and_proven(lock, runtime, disturbances):
    model = ModelWorld(dataclasses.replace(WHOLE, coming_lock=lock, coming_runtime=lock and runtime),
                       environment(asked=SPEC, generation=2))  # fmt: skip
    disturb(model, disturbances)
    converge(model, 4)
    assert model.wanted.asked is None
    assert model.wanted.phase is Phase.READY
    assert model.world.proven
    assert model.world.processes_current
    assert not model.world.replaced
    assert model.databases_made == model.databases_dropped == 0


def test_an_update_touches_nothing_before_it_is_prepared():
    preparing = environment(asked=SPEC, generation=2)
    every = (
        steps.PrepareRequirements(), steps.PrepareRuntime(), steps.PrepareStartup(), steps.RehearseUpdate(),
        steps.CutOver(),
    )  # fmt: skip
    made = {}
    for number, facet in enumerate(("coming_lock", "coming_runtime", "coming_startup", "coming_rehearsed")):
        assert plan(preparing, dataclasses.replace(WHOLE, **made)) == every[number:]
        made[facet] = True
    assert plan(preparing, dataclasses.replace(WHOLE, **made)) == every[4:]


def test_replaced_workers_have_time_until_another_update_waits():
    draining = dataclasses.replace(WHOLE, draining=True)
    assert plan(environment(phase=Phase.DRAINING), draining) == ()
    assert plan(environment(phase=Phase.DRAINING, is_awaited=True), draining) == (steps.EndDraining(),)
    assert plan(environment(phase=Phase.DRAINING, is_awaited=True), WHOLE) == ()


def test_what_is_in_force_is_repaired_before_an_update_is_prepared():
    preparing = environment(asked=SPEC, generation=2)
    broken = dataclasses.replace(WHOLE, runtime=False, processes_current=False, route=False)
    assert plan(preparing, broken)[:3] == (steps.BuildRuntime(), steps.PublishRoute(), steps.ApplyProcesses())
    assert plan(preparing, broken)[3:] == plan(preparing, WHOLE)


@pytest.mark.parametrize("phase", [Phase.CHANGING, Phase.RETURNING])
def test_both_ways_are_proven_and_wait_for_no_old_copy(phase):
    moving = dataclasses.replace(WHOLE, proven=False)
    apply = dataclasses.replace(moving, processes_current=False)
    assert plan(environment(phase=phase), apply) == (steps.ApplyProcesses(), steps.EndReplaced(), steps.ProveHealth())
    waiting = dataclasses.replace(moving, replaced=True)
    assert plan(environment(phase=phase), waiting) == (steps.EndReplaced(), steps.ProveHealth())
    assert plan(environment(phase=phase), moving) == (steps.ProveHealth(),)
