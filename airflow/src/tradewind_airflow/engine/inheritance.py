"""What a task's process must not have from the slot that it is a fork of.

- Connections and pipes: the slot's own to the broker, to Celery's main process, to whoever started it. They stay open
  in the slot; in the task's process each is replaced by `/dev/null` under the same number, since objects that would
  close the number one day are still there.
- Signal handlers: Celery's. What remains is the system's default (Python's own for SIGINT is set by Airflow, too).
- Random states (`generators`).
- Garbage: what is inherited is not this process's to collect, and looking at it would copy its pages.
- An orphan's life: the process is killed when the thread that forked it ends.
"""

import contextlib
import ctypes
import gc
import os
import signal
import stat
import sys
from dataclasses import dataclass

from tradewind_airflow.engine import generators

_PR_SET_PDEATHSIG = 1
_OWN_STREAMS = 3


@dataclass(frozen=True)
class Inheritance:
    """Taken in the slot before it forks: who it is, and what it has open."""

    slot: int
    channels: frozenset[tuple[int, int]]  # descriptor and inode of each socket and pipe

    @classmethod
    def taken(cls) -> "Inheritance":
        """Of this process, now."""
        return cls(os.getpid(), frozenset(_channels()))

    def refuse(self) -> None:
        """In the fork: be a process of its own."""
        die_with(self.slot)
        _close(self.channels)
        _default_signals()
        generators.draw_anew()
        gc.freeze()


def die_with(parent: int) -> None:
    """SIGKILL for this process when the thread that forked it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(128 + signal.SIGKILL)


def _channels() -> list[tuple[int, int]]:
    found = []
    for name in os.listdir("/proc/self/fd") if sys.platform == "linux" else ():  # noqa: PTH208  (on the hot path)
        with contextlib.suppress(OSError):  # the one that lists is gone
            seen = os.fstat(int(name))
            if int(name) >= _OWN_STREAMS and (stat.S_ISSOCK(seen.st_mode) or stat.S_ISFIFO(seen.st_mode)):
                found.append((int(name), seen.st_ino))
    return found


def _close(channels: frozenset[tuple[int, int]]) -> None:
    if not channels:
        return
    mine = [descriptor for descriptor, inode in _channels() if (descriptor, inode) in channels]
    if not mine:
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in mine:
        os.dup2(nothing, descriptor, inheritable=False)
    os.close(nothing)


def _default_signals() -> None:
    for number in signal.valid_signals() - {signal.SIGINT, signal.SIGKILL, signal.SIGSTOP}:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
