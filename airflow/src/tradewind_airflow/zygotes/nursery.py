"""One process a worker that zygotes are forked from.

It is a fork of the worker before that has taken any message: it has the imports, and has never held a task's token or
a connection to the broker. All slots write to one socket that they inherit; each message asks for a zygote and brings
the end of the connection that this one will serve.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from typing import TYPE_CHECKING, NoReturn

from tradewind_airflow.engine.inheritance import Inheritance, die_with
from tradewind_airflow.zygotes import zygote
from tradewind_airflow.zygotes.parsed import File

if TYPE_CHECKING:
    from collections.abc import Callable

_REQUEST_MOST = 1 << 17


class Nursery:
    """The slots' side. `ask` never waits."""

    def __init__(self, asking: socket.socket) -> None:
        self._asking = asking

    @classmethod
    def opened(cls, begin: Callable[[], None]) -> Nursery:
        """Fork it, in the worker's main process. `begin`: what a task's process does."""
        asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        inheritance = Inheritance.taken()
        inheritance = Inheritance(
            inheritance.slot, frozenset(each for each in inheritance.channels if each[0] != asked.fileno())
        )
        if os.fork() == 0:
            try:
                inheritance.refuse()
                _serve(asked, begin)
            finally:
                os._exit(1)
        asked.close()
        return cls(asking)

    def ask(self, file: File) -> socket.socket | None:
        """Connection to a zygote that begins to parse that file. None where there is no nursery any more."""
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError:  # no descriptor is left
            return None
        request = json.dumps({"file": file, "environment": dict(os.environ)}).encode()
        try:
            socket.send_fds(self._asking, [request], [theirs.fileno()], socket.MSG_DONTWAIT)
        except OSError:  # it is gone, too busy, or the environment is too large for one message
            ours.close()
            return None
        finally:
            theirs.close()
        return ours


def _serve(asked: socket.socket, begin: Callable[[], None]) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the worker
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for a zygote's status
    _title()
    nursery = os.getpid()
    while True:
        descriptors: list[int] = []
        # no room for another process or descriptor: the slot reads the end, and the other zygotes live on
        with contextlib.suppress(OSError):
            request, descriptors, *_ = socket.recv_fds(asked, _REQUEST_MOST, 1)
            if os.fork() == 0:
                try:
                    _become_zygote(nursery, asked, request, descriptors, begin)
                finally:
                    os._exit(1)
        for descriptor in descriptors:
            os.close(descriptor)


def _become_zygote(
    nursery: int, asked: socket.socket, request: bytes, descriptors: list[int], begin: Callable[[], None]
) -> None:
    die_with(nursery)
    asked.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    wanted = json.loads(request)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    zygote.serve(socket.socket(fileno=descriptors[0]), File(*wanted["file"]), begin)


def _title() -> None:
    with contextlib.suppress(ImportError):
        from setproctitle import setproctitle

        setproctitle("airflow worker -- nursery")
