"""The facet of processes: apply what is wanted, then prove that it works, once for each generation."""

from tradewind.reconcile.plan.steps import ApplyProcesses, ProveHealth, Step
from tradewind.reconcile.world import World


def plan(world: World) -> tuple[Step, ...]:
    """Processes that gave up are applied again: that starts them."""
    apply: tuple[Step, ...] = () if world.processes_current else (ApplyProcesses(),)
    return apply if world.proven else (*apply, ProveHealth())
