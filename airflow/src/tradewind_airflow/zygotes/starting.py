"""Airflow's supervisor of a task's process, where that process is a zygote's child and not the supervisor's own.

Its sockets, messages, limits and signals are Airflow's, unchanged; its end is told by the zygote. Where the zygote is
killed, the kernel kills the task's process with it (PR_SET_PDEATHSIG), and the supervisor its process group.
"""

from __future__ import annotations

import contextlib
import enum
import json
import os
import select
import selectors
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

from airflow.sdk.execution_time.supervisor import ActivitySubprocess, ProcessTracker

from tradewind_airflow.zygotes.zygote import MESSAGE_MOST

if TYPE_CHECKING:
    from collections.abc import Callable

_ANSWER_SECONDS = 10.0
_GONE_SECONDS = 10.0

Killed = enum.IntEnum("Killed", {each.name: -each for each in signal.Signals})  # type: ignore[misc]  # as psutil says it


def _as_psutil_says(status: int) -> int:
    """A signal by its name where it has one: a real-time signal has none."""
    try:
        return Killed(status) if status < 0 else status
    except ValueError:
        return status


class ZygoteLost(Exception):
    """It did not start the task's process. Nothing of the task was executed."""


class ZygotesChild(ProcessTracker):
    """Follows a process by what its parent says of it."""

    ProcessNotFound = ProcessLookupError

    class TimeoutExpired(Exception):
        """It has not ended yet."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self._pid, self._connection = pid, connection
        self._pidfd = os.pidfd_open(pid)
        self._status: int | None = None

    @property
    def pid(self) -> int:
        """Of the task's process."""
        return self._pid

    @property
    def has_ended(self) -> bool:
        """Whether its end was heard of."""
        return self._status is not None

    def send_signal(self, s: signal.Signals) -> None:
        """To that very process: a number that belongs to another one by now is not meant."""
        if self.has_ended:
            raise ProcessLookupError(self._pid)
        signal.pidfd_send_signal(self._pidfd, s)

    def wait(self, timeout: float | None) -> int:
        """Exit status, negative for a signal, as psutil says it."""
        if self._status is None:
            readable, _, _ = select.select([self._connection], [], [], timeout)
            if not readable:
                raise self.TimeoutExpired
            self._status = self._heard()
            os.close(self._pidfd)
        return self._status

    def _heard(self) -> int:
        with contextlib.suppress(OSError):
            message = self._connection.recv(MESSAGE_MOST)
            if message:
                status = int(json.loads(message)["status"])
                with contextlib.suppress(OSError):
                    self._connection.send(b'{"heard": true}')
                return _as_psutil_says(status)
        return self._orphaned()

    def _orphaned(self) -> int:
        """The zygote is gone: so is its child, or will be at once."""
        with contextlib.suppress(OSError):
            os.killpg(self._pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self.send_signal(signal.SIGKILL)
        select.select([self._pidfd], [], [], _GONE_SECONDS)
        return Killed(-signal.SIGKILL)


class ZygoteSubprocess(ActivitySubprocess):
    """`start` asks a zygote for the process instead of forking; the rest is inherited."""

    @classmethod
    def start(  # type: ignore[override]
        cls,
        *,
        connection: socket.socket,
        what: Any,
        dag_rel_path: Any,
        bundle_info: Any,
        logger: Any = None,
        sentry_integration: str = "",
        **constructor_arguments: Any,
    ) -> ZygoteSubprocess:
        """As `ActivitySubprocess.start`. ZygoteLost where there is no process."""
        pairs = [socket.socketpair() for _ in range(4)]
        child_requests, child_stdout, child_stderr, child_logs = (pair[0] for pair in pairs)
        requests, stdout, stderr, logs = (pair[1] for pair in pairs)
        try:
            pid = _forked(connection, child_requests, child_stdout, child_stderr, child_logs)
            child = ZygotesChild(pid, connection)
        except (OSError, ValueError, KeyError) as error:
            for each in (requests, stdout, stderr, logs):
                each.close()  # a process that was forked after all reads the end and executes nothing
            raise ZygoteLost(str(error)) from error
        finally:
            for each in (child_requests, child_stdout, child_stderr, child_logs):
                each.close()
        process = cls(
            id=what.id,
            pid=pid,
            stdin=requests,
            process=child,
            process_log=logger,
            start_time=time.monotonic(),
            new_process_group=True,
            **constructor_arguments,
        )
        process._register_pipe_readers(stdout, stderr, requests, logs, data={})
        process.watch_end(connection)
        process._on_child_started(
            ti=what, dag_rel_path=dag_rel_path, bundle_info=bundle_info, sentry_integration=sentry_integration
        )
        return process

    @property
    def has_ended(self) -> bool:
        """Whether the zygote said so: it is free for the next task."""
        return isinstance(self._process, ZygotesChild) and self._process.has_ended

    def watch_end(self, connection: socket.socket) -> None:
        """Wake the supervisor when the zygote says that the process has ended."""
        told = _Told(connection)
        forget: Callable[[Any], Any] = self.selector.unregister
        self.selector.register(told, selectors.EVENT_READ, (lambda _: False, forget))


class _Told:
    """The connection as something to wait for, without being the one who closes it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def fileno(self) -> int:
        """Of the connection."""
        return self._connection.fileno()

    def close(self) -> None:
        """Called by Airflow's supervisor when the end was seen."""


def _forked(connection: socket.socket, *ends: socket.socket) -> int:
    socket.send_fds(connection, [b'{"task": true}'], [each.fileno() for each in ends])
    readable, _, _ = select.select([connection], [], [], _ANSWER_SECONDS)
    message = connection.recv(MESSAGE_MOST) if readable else b""
    if not message:
        raise OSError("the zygote does not answer")
    return int(json.loads(message)["pid"])
