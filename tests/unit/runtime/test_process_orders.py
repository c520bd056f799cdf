"""Orders over what supervisord says; and a model of supervisord that they bring to rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.manifests import ProcessState
from tradewind.runtime.processes.orders import AT_REST, LIVING, Add, Forget, Order, Start, Stop, orders

S = ProcessState


@pytest.mark.parametrize(
    ("state", "order"),
    [
        (S.STARTING, None),
        (S.RUNNING, None),
        (S.BACKOFF, None),
        (S.STOPPING, None),
        (S.STOPPED, Start("a@1")),
        (S.EXITED, Start("a@1")),
        (S.FATAL, Start("a@1")),
        (S.UNKNOWN, Start("a@1")),
    ],
)
def test_what_is_wanted_is_started_unless_it_is_up(state, order):
    assert orders(["a@1"], {"a@1": state}) == ((order,) if order else ())


@pytest.mark.parametrize(
    ("state", "order"),
    [
        (S.STARTING, Stop("a@1")),
        (S.RUNNING, Stop("a@1")),
        (S.BACKOFF, Stop("a@1")),
        (S.STOPPING, None),
        (S.STOPPED, Forget("a@1")),
        (S.EXITED, Forget("a@1")),
        (S.FATAL, Forget("a@1")),
        (S.UNKNOWN, Forget("a@1")),
    ],
)
def test_what_is_not_wanted_is_stopped_and_then_forgotten(state, order):
    assert orders([], {"a@1": state}) == ((order,) if order else ())


def test_old_lives_are_stopped_before_new_ones_are_added_in_their_order():
    assert orders(["b@4", "a@3"], {"a@1": S.RUNNING, "b@2": S.FATAL}) == (
        Stop("a@1"),
        Forget("b@2"),
        Add("b@4"),
        Add("a@3"),
    )


def carried_out(order: Order, world: dict[str, ProcessState]) -> None:
    match order:
        case Stop(program):
            world[program] = S.STOPPING
        case Forget(program):
            del world[program]
        case Add(program) | Start(program):
            world[program] = S.RUNNING


@given(st.sets(st.sampled_from("abcdef")), st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(list(S))))
def test_a_world_comes_to_rest_as_wanted_and_what_ran_well_is_never_touched(wanted, world):
    fine = {program for program, state in world.items() if program in wanted and state in LIVING}
    for _ in range(4):
        for order in orders(sorted(wanted), dict(world)):
            assert order.program not in fine
            carried_out(order, world)
        world = {program: S.STOPPED if state is S.STOPPING else state for program, state in world.items()}
    assert set(world) == wanted
    assert not set(world.values()) & AT_REST
