"""What supervisord says and what launchers wrote down, put together to what runs. Pure.

One entry a process. Where a new copy waits for its old one the process is STARTING, with the new digest: it converges
by itself. A process that is no longer wanted shows as STOPPING until it has gone.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from tradewind.domain.manifests import ObservedProcess, ProcessState
from tradewind.runtime.processes.folders import Copy
from tradewind.runtime.processes.orders import AT_REST
from tradewind.runtime.processes.programs import Program, process_name
from tradewind.runtime.processes.rpc import Seen

_UP = frozenset({ProcessState.STARTING, ProcessState.RUNNING})
_WITH_STATUS = frozenset({ProcessState.EXITED, ProcessState.STOPPED})  # supervisord drops that of failed starts


def observed(
    wanted: Sequence[Program], known: Mapping[str, Seen], copies: Mapping[str, Copy], living: Iterable[str]
) -> tuple[ObservedProcess, ...]:
    """Put it together. `copies` by program; `living` names the programs whose recorded copy lives."""
    found: dict[str, ObservedProcess] = {}
    for program in wanted:
        if seen := known.get(program.name):
            found[program.process.name] = _wanted(program, seen, copies.get(program.name))
    for name in sorted((set(living) | set(known)) - {program.name for program in wanted}):
        process, seen, copy = process_name(name), known.get(name), copies.get(name)
        if process not in found and not (seen and seen.state in AT_REST):
            pid = seen.pid if seen else copy.pid if copy else None
            digest = str(copy.identity["digest"]) if copy else ""
            found[process] = ObservedProcess(process, ProcessState.STOPPING, pid, digest=digest)
    return tuple(found.values())


def outlived(copies: Iterable[Copy]) -> tuple[ObservedProcess, ...]:
    """What lives while no supervisor answers."""
    return tuple(
        ObservedProcess(copy.name, ProcessState.UNKNOWN, copy.pid, digest=str(copy.identity["digest"]))
        for copy in copies
    )


def _wanted(program: Program, seen: Seen, copy: Copy | None) -> ObservedProcess:
    waits = seen.state in _UP and (copy is None or copy.pid != seen.pid)
    ended = seen.state in _WITH_STATUS and seen.stopped > 0
    return ObservedProcess(
        name=program.process.name,
        state=ProcessState.STARTING if waits else seen.state,
        pid=seen.pid or None,
        started_at=datetime.fromtimestamp(seen.started, UTC) if seen.pid and seen.started else None,
        exit_status=seen.exit_status if ended else None,
        digest=program.process.digest(),
        waits=waits,
    )
