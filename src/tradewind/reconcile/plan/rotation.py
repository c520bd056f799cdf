"""The facet of an environment's Fernet key that is being replaced: one step in the store, then processes, in turn.

Nothing is encrypted anew before every process has both keys, and the old one is given up only when every process
has done so. While an update is prepared or put in force it waits.
"""

import dataclasses
from collections.abc import Mapping

from tradewind.domain.environments import Environment
from tradewind.domain.rotations import RotationState
from tradewind.reconcile.plan.steps import EncryptAnew, FinishRotation, Step, WidenFernetKey
from tradewind.reconcile.world import World

_NEXT: Mapping[RotationState, Step] = {
    RotationState.PENDING: WidenFernetKey(),
    RotationState.WIDENED: EncryptAnew(),
    RotationState.NARROWED: FinishRotation(),
}
_PROVING = frozenset({RotationState.WIDENED, RotationState.NARROWED})


def unproven(wanted: Environment, world: World) -> World:
    """What runs proves itself anew where it got other keys."""
    is_changing = wanted.rotating is not None and wanted.rotating.state in _PROVING
    return dataclasses.replace(world, proven=False) if is_changing else world


def plan(wanted: Environment) -> tuple[Step, ...]:
    """The next move: the pass after it begins with the keys that it has left."""
    return () if wanted.rotating is None else (_NEXT[wanted.rotating.state],)
