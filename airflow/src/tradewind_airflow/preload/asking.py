"""What a component does first: ask the preloaded parent for a child, and then be its stand-in.

supervisord's child is this process. It passes signals on to the child, and ends as the child ends: with its status,
or by its signal. When it ends first the child is killed (`child`): it has the only writing end of a pipe, the lifeline,
and never closes it. Nothing heavy may be imported here: it stays for as
long as the component lives (four megabytes each).

The environment, with its secrets, goes over the socket only. The socket lies in a folder where the environment's user,
and so a task, can put nothing: whoever answers is the parent. Where it does not answer, or refuses, the component
starts cold: an environment never fails because of preloading.
"""

import contextlib
import os
import select
import signal
import socket
import sys
import time

from tradewind_airflow.preload import sessions, wire

VARIABLE = "TRADEWIND_PRELOAD"  # <digest>:<path of the socket>
ABSENT_SECONDS = 3.0  # its launcher starts just before ours
OTHER_SECONDS = 20.0  # the old one stops while we start
ANSWER_SECONDS = 90.0  # it answers when all is imported
_STATUS_SECONDS = 10.0
_UNKNOWN = 1
_PASSED_ON = (
    signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
)  # fmt: skip


class NotPreloaded(Exception):
    """There is no child to be had, and why."""


def stand_in(component: str, arguments: list[str]) -> int | None:
    """Have the component run as a child of the preloaded parent, and answer its exit status. None: start cold."""
    given = os.environ.pop(VARIABLE, "")  # tasks need not see it
    if not given or not hasattr(os, "pidfd_open"):
        return None
    digest, _, path = given.partition(":")
    watched, lifeline = os.pipe()
    try:
        connection, pid, started = _ask(digest, path, component, arguments, watched)
    except NotPreloaded as reason:
        os.write(2, f"tradewind: {component} starts without the preloaded parent: {reason}\n".encode())
        status = None
    else:
        status = _follow(connection, pid, started)
    finally:
        os.close(watched)
    if status is None:
        os.close(lifeline)
    return status


def _ask(digest: str, path: str, component: str, arguments: list[str], watched: int) -> tuple[socket.socket, int, int]:
    request = {
        "digest": digest,
        "component": component,
        "arguments": arguments,
        "environment": dict(os.environ),
        "directory": os.getcwd(),  # noqa: PTH109
    }
    began = time.monotonic()
    while True:
        patience = ABSENT_SECONDS
        try:
            connection = _connect(path)
            try:
                wire.send(connection, request, (1, 2, watched))
                answer, _ = wire.receive(connection)
            except BaseException:
                connection.close()
                raise
            if "pid" in answer:
                return connection, int(answer["pid"]), int(answer["started"])
            connection.close()
            reason = str(answer.get("refused"))
            patience = OTHER_SECONDS if answer.get("again") else 0.0
        except (OSError, wire.Broken) as error:
            reason = f"it does not answer: {error}"
        if time.monotonic() - began >= patience:
            raise NotPreloaded(reason)
        time.sleep(0.05)


def _connect(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(ANSWER_SECONDS)
        with wire.address(path) as name:
            connection.connect(name)
    except BaseException:
        connection.close()
        raise
    return connection


def _follow(connection: socket.socket, pid: int, started: int) -> int | None:
    """Pass signals on until the child has ended; it waits for our word, so its pid is its own until then."""
    try:
        handle = os.pidfd_open(pid)
        seen = sessions.look(pid)
        if seen is None or seen.started != started:
            raise ProcessLookupError
    except OSError:
        connection.close()
        return None

    def pass_on(number: int, _: object) -> None:
        with contextlib.suppress(OSError):  # it has just ended
            signal.pidfd_send_signal(handle, number)

    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)  # one that comes just before we wait wakes us, too
    for number in _PASSED_ON:
        signal.signal(number, pass_on)
    with contextlib.suppress(OSError):  # it has just ended: so do we
        wire.send(connection, {"go": True})
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while handle not in {number for number, _ in poll.poll()}:
        os.read(woken, 4096)
    signal.set_wakeup_fd(-1)
    return _end_like(connection, pid, started)


def _end_like(connection: socket.socket, pid: int, started: int) -> int:
    """The parent knows how the child ended; where it has died, the child itself has said so, unless it was killed."""
    status: int | None = None
    connection.settimeout(_STATUS_SECONDS)
    try:
        while True:
            told, _ = wire.receive(connection)
            if "signal" in told:
                return _end_by(int(told["signal"]))
            if "status" in told:
                return int(told["status"])
            status = int(told.get("exit", _UNKNOWN))
    except (OSError, wire.Broken, ValueError):
        pass
    sessions.end_session(pid, started)  # the parent would have
    if status is None:
        os.write(2, b"tradewind: it ended, and nobody is left who could say how\n")
        return _UNKNOWN
    return status


def _end_by(number: int) -> int:
    sys.stdout.flush()
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number  # it was one that does not end a process
