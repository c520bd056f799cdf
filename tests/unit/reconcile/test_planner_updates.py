"""The planner's updates against a model world: prepared beside what is in force, put in force, proven.

An update that goes to another database holds what may be lost until it works, and keeps the way back until then.
"""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain.samples import NOW, SPEC, environment
from tests.unit.reconcile.modelworld import DISTURBANCES, WHOLE, ModelWorld, converge, disturb
from tradewind.domain.environments import Phase, Settled, Trial, TrialState
from tradewind.reconcile.plan import plan, steps


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
