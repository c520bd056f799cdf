"""The facet of the door: the host is published before processes start, so that visitors get our page meanwhile."""

from tradewind.reconcile.plan.steps import PublishRoute, Step
from tradewind.reconcile.world import World


def plan(world: World) -> tuple[Step, ...]:
    """Level-triggered: a door that lost the route gets it again."""
    return () if world.route else (PublishRoute(),)
