"""Taking away: processes first, so that nothing writes where the next steps remove.

Deletion ends with forgetting, and only when everything else is gone: a crash in between is followed by
a pass that sees what is left.
"""

from tradewind.reconcile.plan.steps import (
    DropDatabase,
    Forget,
    RemoveFolder,
    RemoveUser,
    Step,
    StopProcesses,
    WithdrawRoute,
)
from tradewind.reconcile.world import World


def plan(world: World) -> tuple[Step, ...]:
    """For an environment that shall be gone."""
    return (*_stopping(world), RemoveFolder(), *_user(world), Forget())


def plan_taking_back(world: World) -> tuple[Step, ...]:
    """For one that cannot be had: everything but its logs, and nothing once that is done."""
    leftovers = (
        *_stopping(world),
        *((RemoveFolder(keep_logs=True),) if world.folder or world.bundle or world.lock else ()),
    )
    return (*leftovers, *_user(world))


def _stopping(world: World) -> tuple[Step, ...]:
    steps: list[Step] = []
    if world.route:
        steps.append(WithdrawRoute())
    if world.processes_left:
        steps.append(StopProcesses())
    if world.database_left:
        steps.append(DropDatabase())
    return tuple(steps)


def _user(world: World) -> tuple[Step, ...]:
    return (RemoveUser(),) if world.user_left else ()
