"""The facet of an update that is being prepared: what can be made ready while the old settings are in force."""

from tradewind.domain.environments import Environment
from tradewind.reconcile.plan.steps import (
    CutOver,
    EndDraining,
    PrepareRequirements,
    PrepareRuntime,
    PrepareStartup,
    ProveDatabase,
    RehearseUpdate,
    ReportTrial,
    SaveSnapshot,
    Step,
)
from tradewind.reconcile.world import World


def plan_draining(wanted: Environment, world: World) -> tuple[Step, ...]:
    """Replaced workers have all the time they need, until another update waits for them."""
    return (EndDraining(),) if wanted.is_awaited and world.draining else ()


def plan(wanted: Environment, world: World) -> tuple[Step, ...]:
    """Resolve, build, rehearse, then put it in force: the next pass does that, with the new settings as the wanted.

    A dry run ends with a report instead.
    """
    facets: list[tuple[bool, Step]] = [
        (world.coming_lock, PrepareRequirements()),
        (world.coming_runtime, PrepareRuntime()),
        (world.coming_startup, PrepareStartup()),
    ]
    if world.moves and wanted.asked is not None:
        facets.append((world.coming_saved, SaveSnapshot()))
    if world.moves:
        facets.append((world.coming_database, ProveDatabase()))
    facets.append((world.coming_rehearsed, RehearseUpdate()))
    made = [is_made for is_made, _ in facets]
    first = made.index(False) if False in made else len(made)
    return (*(step for _, step in facets[first:]), CutOver() if wanted.asked is not None else ReportTrial())
