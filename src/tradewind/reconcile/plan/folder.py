"""The facet of folders, fixed files and the unix user."""

from tradewind.reconcile.plan.steps import MakeFolder, Step
from tradewind.reconcile.world import World


def plan(world: World) -> tuple[Step, ...]:
    """Once; the marks of completion are in the world."""
    return () if world.folder else (MakeFolder(),)
