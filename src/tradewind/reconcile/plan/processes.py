"""The facet of processes: apply what is wanted, then prove that it works, once for each change."""

from tradewind.reconcile.plan.steps import ApplyProcesses, EndReplaced, ProveHealth, Step
from tradewind.reconcile.world import World


def plan(world: World) -> tuple[Step, ...]:
    """Processes that gave up are applied again: that starts them.

    Where health is still to be proven, old copies are not waited for longer than they were given: they might finish
    their work for hours.
    """
    apply: tuple[Step, ...] = () if world.processes_current else (ApplyProcesses(),)
    if world.proven:
        return apply
    end = (EndReplaced(),) if world.database and (apply or world.replaced) else ()
    return (*apply, *end, ProveHealth())
