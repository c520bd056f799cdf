"""The program `preload`: imports Airflow once, then forks a child for each component that asks.

It holds no secret: its environment has none, and requests are read by the child. It makes no engine, opens no
connection and starts no thread; where an import did start one, everything is refused and components start cold. It
imports Airflow's modules only (`modules`), none of the user's: what those do at import is for the components.

It listens on a socket that its launcher made (`TRADEWIND_LISTEN`), in a folder where the environment's user cannot put
another. When a child ends it kills what is left of the child's session and tells the component the status; when a
component ends first, the child's session is killed.
"""

import contextlib
import gc
import os
import select
import signal
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Any

from tradewind_airflow.closed import close_process
from tradewind_airflow.engine import generators
from tradewind_airflow.preload import child, pages, sessions, wire
from tradewind_airflow.preload.modules import import_for
from tradewind_airflow.preload.reads import Reads

LISTEN = "TRADEWIND_LISTEN_FD"
DIGEST = "TRADEWIND_PRELOAD_DIGEST"
_MOST_CHILDREN = 64
_NOT_READY = 70


@dataclass(frozen=True)
class Charge:
    """A child that lives, and the component that it lives for."""

    pid: int
    started: int
    connection: socket.socket


@dataclass(frozen=True)
class Forked:
    """In the child: what it is to be, and whom it tells its end."""

    part: child.Part
    connection: socket.socket


def main() -> Forked | int:
    """Serve until told to end. Returns in each child, too."""
    close_process()
    _ready_titles()
    number = os.environ.pop(LISTEN, "")
    digest = os.environ.pop(DIGEST, "")
    os.environ.pop("TRADEWIND_LISTEN", None)
    if not number.isdigit():
        sys.stderr.write(f"cannot preload: {LISTEN} does not name a socket\n")
        return 2
    listener = socket.socket(fileno=int(number))
    os.set_inheritable(listener.fileno(), False)
    listener.setblocking(False)
    reads = _import()
    return Parent(listener, reads, digest).serve()


def _ready_titles() -> None:
    """Airflow and Celery name their processes. The place for it is found once, and only while `environ` lies there."""
    with contextlib.suppress(ImportError):
        import setproctitle

        setproctitle.setproctitle(setproctitle.getproctitle())


def _import() -> Reads:
    gc.disable()  # costs a sixth of the time, and leaves holes in pages: what children put there would unshare them
    os.environ["_AIRFLOW__AS_LIBRARY"] = "1"  # neither settings nor ORM: those are the component's
    with Reads() as reads, generators.remembering():
        missing = import_for("preload")
        try:
            sys.modules["sqlalchemy.orm"].configure_mappers()
        except Exception as error:  # noqa: BLE001  (then each component does, or says why it cannot)
            missing.append(f"the models' mappers: {error!r}")
    for line in missing:
        sys.stderr.write(f"cannot preload {line}\n")
    gc.freeze()  # rubbish and all
    large = pages.enlarge() >> 20
    sys.stderr.write(
        f"{len(sys.modules)} modules are ready, {len(reads.answers)} variables were read, {large} MiB are large pages\n"
    )
    return reads


class Parent:
    """The loop. A child leaves it by `serve` returning."""

    def __init__(self, listener: socket.socket, reads: Reads, digest: str) -> None:
        self._listener = listener
        self._reads = reads
        self._digest = digest
        self._charges: dict[int, Charge] = {}

    def serve(self) -> Forked | int:
        """Wait for requests, for ends of children and of components."""
        woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        while True:
            poll = select.poll()
            poll.register(woken, select.POLLIN)
            poll.register(self._listener, select.POLLIN)
            for charge in self._charges.values():
                poll.register(charge.connection, 0)  # only whether the other end has gone
            ready = {number for number, _ in poll.poll()}
            if woken in ready:
                os.read(woken, 4096)
            for charge in [c for c in self._charges.values() if c.connection.fileno() in ready]:
                self._end(charge)
            self._reap()
            if self._listener.fileno() in ready:
                connection = self._accept()
                if connection is not None and self._fork(connection):
                    os.close(woken)
                    os.close(wake)
                    part = child.become(connection, self._reads, self._digest)
                    return Forked(part, connection) if part else _NOT_READY

    def _accept(self) -> socket.socket | None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return None
        _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        alone = len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208
        if user not in {os.geteuid(), 0} or len(self._charges) >= _MOST_CHILDREN or not alone:
            with contextlib.suppress(OSError):
                wire.send(connection, {"refused": "the preloaded parent cannot fork", "again": False})
            connection.close()
            return None
        return connection

    def _fork(self, connection: socket.socket) -> bool:
        """Whether this is the child."""
        try:
            pid = os.fork()
        except OSError as error:
            with contextlib.suppress(OSError):
                wire.send(connection, {"refused": f"cannot fork: {error.strerror}", "again": False})
            connection.close()
            return False
        if pid:
            seen = sessions.look(pid)
            self._charges[pid] = Charge(pid, seen.started if seen else -1, connection)
            return False
        signal.set_wakeup_fd(-1)
        self._listener.close()  # whoever held it could answer in the parent's place
        for charge in self._charges.values():
            charge.connection.close()
        self._charges.clear()
        return True

    def _end(self, charge: Charge) -> None:
        """Its component has gone."""
        with contextlib.suppress(OSError):
            os.kill(charge.pid, signal.SIGKILL)  # ours and not waited for: no other can have its pid

    def _reap(self) -> None:
        while self._charges:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            charge = self._charges.pop(pid, None)
            if charge is None:
                continue
            sessions.end_session(pid, charge.started)
            with contextlib.suppress(OSError):
                wire.send(charge.connection, _in_words(status))
            charge.connection.close()


def _in_words(status: int) -> dict[str, Any]:
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status)}
    return {"status": os.waitstatus_to_exitcode(status)}
