"""The facet of requirements, runtime and start-up script.

A lock is resolved once: what an environment runs does not drift.
"""

from tradewind.reconcile.plan.steps import BuildRuntime, ResolveRequirements, RunStartupScript, Step
from tradewind.reconcile.world import World


def plan(world: World) -> tuple[Step, ...]:
    """Resolve, then build. A runtime that somebody removed is built again from the saved lock."""
    if not world.lock:
        return (ResolveRequirements(), BuildRuntime(), RunStartupScript())
    build: tuple[Step, ...] = () if world.runtime else (BuildRuntime(),)
    return build if world.startup else (*build, RunStartupScript())
