"""A child and all that descends from it is one session. When the child has ended, the rest of its session is killed.

supervisord's side does the same for the sessions of its programs (`runtime/processes/launcher.py`); a preloaded child
leads a session of its own that it does not know. A process is told by pid and start time, never by pid alone.
"""

import os
import signal
import time
from typing import NamedTuple

_ROUNDS = 40


class Seen(NamedTuple):
    """A living process: `started` is in clock ticks since boot."""

    pid: int
    session: int
    started: int


def look(pid: int) -> Seen | None:
    """Find a living process; one that is dead but not reaped is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if not fields or fields[0] in (b"Z", b"X"):
        return None
    return Seen(pid, int(fields[3]), int(fields[19]))


def end_session(leader: int, started: int) -> bool:
    """Kill whoever lives in the session of this leader, which started then. True when nobody is left.

    A pid is not given out again while it names a session: when another process has it, the session ended long ago.
    """
    for _ in range(_ROUNDS):
        again = look(leader)
        if again is not None and again.started != started:
            return True
        members = [seen for seen in _everyone() if seen.session == leader and seen.started >= started]
        if not members:
            return True
        for seen in members:
            _kill(seen)
        time.sleep(0.025)
    return False


def _everyone() -> list[Seen]:
    return [seen for name in os.listdir("/proc") if name.isdigit() and (seen := look(int(name)))]  # noqa: PTH208


def _kill(seen: Seen) -> None:
    try:
        handle = os.pidfd_open(seen.pid)
    except OSError:
        return
    try:
        now = look(seen.pid)  # the handle holds whoever has the pid now
        if now is not None and now.started == seen.started:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except OSError:
        pass
    finally:
        os.close(handle)
