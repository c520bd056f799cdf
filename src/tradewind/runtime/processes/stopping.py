"""End everything of one owner, in order, and know that it is gone.

Programs first, by the supervisord that runs them, those that start last in front; then supervisord and whatever still
descends from it; then copies that outlived an earlier supervisord. Each has its own time from stop signal to KILL,
shortened to `patience` where the caller has less. What is signalled was written down by us, with its start time.
"""

import time
from collections.abc import Sequence

from tradewind.domain.errors import TradewindError
from tradewind.runtime.processes.folders import Copy, Folder, has_family, lives
from tradewind.runtime.processes.launcher import end_family
from tradewind.runtime.processes.orders import AT_REST, LIVING
from tradewind.runtime.processes.rpc import NoAnswer, Seen, Supervisor
from tradewind.runtime.processes.supervisors import Keeper, end_exactly

_PRIORITY = 500
_SECONDS = 10
_GRACE = 15  # supervisord looks once a second


def stop_everything(folder: Folder, keeper: Keeper, patience: float | None) -> None:
    """Return when nothing is left. Raises TradewindError when something cannot be ended."""
    supervisor = keeper.reach(10)
    try:
        if supervisor:
            _stop_programs(folder, supervisor, patience)
    except NoAnswer:
        supervisor = None
    descendants = keeper.descendants()
    keeper.shut_down(supervisor)
    if supervisor:
        supervisor.close()
        if left := end_exactly(descendants, _SECONDS):
            pids = ", ".join(str(seen.pid) for seen in left)
            raise TradewindError(f"cannot end what the supervisor's programs left: {pids} do not go", "CANNOT_STOP")
    _end_copies(folder, patience)


def _stop_programs(folder: Folder, supervisor: Supervisor, patience: float | None) -> None:
    tiers: dict[int, list[tuple[str, float]]] = {}
    for name in supervisor.programs():
        program = folder.program(name)
        priority = program.process.priority if program else _PRIORITY
        tiers.setdefault(priority, []).append(
            (name, _limited(program.process.stop_seconds if program else _SECONDS, patience))
        )
    copies = {copy.program: copy for copy in folder.copies()}
    for _, tier in sorted(tiers.items(), reverse=True):
        _stop_tier(folder, supervisor, dict(tier), copies)


def _stop_tier(folder: Folder, supervisor: Supervisor, tier: dict[str, float], copies: dict[str, Copy]) -> None:
    began = time.monotonic()
    while True:
        unfinished = [
            seen for name, seen in supervisor.programs().items() if name in tier and seen.state not in AT_REST
        ]
        if not unfinished:
            return
        waited = time.monotonic() - began
        for seen in unfinished:
            copy = copies.get(seen.program)
            if seen.state in LIVING:
                if copy and copy.pid == seen.pid:
                    folder.note_told(copy)
                supervisor.stop(seen.program)
            elif waited >= tier[seen.program]:
                supervisor.kill(seen.program)
        if waited >= max(tier.values()) + _GRACE:
            raise _cannot_end(unfinished)
        time.sleep(0.02 if waited < 1 else 0.2)


def _end_copies(folder: Folder, patience: float | None) -> None:
    """Copies whose supervisord has gone: those that drain are told now, the others were told by its death."""
    began = time.monotonic()
    while copies := [copy for copy in folder.copies() if has_family(copy)]:
        for copy in copies:
            since = folder.tell(copy) if copy.identity["drains"] and lives(copy) else began
            patient_until = min(
                since + copy.identity["stop_seconds"], began + _limited(copy.identity["stop_seconds"], patience)
            )
            if (not lives(copy) or time.monotonic() >= patient_until) and not end_family(dict(copy.identity)):
                raise TradewindError(f"cannot end {copy.name}: pid {copy.pid} does not go", "CANNOT_STOP")
        time.sleep(0.05)


def _limited(seconds: float, patience: float | None) -> float:
    return seconds if patience is None else min(seconds, patience)


def _cannot_end(unfinished: Sequence[Seen]) -> TradewindError:
    names = ", ".join(f"{seen.program} (pid {seen.pid})" for seen in unfinished)
    return TradewindError(f"cannot end {names}", "CANNOT_STOP")
