"""What processes cost: memory by PSS, time by the kernel's counters.

PSS (`/proc/PID/smaps_rollup`) shares out a page among those who map it, so a sum counts nothing twice. Reading it of
another's process, or of one that is not dumpable, which all of Tradewind's are, needs root.

CPU time is user and system time of a process and of its children that it has waited for (`/proc/PID/stat`), so that
what a DAG processor's short-lived parsers used is in it. Counters of a process that ended are in its parent's.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tradewind.runtime.processes.launcher import Seen

_PSS = re.compile(rb"^Pss:\s+(\d+) kB$", re.MULTILINE)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Spent:
    """CPU seconds by process. A pid with its start time is one process for ever."""

    seconds: Mapping[tuple[int, int], float]


def pss_of(rollup: bytes) -> int:
    """Bytes, from the text of smaps_rollup. Raises ValueError when it does not say."""
    match = _PSS.search(rollup)
    if match is None:
        raise ValueError("smaps_rollup has no line of Pss")
    return int(match[1]) * 1024


def seconds_of(stat: bytes, ticks: int = _TICKS) -> float:
    """CPU seconds of a process and its awaited children, from the text of /proc/PID/stat."""
    fields = stat.rpartition(b")")[2].split()
    return sum(int(value) for value in fields[11:15]) / ticks


def own_and_awaited(stat: bytes, ticks: int = _TICKS) -> tuple[float, float]:
    """The same in two: of the process itself, and of the children that it has waited for."""
    fields = [int(value) / ticks for value in stat.rpartition(b")")[2].split()[11:15]]
    return fields[0] + fields[1], fields[2] + fields[3]


def busy_of(machine: bytes, ticks: int = _TICKS) -> float:
    """CPU seconds that the whole machine was busy since its start, from the text of /proc/stat."""
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts = map(int, machine.split()[1:8])
    return (user + nice + system + interrupts + soft_interrupts) / ticks


def memory(processes: Iterable[Seen]) -> float | None:
    """PSS of all in megabytes (10^6). None when one of them may not be read; those that have gone count nothing."""
    total = 0
    for process in processes:
        try:
            text = Path(f"/proc/{process.pid}/smaps_rollup").read_bytes()
        except PermissionError:
            return None
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += pss_of(text) if text else 0
    return total / 1e6


def spent(processes: Iterable[Seen]) -> Spent:
    """The counters now."""
    found = {}
    for process in processes:
        try:
            found[process.pid, process.started] = seconds_of(Path(f"/proc/{process.pid}/stat").read_bytes())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return Spent(found)


def between(before: Spent, after: Spent) -> float:
    """CPU seconds of a family whose root lives: a member that ended is in its parent's counter."""
    return sum(after.seconds.values()) - sum(before.seconds.values())


def between_of_survivors(before: Spent, after: Spent) -> float:
    """CPU seconds of processes without a common parent among them; those that ended in between are not seen."""
    return sum(value - before.seconds.get(key, 0.0) for key, value in after.seconds.items())
