"""A shorter way to the Execution API: what tasks' supervisors ask does not pass what is there for browsers.

The API server is one application. A request of a task's supervisor goes through compression, the renewal of session
cookies, the search through all routes, and in the Execution API's own application through three further middlewares
that Starlette runs as tasks of their own: a good part of the request's CPU. Here requests below `/execution/` go
straight to that application, past:

- compression, cookies and the auth manager's middlewares: supervisors have bearer tokens and send no cookies;
- `CorrelationIdMiddleware`: what it does is done here (the id is bound for the log and sent back);
- `JWTReissueMiddleware`: it hands out a new token when little is left of the old one. Its arithmetic is done here on
  the token's claims, unverified; when a new one may be due, or they cannot be read, the request takes the stock way;
- Cadwyn's `VersionPickingMiddleware`: it reads the API's version from a header, which is done here. A request without
  that header passes it. From there on a request is answered by one thread (`one_thread`).

The Execution API builds its routes, for a dozen versions of itself, at its first request: three seconds in which the
whole server would stand still. Here that begins with the server, in a thread.

Who may do what is decided where it was: in the routes, which verify the token. Where Airflow's application is not
built as we know it, everything takes the stock way.
"""

import asyncio
import base64
import functools
import json
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from contextvars import ContextVar
from typing import Any

from tradewind_airflow.compat.one_thread import OneThread

_PREFIX = "/execution"
_PASSED_BY = ("CorrelationIdMiddleware", "JWTReissueMiddleware")
_PICKING = "VersionPickingMiddleware"
_CORRELATION = b"correlation-id"
# JWTReissueMiddleware's: it acts when at most a fifth of a token's life, or 30 s, are left. We hand over earlier.
_LEFT_SHARE, _LEFT_SECONDS, _EARLIER_SECONDS = 0.20, 30, 5

Scope = MutableMapping[str, Any]
App = Callable[..., Awaitable[None]]


class ExecutionDoor:
    """The whole application, with the short way in front. Everything else of it can be reached through this."""

    def __init__(self, app: Any, execution: Any) -> None:
        self._app = app
        self._execution = execution
        self._short: asyncio.Future[App] | None = None

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            self._ready()
        if scope["type"] == "http" and scope["path"].startswith(f"{_PREFIX}/"):
            short = await self._ready()  # the long way needs what is made there, too
            if not _may_be_renewed(scope):
                inner = {**scope, "root_path": scope.get("root_path", "") + _PREFIX, "app": self._execution}
                await short(inner, receive, send)
                return
        await self._app(scope, receive, send)

    def _ready(self) -> asyncio.Future[App]:
        """The short way. It is made in a thread: seconds in which the server goes on answering."""
        if self._short is None:
            self._short = asyncio.get_running_loop().run_in_executor(None, _short_way, self._execution)
        return self._short

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)


def install() -> bool:
    """Put the door before the application that the API server makes. False where there is nothing to replace."""
    from airflow.api_fastapi import app as module

    make = getattr(module, "cached_app", None)
    if make is None or not hasattr(make, "cache_clear"):
        return False

    @functools.wraps(make)
    def cached_app(*given: Any, **named: Any) -> Any:
        return with_door(make(*given, **named))

    cached_app.cache_clear = make.cache_clear  # type: ignore[attr-defined]
    module.cached_app = cached_app
    return True


def with_door(app: Any) -> Any:
    """`app` behind the door; `app` itself where it is not built as we know it."""
    from cadwyn import Cadwyn
    from starlette.routing import Mount

    mounts = [route for route in app.routes if isinstance(route, Mount) and route.path == _PREFIX]
    if len(mounts) != 1 or not isinstance(mounts[0].app, Cadwyn):
        return app
    names = [each.cls.__name__ for each in mounts[0].app.user_middleware]
    known = all(name in names for name in (*_PASSED_BY, _PICKING)) and hasattr(mounts[0].app, "_cadwyn_initialize")
    return ExecutionDoor(app, mounts[0].app) if known else app


def _short_way(execution: Any) -> App:
    """The Execution API's application without the three middlewares, behind the access log."""
    from airflow.api_fastapi.common.http_access_log import HttpAccessLogMiddleware

    if not execution._cadwyn_initialized:  # noqa: SLF001
        execution._cadwyn_initialize()  # noqa: SLF001  (what its first request would do)
    (picking,) = (each for each in execution.user_middleware if each.cls.__name__ == _PICKING)
    versioned = _versioned(
        _without(execution, (*_PASSED_BY, _PICKING)),
        _without(execution, _PASSED_BY),
        name=picking.kwargs["api_version_parameter_name"].lower().encode("latin-1"),
        version=picking.kwargs["api_version_var"],
    )
    return OneThread(HttpAccessLogMiddleware(_correlated(versioned)))


def _without(execution: Any, names: Collection[str]) -> App:
    all_of_them = execution.user_middleware
    try:
        execution.user_middleware = [each for each in all_of_them if each.cls.__name__ not in names]
        return execution.build_middleware_stack()  # type: ignore[no-any-return]
    finally:
        execution.user_middleware = all_of_them


def _versioned(app: App, unversioned: App, *, name: bytes, version: ContextVar[Any]) -> App:
    """Tell the version that the header names to Cadwyn's router, and send it back."""

    async def versioned(scope: Scope, receive: Any, send: Any) -> None:
        asked = _header(scope, name)
        if not asked:
            await unversioned(scope, receive, send)
            return
        version.set(asked.decode("latin-1"))
        await app(scope, receive, _sending_back(send, name, asked))

    return versioned


def _correlated(app: App) -> App:
    """Bind the request's correlation id for the log, and send it back."""
    from structlog.contextvars import bind_contextvars

    async def correlated(scope: Scope, receive: Any, send: Any) -> None:
        id_ = _header(scope, _CORRELATION)
        if not id_:
            await app(scope, receive, send)
            return
        bind_contextvars(correlation_id=id_.decode("latin-1"))
        await app(scope, receive, _sending_back(send, _CORRELATION, id_))

    return correlated


def _sending_back(send: Any, name: bytes, value: bytes) -> Any:
    """`send`, and this header with the answer."""

    async def answer(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (name, value)]}
        await send(message)

    return answer


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def _may_be_renewed(scope: Scope) -> bool:
    """Whether JWTReissueMiddleware might hand out a new token. Without a bearer token it does nothing."""
    scheme, _, token = _header(scope, b"authorization").partition(b" ")
    if scheme.lower() != b"bearer":
        return False
    try:
        payload = token.split(b".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
        issued, expires = int(claims.get("iat", 0)), int(claims.get("exp", 0))
    except (ValueError, IndexError, AttributeError, TypeError):
        return True
    due = max((expires - issued) * _LEFT_SHARE, _LEFT_SECONDS) + _EARLIER_SECONDS
    return expires - time.time() <= due
