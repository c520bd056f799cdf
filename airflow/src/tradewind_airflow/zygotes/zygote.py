"""A process that has parsed one DAG file, once, and that each of its tasks' processes is a fork of.

It serves one Celery slot over a socket of whole messages (SOCK_SEQPACKET, JSON), and ends when the slot closes it, when
nothing was asked for a while, or when it is old. Order of messages:

    zygote  {"parsed": true, "resident": bytes}  or  {"refused": "why"}, and it ends
    slot    {"task": true}, with four descriptors: requests, stdout, stderr, logs
    zygote  {"pid": 123}
    zygote  {"status": 0}            when the process has ended: its exit status, negative for a signal
    slot    {"heard": true}          and only then the process id can become another's
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from tradewind_airflow.engine.inheritance import Inheritance
from tradewind_airflow.zygotes.parsed import File, Output, Parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DESCRIPTORS = 4
MESSAGE_MOST = 1 << 12
IDLE_SECONDS = 20.0
HEARD_SECONDS = 10.0
AGE_SECONDS = 900.0
_REASONS_MOST = 1000
_F_SETSIG = getattr(fcntl, "F_SETSIG", 10)  # Python's own name for it is new


@dataclass(frozen=True)
class Task:
    """What all tasks' processes of a zygote begin with. `begin`: what each does once it is connected."""

    parsed: Parsed
    output: Output
    begin: Callable[[], None]


def serve(connection: socket.socket, file: File, begin: Callable[[], None]) -> NoReturn:
    """The zygote's life. `begin` is what a task's process does once it is connected."""
    _title(file)
    atexit._clear()  # noqa: SLF001  (the worker's; the file's own are its tasks')
    output = Output()
    with _killed_with(connection):
        parsed = _parsed(file, output)
        reasons = parsed if isinstance(parsed, str) else "; ".join(parsed.reasons)
    if isinstance(parsed, str) or reasons:
        _say(connection, refused=reasons[:_REASONS_MOST])
        os._exit(0)
    gc.collect()
    gc.freeze()
    _say(connection, parsed=True, resident=_resident())
    until = time.monotonic() + AGE_SECONDS
    while time.monotonic() < until and _readable(connection, IDLE_SECONDS):
        message, descriptors, *_ = socket.recv_fds(connection, MESSAGE_MOST, DESCRIPTORS)
        if not message:
            break
        if not descriptors:  # "heard", later than it was waited for
            continue
        _run(connection, descriptors, Task(parsed, output, begin))
    os._exit(0)


def _parsed(file: File, output: Output) -> Parsed | str:
    from airflow.sdk.execution_time import supervisor

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # as a task's process has them
    supervisor.block_orm_access()
    try:
        return Parsed(file, output)
    except BaseException as error:  # noqa: BLE001  (what a DAG file may raise)
        return f"it raises {error!r}"
    finally:
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)


@contextlib.contextmanager
def _killed_with(connection: socket.socket) -> Iterator[None]:
    """While a file is parsed, which may take for ever: the kernel kills this process when the slot lets go of it."""
    flags = fcntl.fcntl(connection, fcntl.F_GETFL)
    fcntl.fcntl(connection, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(connection, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(connection, fcntl.F_SETFL, flags | os.O_ASYNC)
    yield
    fcntl.fcntl(connection, fcntl.F_SETFL, flags)


def _run(connection: socket.socket, descriptors: list[int], task: Task) -> None:
    zygote = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            connection.close()
            os.setpgid(0, 0)
            Inheritance(zygote, frozenset()).refuse()
            _become_task(descriptors, task)
        finally:
            os._exit(124)  # Airflow's own status for this
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    for descriptor in descriptors:
        os.close(descriptor)
    _say(connection, pid=pid)
    _wait(connection, pid)
    _say(connection, status=_status(pid))
    if _readable(connection, HEARD_SECONDS):
        connection.recv(MESSAGE_MOST)
    os.waitpid(pid, 0)


def _become_task(descriptors: list[int], task: Task) -> None:
    from airflow.sdk.execution_time import supervisor

    requests, stdout, stderr = (socket.socket(fileno=number) for number in descriptors[:3])
    task.parsed.put_in_place()
    task.output.lead_to(descriptors[3])
    _keep_the_files_own_work_at_exit()
    # no channel of logs (0): it is in place, and logging is configured
    supervisor._fork_main(requests, stdout, stderr, 0, task.begin)  # noqa: SLF001


def _keep_the_files_own_work_at_exit() -> None:
    """Airflow forgets what was to be done at exit before it parses. Here the file was parsed before that."""
    original = atexit._clear  # noqa: SLF001

    def left_alone() -> None:
        atexit._clear = original  # type: ignore[attr-defined]  # noqa: SLF001

    atexit._clear = left_alone  # type: ignore[attr-defined]  # noqa: SLF001


def _wait(connection: socket.socket, pid: int) -> None:
    """Return when the task's process has ended.

    Where the slot is gone meanwhile, or says anything (it has nothing to say), nobody follows that task: it ends.
    """
    end = os.pidfd_open(pid)
    with selectors.DefaultSelector() as selector:
        selector.register(end, selectors.EVENT_READ)
        selector.register(connection, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if end in ready:
                break
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
            selector.unregister(connection)
    os.close(end)


def _status(pid: int) -> int:
    """As `os.waitstatus_to_exitcode` says it; the process stays a zombie."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    if ended is None:
        raise ChildProcessError(pid)
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _say(connection: socket.socket, **message: Any) -> None:
    with contextlib.suppress(OSError):  # the slot is gone: the next read says so
        connection.send(json.dumps(message).encode())


def _readable(connection: socket.socket, seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        return bool(selector.select(seconds))


def _resident() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _title(file: File) -> None:
    with contextlib.suppress(ImportError):
        from setproctitle import setproctitle

        setproctitle(f"airflow zygote -- {file.path}")
