"""The facet of snapshots: those that an environment is made of, and those that are asked of it."""

from tradewind.domain.environments import Environment, Phase
from tradewind.reconcile.plan.steps import AwaitSnapshot, Step, TakeSnapshot
from tradewind.reconcile.world import World


def plan(wanted: Environment, world: World) -> tuple[Step, ...]:
    """A new environment that is a copy begins when there is something to copy."""
    is_copy = wanted.origin is not None and wanted.proven is None
    return (AwaitSnapshot(),) if is_copy and not (world.lock and world.database) else ()


def plan_snapshot(wanted: Environment, world: World) -> tuple[Step, ...]:
    """What is in force and works can be saved, whatever else is being prepared."""
    is_proven = wanted.phase in {Phase.READY, Phase.DRAINING}
    return (TakeSnapshot(),) if is_proven and world.snapshot_asked else ()
