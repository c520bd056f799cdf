"""The planner against a model world: environments come to be, are repaired, and are taken away.

Whatever happens, when it stops happening a few passes make the world as wanted, and a complete database of a
wanted environment is never dropped or made anew.
"""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain.samples import SPEC, environment
from tests.unit.reconcile.modelworld import (
    DISTURBANCES,
    EMPTY,
    WHOLE,
    WORLDS,
    ModelWorld,
    consistent,
    converge,
    disturb,
)
from tradewind.domain.environments import Connections, Origin, Phase, Settled, Target
from tradewind.domain.manifests import ObservedManifest, ObservedProcess, ProcessState
from tradewind.reconcile.plan import plan, steps
from tradewind.reconcile.world import World

WANTED = environment()


class Crash(Exception):
    """A step that ended half-way."""


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


@settings(max_examples=100)
@given(DISTURBANCES)
def test_a_copy_is_made_of_a_snapshot(disturbances):
    origin = Origin(1, "snap-0", Connections.MASK)
    model = ModelWorld(EMPTY, environment(phase=Phase.NEW, generation=1, origin=origin))
    disturb(model, disturbances)
    converge(model)
    assert model.world.proven
    assert model.databases_made == 1


def test_a_database_that_was_in_force_is_opened_and_never_made_anew():
    for phase in (Phase.READY, Phase.RETURNING):
        planned = plan(environment(phase=phase, proven=Settled(SPEC, 1)), dataclasses.replace(WHOLE, database=False))
        assert steps.OpenDatabase() in planned
        assert steps.MakeDatabase() not in planned
