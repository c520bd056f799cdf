"""Which orders make supervisord's programs the wanted ones. Pure: a table over what supervisord says.

Programs that are stopping get no order: supervisord sees them through, and the next pass forgets them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tradewind.domain.manifests import ProcessState


@dataclass(frozen=True)
class Stop:
    """Send the stop signal, and KILL when its time is over. Not waited for."""

    program: str


@dataclass(frozen=True)
class Forget:
    """Take a program that does not run out of supervisord's list."""

    program: str


@dataclass(frozen=True)
class Add:
    """Make supervisord know a program of its configuration, and start it."""

    program: str


@dataclass(frozen=True)
class Start:
    """Start a known program that does not run."""

    program: str


Order = Stop | Forget | Add | Start

LIVING = frozenset({ProcessState.STARTING, ProcessState.RUNNING, ProcessState.BACKOFF})
AT_REST = frozenset({ProcessState.STOPPED, ProcessState.EXITED, ProcessState.FATAL, ProcessState.UNKNOWN})


def orders(wanted: Sequence[str], known: Mapping[str, ProcessState]) -> tuple[Order, ...]:
    """Stops first, since a new copy waits for its old one; then what is wanted, in the order given."""
    stops: list[Order] = []
    starts: list[Order] = []
    for program, state in known.items():
        if program not in wanted and state in LIVING:
            stops.append(Stop(program))
        elif program not in wanted and state in AT_REST:
            stops.append(Forget(program))
    for program in wanted:
        if program not in known:
            starts.append(Add(program))
        elif known[program] in AT_REST:
            starts.append(Start(program))
    return (*stops, *starts)
