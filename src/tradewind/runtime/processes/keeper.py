"""supervisord with three additions: `python -I -m tradewind.runtime.processes.keeper` in the owner's folder.

It holds `supervisord.lock` as long as it lives, so that an owner never has two. It sees a child's end at once
(`Wakeup`). And the moment a program has ended, however it ended, it kills what the program left behind in its session,
before a new copy can start: supervisord alone leaves the children of a killed or a badly written program running.
Descendants that left their session become its children (it is their subreaper), so that whoever stops the owner can
find them.
"""

import ctypes
import fcntl
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from supervisor import events
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.options import ServerOptions
from supervisor.supervisord import Supervisor

from tradewind.runtime.processes.launcher import end_family, identify, read_json, write_json

_PR_SET_CHILD_SUBREAPER = 36
_ENDED = (events.ProcessStateExitedEvent, events.ProcessStateStoppedEvent, events.ProcessStateBackoffEvent)


class Wakeup:
    """Wakes supervisord's loop when a signal arrives, in the words of asyncore.

    supervisord learns that a child has ended from the end of its output, and otherwise looks once a second. Our
    programs do not write to it, so one that dies at once would be seen late and taken for one that had started.
    """

    def __init__(self) -> None:
        self._read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        asyncore.socket_map[self._read] = self

    def readable(self) -> bool:
        """Whether to wait for something to read."""
        return True

    def writable(self) -> bool:
        """Whether to wait until it can be written to."""
        return False

    def handle_read_event(self) -> None:
        """Take what signals have left; supervisord asks for them by itself."""
        os.read(self._read, 4096)

    def handle_error(self) -> None:
        """Nothing was to be read after all."""


class KeptSupervisor(Supervisor):  # type: ignore[misc]  # supervisor has no types
    """Ends the family of each program that has ended."""

    def runforever(self) -> None:
        """Subscribe here: `run` has just cleared all subscriptions."""
        Wakeup()
        for kind in _ENDED:
            events.subscribe(kind, end_what_is_left)
        super().runforever()


def end_what_is_left(event: Any) -> None:
    """Kill the session of a program that has just been reaped. Whatever goes wrong, supervisord must live."""
    try:
        record = read_json(f"records/{event.process.config.name}.json")
        if record and record["pid"] == event.process.pid:
            end_family(record)
    except (OSError, KeyError, ValueError) as error:
        sentence = f"cannot look for what {event.process.config.name} left: {error!r}"
        event.process.config.options.logger.warn(sentence)  # noqa: G010  supervisor's own logger


def main() -> None:
    """Detach, take the lock, and supervise until told to end."""
    lock = os.open("supervisord.lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("another supervisord has this folder")
    if os.fork():
        os._exit(0)  # whoever started us does not become our parent: it may end before us, and owes us no wait
    os.setsid()
    os.umask(0o077)
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.environ["TRADEWIND_SUPERVISOR"] = str(os.getpid())
    write_json("supervisord.json", identify(os.getpid()))
    options = ServerOptions()
    options.realize(["-c", str(Path("supervisord.conf").absolute())])
    options.first = True
    options.test = False
    with suppress(asyncore.ExitNow):
        KeptSupervisor(options).main()


if __name__ == "__main__":
    main()
