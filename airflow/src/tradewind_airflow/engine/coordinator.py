"""Starts a task's process warm: `[sdk] coordinators` names `WarmCoordinator`, `queue_to_coordinator` each queue.

Stock, a task's process is a fork of its Celery slot, and then imports the task runner, the DAG parser and the
operators: two thirds of a short task's CPU. Here the worker has imported all that before its slots were forked
(`warmth`), so a slot is the zygote of its tasks: it executes no task's code, holds no task's token between two tasks,
and Celery replaces it after a number of tasks or above a memory ceiling. Tasks of a DAG file whose parse was
closed are forks of a process that has parsed it (`tradewind_airflow.zygotes`).

Beside that everything is Airflow's: its supervisor forks the process, gives it a process group, four sockets, log and
token of its own, watches it, and waits for it as its child. In the child, `inheritance` is refused before Airflow's
task runner begins.
"""

from __future__ import annotations

import functools
import logging
import os
import selectors
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.execution_time.coordinator import BaseCoordinator
from airflow.sdk.execution_time.supervisor import ActivitySubprocess

from tradewind_airflow.engine.inheritance import Inheritance
from tradewind_airflow.zygotes.keeping import Keeper
from tradewind_airflow.zygotes.nursery import Nursery
from tradewind_airflow.zygotes.parsed import File
from tradewind_airflow.zygotes.starting import ZygoteLost, ZygoteSubprocess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)
_CEILING_KIB = 1 << 20


class WarmCoordinator(BaseCoordinator):
    """Python tasks, as Airflow's own `_PythonCoordinator` runs them."""

    nursery: ClassVar[Nursery | None] = None  # of this worker; there is none outside of a worker

    def __init__(self) -> None:
        eager = _zygotes() == "eager"
        self._keeper = Keeper(self.nursery, is_eager=eager) if self.nursery is not None else None

    @classmethod
    def prepare(cls) -> None:
        """In the worker's main process, before it forks its slots and takes a message."""
        if sys.platform == "linux" and _zygotes() != "off":
            cls.nursery = Nursery.opened(begin, _ceiling())

    def execute_task(self, **task: Any) -> BaseCoordinator.ExecutionResult:
        """Run one task in a process of its own to its end."""
        bundle = task["bundle_info"]
        file = File(bundle.name, str(bundle.version), os.fspath(task["dag_rel_path"]))
        keeper = self._keeper if bundle.version is not None else None  # without a version a file may change
        process = (None if keeper is None else self._from_zygote(keeper, file, task)) or self._from_slot(task)
        greet_later(process)
        try:
            status = process.wait()
        finally:
            if keeper is not None and isinstance(process, ZygoteSubprocess) and not process.has_ended:
                keeper.drop(file)  # the zygote reads the end, and ends what is left
        return self.ExecutionResult(status, process.final_state)

    @staticmethod
    def _from_zygote(keeper: Keeper, file: File, task: Mapping[str, Any]) -> ActivitySubprocess | None:
        connection = keeper.ready(file)
        if connection is None:
            return None
        try:
            return ZygoteSubprocess.start(connection=connection, **task)
        except ZygoteLost as error:
            keeper.drop(file)
            log.warning("The zygote of %s is lost (%s): the task starts without it", file.path, error)
            return None
        except BaseException:  # the API server says no, or cannot be reached: what the zygote says of it is not heard
            keeper.drop(file)
            raise

    @staticmethod
    def _from_slot(task: Mapping[str, Any]) -> ActivitySubprocess:
        inheritance = Inheritance.taken()
        process = ActivitySubprocess.start(target=lambda: _begin_inherited(inheritance), **task)
        watch_end(process)
        return process


def _zygotes() -> str:
    """`[tradewind] zygotes`: auto, off or eager. The recipe always says it; whoever says nothing has none."""
    from airflow.sdk.configuration import conf

    return str(conf.get("tradewind", "zygotes", fallback="off"))


def _ceiling() -> int:
    """Most bytes that a zygote may occupy: what Celery allows a slot, which it says in KiB."""
    from airflow.sdk.configuration import conf

    limits = conf.getjson("celery", "extra_celery_config", fallback={})
    kibibytes = limits.get("worker_max_memory_per_child") if isinstance(limits, dict) else None
    return int(kibibytes or _CEILING_KIB) * 1024


def _begin_inherited(inheritance: Inheritance) -> None:
    inheritance.refuse()
    begin()


def begin() -> None:
    """In the task's process, connected already and its own: become Airflow's task runner."""
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
