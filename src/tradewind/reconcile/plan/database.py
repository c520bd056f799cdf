"""The facet of the metadata database. A complete database is never made anew: its content is the user's history."""

from tradewind.reconcile.plan.steps import MakeDatabase, MakeTemplate, Step
from tradewind.reconcile.world import World


def plan(world: World) -> tuple[Step, ...]:
    """Template first, then the clone."""
    if world.database:
        return ()
    return (MakeDatabase(),) if world.template else (MakeTemplate(), MakeDatabase())
