"""Fernet keys while they are replaced: the first encrypts, none that is needed is lost."""

import dataclasses

import pytest

from tests.unit.domain.samples import NOW, SPEC, environment
from tradewind.domain.environments import Phase, Target, Trial, TrialState
from tradewind.domain.rotations import Rotation, RotationState, narrowed, widened


def test_the_new_key_goes_first_and_stays_alone():
    assert widened("old", "new") == "new,old"
    assert narrowed("new,old") == "new"
    assert narrowed("only") == "only"


def test_a_rotation_that_failed_goes_on_with_its_keys():
    """With a third key, what only the second one opens would need all three."""
    assert widened("new,old", "newer") == "new,old"


@pytest.mark.parametrize("state", RotationState)
def test_what_is_over_is_moved_on_no_more(state):
    rotation = Rotation(state, NOW)
    assert rotation.is_over == (state in {RotationState.DONE, RotationState.FAILED})
    assert environment(rotation=rotation).rotating == (None if rotation.is_over else rotation)


@pytest.mark.parametrize(
    "changes",
    [
        {"phase": Phase.CHANGING},
        {"phase": Phase.DRAINING},
        {"phase": Phase.RETURNING},
        {"target": Target.ABSENT},
        {"asked": SPEC, "generation": 2},
        {"trial": Trial(1, SPEC, TrialState.PENDING, NOW)},
    ],
)
def test_a_rotation_waits_for_what_is_under_way(changes):
    waiting = environment(rotation=Rotation(RotationState.WIDENED, NOW))
    assert waiting.rotating is not None
    assert dataclasses.replace(waiting, **changes).rotating is None
