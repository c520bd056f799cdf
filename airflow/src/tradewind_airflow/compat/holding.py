"""While a file of ours is there, the scheduler schedules nothing and the API server takes no orders.

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
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_ALLOWED = ("/auth/", "/execution/")
_WORDS = b'{"detail":"This environment is being moved to another database. Try again in a moment."}'

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


def holds() -> bool:
    """Whether it is held now."""
    return os.path.exists(os.environ[VARIABLE])  # noqa: PTH110  (a thousand times a second in a busy scheduler)


def install(component: str) -> bool:
    """Hold this component, if it is one that can be. False where Airflow is not built as we know it."""
    if VARIABLE not in os.environ:
        return False
    return _install_in_scheduler() if component == "scheduler" else _install_in_api_server()


def _install_in_scheduler() -> bool:
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

    schedule = getattr(SchedulerJobRunner, "_do_scheduling", None)
    if schedule is None:
        return False

    @functools.wraps(schedule)
    def unless_held(self: Any, session: Any) -> Any:
        return 0 if holds() else schedule(self, session)

    SchedulerJobRunner._do_scheduling = unless_held  # noqa: SLF001
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
