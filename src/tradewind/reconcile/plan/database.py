"""The facet of the metadata database. A complete database is never made anew: its content is the user's history."""

from tradewind.domain.environments import Environment, Phase
from tradewind.reconcile.plan.steps import (
    ClearTheWay,
    MakeDatabase,
    MakeTemplate,
    MoveDatabase,
    OpenDatabase,
    Release,
    RemoveOtherDatabases,
    RestoreDatabase,
    Step,
)
from tradewind.reconcile.world import World

_PROVEN = frozenset({Phase.READY, Phase.DRAINING})


def plan(wanted: Environment, world: World) -> tuple[Step, ...]:
    """Template first, then the clone; or what a snapshot holds; or, for an update, what was in force before.

    Where that is another database than before, everything is stopped first, once: the hold is the note of it.
    """
    if wanted.is_on_hold:
        stop: tuple[Step, ...] = () if world.held else (ClearTheWay(),)
        return stop if world.database else (*stop, MoveDatabase())
    if world.database:
        return ()
    if wanted.proven is not None:
        return (OpenDatabase(),)  # one that was in force is never made anew
    if wanted.origin is not None:
        return (RestoreDatabase(),)
    return (MakeDatabase(),) if world.template else (MakeTemplate(), MakeDatabase())


def plan_after(wanted: Environment, world: World) -> tuple[Step, ...]:
    """Once it is proven: let it schedule, and remove what it replaced unless another update is on its way."""
    is_settled = wanted.phase is Phase.CHANGING and not wanted.is_on_hold
    release: tuple[Step, ...] = (Release(),) if world.held and (is_settled or wanted.phase in _PROVEN) else ()
    if wanted.phase not in _PROVEN:
        return release
    is_over = wanted.coming is wanted and world.other_databases
    return (*release, RemoveOtherDatabases()) if is_over else release
