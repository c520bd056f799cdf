"""The facet of preloading: while a new environment's database is made, the parent of its processes may import already.

It needs no database and holds no secret. Where anything runs already, it runs too, or is applied with the others.
"""

from tradewind.reconcile.plan.steps import StartPreloading, Step
from tradewind.reconcile.world import World


def plan(world: World) -> tuple[Step, ...]:
    """Once, at the beginning."""
    return () if world.database or world.processes_left else (StartPreloading(),)
