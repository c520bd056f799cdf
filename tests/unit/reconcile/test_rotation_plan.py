"""The plan of a Fernet key's rotation: both keys are everywhere before anything is encrypted, and one is at the end."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.samples import NOW, SECRETS, environment
from tests.unit.reconcile.modelworld import WHOLE
from tradewind.domain.rotations import Rotation, RotationState, narrowed, widened
from tradewind.reconcile.plan import plan, steps


def labels(state, world=WHOLE, **changes):
    wanted = environment(rotation=Rotation(state, NOW), **changes)
    return [type(step).__name__ for step in plan(wanted, world)]


STALE = dataclasses.replace(WHOLE, processes_current=False)


@pytest.mark.parametrize(
    ("state", "world", "expected"),
    [
        (RotationState.PENDING, WHOLE, ["WidenFernetKey"]),
        (RotationState.WIDENED, STALE, ["ApplyProcesses", "EndReplaced", "ProveHealth", "EncryptAnew"]),
        (RotationState.WIDENED, WHOLE, ["ProveHealth", "EncryptAnew"]),
        (RotationState.NARROWED, STALE, ["ApplyProcesses", "EndReplaced", "ProveHealth", "FinishRotation"]),
        (RotationState.NARROWED, WHOLE, ["ProveHealth", "FinishRotation"]),
        (RotationState.DONE, WHOLE, []),
        (RotationState.FAILED, WHOLE, []),
    ],
)
def test_the_steps_of_each_state(state, world, expected):
    assert labels(state, world) == expected


class Crash(Exception):
    """The control plane died."""


class ModelRotation:
    """A store, processes with the keys that they were started with, and values encrypted with one key each."""

    def __init__(self, values):
        self.stored = SECRETS.fernet_key
        self.state = RotationState.PENDING
        self.running = self.stored
        self.values = [self.stored] * values

    def write(self):
        """Somebody adds a connection: a process encrypts with its first key."""
        self.values.append(narrowed(self.running))

    def one_pass(self, crash_at, write_at):
        wanted = environment(rotation=Rotation(self.state, NOW))
        world = WHOLE if self.running == self.stored else STALE
        for number, step in enumerate(plan(wanted, world)):
            if number == write_at:
                self.write()
            if number == crash_at:
                raise Crash
            self.perform(step, is_half=number + 1 == crash_at)
            assert all(key in self.running.split(",") for key in self.values), "a process cannot read a value"
            assert all(key in self.stored.split(",") for key in self.values), "a value is lost"

    def perform(self, step, *, is_half):
        match step:
            case steps.WidenFernetKey():
                self.stored, self.state = widened(self.stored, "new"), RotationState.WIDENED
            case steps.ApplyProcesses():
                self.running = self.stored
            case steps.EncryptAnew():
                first = narrowed(self.stored)
                half = len(self.values) // 2 if is_half else len(self.values)
                self.values[:half] = [first] * half
                if not is_half:
                    self.stored, self.state = first, RotationState.NARROWED
            case steps.FinishRotation():
                self.state = RotationState.DONE


@given(st.integers(0, 4), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8))
def test_whatever_crashes_no_value_is_lost_and_the_old_key_goes(values, accidents):
    model = ModelRotation(values)
    for crash_at, write_at in accidents:
        try:
            model.one_pass(crash_at, write_at)
        except Crash:
            continue
    for _ in range(4):
        model.one_pass(None, None)
    assert model.state is RotationState.DONE
    assert (model.stored, model.running) == ("new", "new")
    assert set(model.values) <= {"new"}
