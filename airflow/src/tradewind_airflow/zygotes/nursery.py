"""One process a worker that zygotes are forked from, and that brings slots and zygotes together.

It is a fork of the worker before that has taken any message: it has the imports, and has never held a task's token or
a connection to the broker. All slots write to one socket that they inherit; each request names a file, what the slot's
environment has that ours has not, and brings one end of a connection. That end is answered at once ("later",
"refused"), or handed to the file's zygote, which answers it when it has parsed the file.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

from tradewind_airflow.engine.inheritance import Inheritance, die_with
from tradewind_airflow.zygotes import memory, zygote
from tradewind_airflow.zygotes.parsed import File
from tradewind_airflow.zygotes.roster import PARSE_SECONDS_MOST, Answer, Roster
from tradewind_airflow.zygotes.zygote import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REQUEST_MOST = 1 << 17
_LOOK_SECONDS = 5.0


class Nursery:
    """The slots' side. `ask` never waits."""

    def __init__(self, asking: socket.socket, environment: Mapping[str, str]) -> None:
        self._asking = asking
        self._environment = environment

    @classmethod
    def opened(cls, begin: Callable[[], None], ceiling: int) -> Nursery:
        """Fork it, in the worker's main process. `begin`: what a task's process does; `ceiling`: a zygote's bytes."""
        asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        inheritance = Inheritance.taken()
        inheritance = Inheritance(
            inheritance.slot, frozenset(each for each in inheritance.channels if each[0] != asked.fileno())
        )
        environment = dict(os.environ)
        if os.fork() == 0:
            try:
                inheritance.refuse()
                Keeping(asked, begin, ceiling).serve()
            finally:
                os._exit(1)
        asked.close()
        return cls(asking, environment)

    def ask(self, file: File, *, at_once: bool = False) -> socket.socket | None:
        """Connection on which that file's zygote will answer, or the nursery. None where there is none any more."""
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError:  # no descriptor is left
            return None
        request = json.dumps([file, self._differences(), at_once]).encode()
        try:
            socket.send_fds(self._asking, [request], [theirs.fileno()], socket.MSG_DONTWAIT)
        except OSError:  # it is gone, too busy, or the differences are too large for one message
            ours.close()
            return None
        finally:
            theirs.close()
        return ours

    def _differences(self) -> dict[str, str | None]:
        """From the worker's environment to this slot's; None: it has no such variable."""
        mine, first = dict(os.environ), self._environment
        if mine == first:
            return {}
        return {name: mine.get(name) for name in sorted({*mine, *first}) if mine.get(name) != first.get(name)}


class Keeping:
    """The process: its loop. A zygote leaves it by never coming back."""

    def __init__(self, asked: socket.socket, begin: Callable[[], None], ceiling: int) -> None:
        self._asked, self._begin, self._ceiling = asked, begin, ceiling
        self._roster: Roster[socket.socket, socket.socket] = Roster(time.monotonic, memory.to_spare)
        self._selector = selectors.DefaultSelector()
        self._selector.register(asked, selectors.EVENT_READ, self._requested)

    def serve(self) -> NoReturn:
        """For as long as the worker lives."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for a zygote's status
        _title()
        while True:
            for key, _ in self._selector.select(_LOOK_SECONDS):
                if self._selector.get_map().get(key.fd) is key:  # and not another, that got its number meanwhile
                    self._handle(key)
            for overdue in self._roster.overdue():
                self._end(overdue, f"it is not parsed after {PARSE_SECONDS_MOST:.0f} s")

    @staticmethod
    def _handle(key: selectors.SelectorKey) -> None:
        try:
            key.data()
        except Exception:  # noqa: BLE001  (whatever is wrong with one message, the other zygotes' tasks go on)
            traceback.print_exc()
            sys.stderr.flush()

    def _requested(self) -> None:
        try:
            request, descriptors, *_ = socket.recv_fds(self._asked, _REQUEST_MOST, 1)
        except OSError:  # no descriptor is left: the slot reads the end
            return
        if not descriptors:
            return
        connection = socket.socket(fileno=descriptors[0])
        connection.set_inheritable(False)  # what is received is inheritable
        file, differences, at_once = json.loads(request)
        key = (File(*file), tuple(differences.items()))
        match self._roster.ask(key, at_once=at_once):
            case Answer.LATER:
                self._answer(connection, later=True)
            case Answer.REFUSED:
                self._answer(connection, refused=self._roster.reason(key))
            case Answer.WAIT:
                self._roster.entries[key].waiting.append(connection)
            case Answer.JOIN:
                self._hand_over(key, connection)
            case Answer.MAKE:
                if (victim := self._roster.to_end()) is not None:
                    self._let_go(victim)
                self._make(key, connection)

    @staticmethod
    def _answer(connection: socket.socket, **message: Any) -> None:
        say(connection, **message)
        connection.close()

    def _make(self, key: tuple[File, tuple[tuple[str, str | None], ...]], connection: socket.socket) -> None:
        nursery = os.getpid()
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            pid = os.fork()
        except OSError:  # no room for another process, or for its descriptors
            self._answer(connection, later=True)
            return
        if pid == 0:
            try:
                die_with(nursery)
                ours.close()
                connection.close()
                self._forget()
                _become_zygote(key[1])
                zygote.serve(theirs, key[0], self._begin, self._ceiling)
            finally:
                os._exit(1)
        theirs.close()
        self._roster.made(key, ours, connection)
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._told(key, ours))

    def _forget(self) -> None:
        """In a zygote: nothing of the others."""
        self._selector.close()
        self._asked.close()
        for entry in self._roster.entries.values():
            entry.control.close()
            for waiting in entry.waiting:
                waiting.close()

    def _told(self, key: Any, control: socket.socket) -> None:
        """By a zygote: it has parsed its file, it must not be inherited, or it has ended."""
        try:
            message = control.recv(zygote.MESSAGE_MOST)
        except OSError:
            message = b""
        entry = self._roster.entries.get(key)
        if entry is None or entry.control is not control:
            return
        if message == zygote.USED:
            self._roster.used(key)
        elif message and "parsed" in json.loads(message):
            for connection in self._roster.parsed(key):
                self._hand_over(key, connection)
        elif entry.is_ready:  # nobody needed it, it was old, or it was killed
            self._let_go(key)
        else:
            self._end(key, json.loads(message)["refused"] if message else "its zygote ended")

    def _hand_over(self, key: Any, connection: socket.socket) -> None:
        try:
            socket.send_fds(self._roster.entries[key].control, [b"slot"], [connection.fileno()], socket.MSG_DONTWAIT)
        except OSError:  # it ends just now
            say(connection, later=True)
        connection.close()

    def _end(self, key: Any, reason: str) -> None:
        control = self._roster.entries[key].control
        for connection in self._roster.refuse(key, reason):
            self._answer(connection, refused=reason)
        self._close(control)

    def _let_go(self, key: Any) -> None:
        control = self._roster.entries[key].control
        for connection in self._roster.forget(key):
            self._answer(connection, later=True)
        self._close(control)

    def _close(self, control: socket.socket) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(control)
        control.close()


def _become_zygote(differences: tuple[tuple[str, str | None], ...]) -> None:
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    for name, value in differences:
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _title() -> None:
    with contextlib.suppress(ImportError):
        from setproctitle import setproctitle

        setproctitle("airflow worker -- nursery")
