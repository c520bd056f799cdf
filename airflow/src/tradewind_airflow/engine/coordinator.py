"""Starts a task's process warm: `[sdk] coordinators` names `WarmCoordinator`, `queue_to_coordinator` each queue.

Stock, a task's process is a fork of its Celery slot, and then imports the task runner, the DAG parser and the
operators: two thirds of a short task's CPU. Here the worker has imported all that before its slots were forked, so a
slot is the zygote of its tasks: it holds no task's token between two tasks, runs one thread, and Celery replaces it
after a number of tasks or above a memory ceiling.

Beside that everything is Airflow's: its supervisor forks the process, gives it a process group, four sockets, log and
token of its own, watches it, and waits for it as its child. What is added happens in the child before Airflow's task
runner begins:

- it dies with its supervisor (stock's would live on as an orphan while the try is tried again),
- random states are drawn anew where a library does not do so at a fork.
"""

from __future__ import annotations

import ctypes
import gc
import os
import selectors
import signal
import sys
import time
from typing import Any

from airflow.sdk.execution_time.coordinator import BaseCoordinator
from airflow.sdk.execution_time.supervisor import ActivitySubprocess

_PR_SET_PDEATHSIG = 1


class WarmCoordinator(BaseCoordinator):
    """Python tasks, as Airflow's own `_PythonCoordinator` runs them."""

    def execute_task(self, **task: Any) -> BaseCoordinator.ExecutionResult:
        """Run one task in a process of its own to its end."""
        supervisor = os.getpid()
        process = ActivitySubprocess.start(target=lambda: _begin(supervisor), **task)
        watch_end(process)
        greet_later(process)
        return self.ExecutionResult(process.wait(), process.final_state)


class _End:
    """The end of a process, as something that a selector can wait for: readable when it is there to be reaped."""

    def __init__(self, pid: int) -> None:
        self._descriptor = os.pidfd_open(pid)

    def fileno(self) -> int:
        """Of the pidfd."""
        return self._descriptor

    def close(self) -> None:
        """Called by Airflow's supervisor when the end was seen."""
        os.close(self._descriptor)


def greet_later(process: ActivitySubprocess) -> None:
    """Do not send a heartbeat at once: the request that started the task was one (it sets `last_heartbeat_at`)."""
    process._last_heartbeat_attempt = time.monotonic()  # noqa: SLF001


def watch_end(process: ActivitySubprocess) -> None:
    """Wake Airflow's supervisor at the end of the task's process.

    It looks whether the process has ended when the last of its sockets closes; a moment too early, and it looks again
    after `[workers] min_heartbeat_interval` (5 s), for which the slot is taken. The more memory a process has, the
    longer that moment.
    """
    if sys.platform == "linux" and process.pid is not None:
        selector = process.selector
        seen = _End(process.pid)
        selector.register(seen, selectors.EVENT_READ, (lambda _: False, selector.unregister))


def _begin(supervisor: int) -> None:
    """In the child, connected already: make it its own, then become Airflow's task runner."""
    die_with(supervisor)
    draw_anew()
    gc.freeze()  # what is inherited is not ours to collect: looking at it would copy its pages
    from airflow.sdk.execution_time.task_runner import main

    main()


def die_with(supervisor: int) -> None:
    """SIGKILL for this process when the thread that forked it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:  # it died before the line above
            os._exit(128 + signal.SIGKILL)


def draw_anew() -> None:
    """Python's own `random` and OpenSSL do it by themselves at a fork; numpy's global generator does not."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and "numpy.random" in sys.modules:
        numpy.random.seed()
