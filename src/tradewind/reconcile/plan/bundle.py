"""The facet of DAG files: here only the first snapshot; later ones are taken by the sync between passes."""

from tradewind.reconcile.plan.steps import Step, TakeBundle
from tradewind.reconcile.world import World


def plan(world: World) -> tuple[Step, ...]:
    """A snapshot must be in force before anything reads DAGs."""
    return () if world.bundle else (TakeBundle(),)
