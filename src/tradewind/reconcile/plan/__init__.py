"""The planner: pure. From what is wanted and what was seen to the steps that are missing, in order.

One file a facet; each gives the steps that its facet lacks. The order here is the order of performing:
a step may count on those before it. An empty plan means that the world is as wanted.
"""

from tradewind.domain.environments import Environment, Phase, Target
from tradewind.reconcile.plan import (
    bundle,
    database,
    folder,
    origin,
    preload,
    processes,
    removal,
    rotation,
    route,
    update,
    virtualenv,
)
from tradewind.reconcile.plan.steps import Step
from tradewind.reconcile.world import World

__all__ = ["Step", "plan"]


def plan(wanted: Environment, world: World) -> tuple[Step, ...]:
    """What to do now. A refused environment keeps nothing but its logs until somebody deletes it."""
    match wanted.target, wanted.phase:
        case Target.ABSENT, Phase.GONE:
            return ()
        case Target.ABSENT, _:
            return removal.plan(world)
        case Target.PRESENT, Phase.REFUSED:
            return removal.plan_taking_back(world)
        case _:
            return (
                *origin.plan(wanted, world),
                *folder.plan(world),
                *virtualenv.plan(world),
                *preload.plan(world),
                *bundle.plan(world),
                *database.plan(wanted, world),
                *route.plan(world),
                *processes.plan(rotation.unproven(wanted, world)),
                *database.plan_after(wanted, world),
                *origin.plan_snapshot(wanted, world),
                *update.plan_draining(wanted, world),
                *(() if wanted.coming is wanted else update.plan(wanted, world)),
                *rotation.plan(wanted),
            )
