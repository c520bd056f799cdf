"""A request that is answered in one thread from its first line to its last.

The Execution API's routes are plain functions on plain database sessions. FastAPI runs each piece of them, opening the
session, the route, closing the session, in a thread of its own choice, and goes back to the event loop in between:
several changes of threads for each request, with the interpreter's lock handed over each time. Here the whole
application is run in one thread, on an event loop that this thread has for itself, and what would go to a further
thread is executed where it is. Who reads and writes the connection stays the server's event loop.

Only for applications that keep nothing that belongs to an event loop (an asynchronous database session does).
"""

import asyncio
import contextvars
import functools
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tradewind_airflow.roomy import with_room

THREADS_MOST = 40  # as many as anyio has
_here = threading.local()

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]


class OneThread:
    """ASGI, for requests with a body that fits into memory, and answers that do."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        _execute_in_place()
        self._app = app
        self._threads = ThreadPoolExecutor(THREADS_MOST, thread_name_prefix="execution-api")

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer one request."""
        body = await _body(receive)
        if body is None:
            return
        context = contextvars.copy_context()
        answer, error = await asyncio.get_running_loop().run_in_executor(
            self._threads, context.run, with_room, self._answer, scope, body
        )
        for message in answer:
            await send(message)
        if error is not None:
            raise error

    def _answer(self, scope: Scope, body: bytes) -> tuple[list[Message], Exception | None]:
        received = [{"type": "http.request", "body": body, "more_body": False}]
        answer: list[Message] = []

        async def receive() -> Message:
            return received.pop() if received else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            answer.append(message)

        try:
            _loop().run_until_complete(self._app(scope, receive, send))
        except Exception as error:  # noqa: BLE001  (an answer of 500 may have been given before)
            return answer, error
        return answer, None


class _Own:
    """An event loop of this thread, closed when the thread ends."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def __del__(self) -> None:
        self.loop.close()


def _loop() -> asyncio.AbstractEventLoop:
    own: _Own | None = getattr(_here, "own", None)
    if own is None:
        own = _here.own = _Own()
    return own.loop


async def _body(receive: Any) -> bytes | None:
    """All of it; None where the client has gone."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _execute_in_place() -> None:
    """What is given to a further thread by one of ours is executed in it."""
    from anyio import to_thread

    run_sync = to_thread.run_sync
    if hasattr(run_sync, "__wrapped__"):
        return

    @functools.wraps(run_sync)
    async def in_place(func: Callable[..., Any], *given: Any, **options: Any) -> Any:
        if getattr(_here, "own", None) is None:
            return await run_sync(func, *given, **options)
        loop = asyncio._get_running_loop()  # noqa: SLF001
        asyncio._set_running_loop(None)  # noqa: SLF001  (in a thread of its own it would see none)
        try:
            return contextvars.copy_context().run(func, *given)
        finally:
            asyncio._set_running_loop(loop)  # noqa: SLF001

    to_thread.run_sync = in_place
