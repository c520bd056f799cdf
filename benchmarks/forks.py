"""Which forks of a preloaded parent stand for which programs.

Where an environment's components are forks of one parent (the program `preload`), the process that the supervisor
started only waits: it holds a pidfd of the fork that does the work. The kernel tells whose it is in `/proc/PID/fdinfo`,
to root only, since these processes are not dumpable. For an ordinary user the forks' work stays with `preload`.

A fork is known by leading a session of its own without being a child of whoever waits for it. Whose child it is says
nothing more: where the parent has died, its forks live on as init's.
"""

import contextlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tradewind.runtime.processes.launcher import Seen

_PID = re.compile(r"^Pid:\s+(\d+)$", re.MULTILINE)


def named_forks(programs: Mapping[int, str], table: Iterable[Seen]) -> dict[int, str]:
    """Forks by pid, under the names of the programs that wait for them."""
    parents = {seen.pid: seen.parent for seen in table if seen.pid == seen.session and seen.pid not in programs}
    return {held: name for pid, name in programs.items() for held in _held_by(pid) if parents.get(held, pid) != pid}


def pid_of(fdinfo: str) -> int | None:
    """The process that a descriptor stands for; None for any other descriptor, and for one that has gone."""
    match = _PID.search(fdinfo)
    return int(match[1]) or None if match else None


def _held_by(pid: int) -> list[int]:
    texts = []
    try:
        for path in Path(f"/proc/{pid}/fdinfo").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                texts.append(path.read_text())
    except OSError:  # not root, or it has just ended
        return []
    return [held for text in texts if (held := pid_of(text)) is not None]
