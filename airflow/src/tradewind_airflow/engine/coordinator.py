"""Starts a task's process warm: `[sdk] coordinators` names `WarmCoordinator`, `queue_to_coordinator` each queue.

Stock, a task's process is a fork of its Celery slot, and then imports the task runner, the DAG parser and the
operators: two thirds of a short task's CPU. Here the worker has imported all that before its slots were forked
(`warmth`), so a slot is the zygote of its tasks: it executes no task's code, holds no task's token between two tasks,
and Celery replaces it after a number of tasks or above a memory ceiling.

Beside that everything is Airflow's: its supervisor forks the process, gives it a process group, four sockets, log and
token of its own, watches it, and waits for it as its child. In the child, `inheritance` is refused before Airflow's
task runner begins.
"""

from __future__ import annotations

import functools
import os
import selectors
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from airflow.sdk.execution_time.coordinator import BaseCoordinator
from airflow.sdk.execution_time.supervisor import ActivitySubprocess

from tradewind_airflow.engine.inheritance import Inheritance

if TYPE_CHECKING:
    from collections.abc import Callable


class WarmCoordinator(BaseCoordinator):
    """Python tasks, as Airflow's own `_PythonCoordinator` runs them."""

    def execute_task(self, **task: Any) -> BaseCoordinator.ExecutionResult:
        """Run one task in a process of its own to its end."""
        inheritance = Inheritance.taken()
        process = ActivitySubprocess.start(target=lambda: _begin(inheritance), **task)
        watch_end(process)
        greet_later(process)
        return self.ExecutionResult(process.wait(), process.final_state)


def _begin(inheritance: Inheritance) -> None:
    """In the child, connected already: make it its own, then become Airflow's task runner."""
    inheritance.refuse()
    from airflow.sdk.execution_time import task_runner

    task_runner.parse = _that_leaves_faults_alone(task_runner.parse)
    task_runner.main()


def _that_leaves_faults_alone(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Airflow's DAG parser leaves a handler of SIGSEGV behind, in Python: a real fault would repeat for ever."""

    @functools.wraps(parse)
    def parsed(*given: Any, **named: Any) -> Any:
        try:
            return parse(*given, **named)
        finally:
            signal.signal(signal.SIGSEGV, signal.SIG_DFL)

    return parsed


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


def watch_end(process: ActivitySubprocess) -> None:
    """Wake Airflow's supervisor at the end of the task's process.

    It looks whether the process has ended when the last of its sockets closes; a moment too early, and it looks again
    after `[workers] min_heartbeat_interval` (5 s), for which the slot is taken. The more memory a process has, the
    longer that moment.
    """
    if sys.platform == "linux":
        selector = process.selector
        selector.register(_End(process.pid), selectors.EVENT_READ, (lambda _: False, selector.unregister))


def greet_later(process: ActivitySubprocess) -> None:
    """Do not send a heartbeat at once: the request that started the task was one (it sets `last_heartbeat_at`)."""
    process._last_heartbeat_attempt = time.monotonic()  # noqa: SLF001
