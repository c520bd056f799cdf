"""While a file of ours is there, nothing is scheduled, no trigger begins and the API server takes no orders.

An environment that is moved to another database has to prove itself there before it may go on: if it cannot, it goes
back to the old one, and whatever was begun or written in the new one is lost. So nothing is begun, and whoever wants to
write is told to come again (503). Sign-in is no order, and neither is anything that tasks' supervisors ask: no task
runs then. `TRADEWIND_HOLD` names the file; the control plane makes and removes it.
"""

import functools
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

VARIABLE = "TRADEWIND_HOLD"
# What the scheduler does to runs and tasks, with what is answered instead; a heartbeat it has all the same.
_STEPS = {
    "_do_scheduling": 0,
    "_find_and_purge_task_instances_without_heartbeats": None,
    "_handle_tasks_stuck_in_queued": None,
    "adopt_or_reset_orphaned_tasks": 0,
    "check_trigger_timeouts": None,
}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_ALLOWED = ("/auth/tradewind/session", "/auth/logout", "/execution/")
_WORDS = b'{"detail":"This environment is being moved to another database. Try again in a moment."}'

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


def holds() -> bool:
    """Whether it is held now."""
    return os.path.exists(os.environ[VARIABLE])  # noqa: PTH110  (often, in a busy scheduler)


def install(component: str) -> bool:
    """Hold this component, if it is one that can be. False where Airflow is not built as we know it."""
    if VARIABLE not in os.environ:
        return False
    if component == "api-server":
        return _install_in_api_server()
    return _install_in_scheduler() if component == "scheduler" else _install_in_triggerer()


def _install_in_scheduler() -> bool:
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

    found = [_unless_held(SchedulerJobRunner, name, answer) for name, answer in _STEPS.items()]
    return found[0]


def _install_in_triggerer() -> bool:
    """None is begun: what a watcher takes from a queue would be told to a database that may go."""
    from airflow.jobs.triggerer_job_runner import TriggerRunnerSupervisor

    return _unless_held(TriggerRunnerSupervisor, "load_triggers", None)


def _unless_held(owner: type, name: str, answer: Any) -> bool:
    step = getattr(owner, name, None)
    if step is None:
        return False

    @functools.wraps(step)
    def unless_held(self: Any, *given: Any, **named: Any) -> Any:
        return answer if holds() else step(self, *given, **named)

    setattr(owner, name, unless_held)
    return True


def _install_in_api_server() -> bool:
    from airflow.api_fastapi import app as module

    make = getattr(module, "cached_app", None)
    if make is None:
        return False

    @functools.wraps(make)
    def cached_app(*given: Any, **named: Any) -> Any:
        return Held(make(*given, **named))

    if hasattr(make, "cache_clear"):
        cached_app.cache_clear = make.cache_clear  # type: ignore[attr-defined]
    module.cached_app = cached_app
    return True


class Held:
    """An application that takes no orders while it is held. Everything else of it can be reached through this."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """ASGI."""
        if scope["type"] == "http" and _is_order(scope) and holds():
            headers = [(b"content-type", b"application/json"), (b"retry-after", b"5")]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": _WORDS})
            return
        await self._app(scope, receive, send)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)


def _is_order(scope: MutableMapping[str, Any]) -> bool:
    return scope["method"] not in _READING and not scope["path"].startswith(_ALLOWED)
