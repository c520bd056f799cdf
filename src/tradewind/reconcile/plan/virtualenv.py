"""The facet of requirements and runtime. A lock is resolved once: what an environment runs does not drift."""

from tradewind.reconcile.plan.steps import BuildRuntime, ResolveRequirements, Step
from tradewind.reconcile.world import World


def plan(world: World) -> tuple[Step, ...]:
    """Resolve, then build. A runtime that somebody removed is built again from the saved lock."""
    if not world.lock:
        return (ResolveRequirements(), BuildRuntime())
    return () if world.runtime else (BuildRuntime(),)
