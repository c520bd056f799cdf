"""The API as an ASGI application: reads a request whole, hands it to the chain, writes the answer.

The chain is synchronous (it talks to PostgreSQL) and runs in a thread. Bodies are limited to 6 MB, the
size that MWAA's front end takes; a longer one is answered before it is read to its end.
"""

import uuid
from collections.abc import Callable

import anyio.to_thread
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tradewind.api import apis
from tradewind.api.chain import Chain
from tradewind.api.requests import RawRequest
from tradewind.api.services import Services
from tradewind.domain.errors import TradewindError
from tradewind.wire import FrontDoorError, asked_service
from tradewind.wire import Response as WireResponse

BODY_LIMIT = 6 * 1024 * 1024
THREADS = 200
_OWN = "/tradewind/"  # paths of our own service; AWS has none there
_log = structlog.get_logger(__name__)


def create_app(services: Services, *, gateway: ASGIApp, is_gateway: Callable[[Scope], bool]) -> ASGIApp:
    """One application for the door: what carries an environment's mark goes to the gateway, the rest is the API."""
    mwaa, own = Chain(apis.mwaa(), services), Chain(apis.own(), services)
    others = {api.service.signing_name: Chain(api, services) for api in (apis.iam(), apis.sts())}

    def choose(raw: RawRequest) -> Chain:
        """By our own paths, else by what the request is signed for; all else is for MWAA to refuse."""
        if raw.path.startswith(_OWN):
            return own
        return others.get(asked_service(raw.headers, raw.query, raw.body) or "", mwaa)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(services, receive, send)
        elif scope["type"] == "http":
            if is_gateway(scope):
                await gateway(scope, receive, send)
            else:
                await (await _answer(choose, Request(scope, receive)))(scope, receive, send)

    return application


async def _answer(choose: Callable[[RawRequest], Chain], request: Request) -> Response:
    if request.scope["raw_path"] == b"/healthz" and request.method == "GET":
        return Response(b'{"status":"ok"}', media_type="application/json")
    request_id = str(uuid.uuid4())
    body = await _read(request)
    raw = RawRequest(
        method=request.method,
        path=request.scope["raw_path"].decode("latin-1"),
        query=request.scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]),
        body=body or b"",
        source=request.client.host if request.client else "",
        is_secure=request.url.scheme == "https",
    )
    chain = choose(raw)
    if body is None:
        error = FrontDoorError("RequestEntityTooLargeException", f"The request body is larger than {BODY_LIMIT} bytes.")
        return _starlette(await run_in_threadpool(chain.refuse, raw, error, request_id))
    return _starlette(await run_in_threadpool(chain.answer, raw, request_id))


async def _read(request: Request) -> bytes | None:
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > BODY_LIMIT:
        return None
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_LIMIT:
            return None
        parts.append(part)
    return b"".join(parts)


def _starlette(response: WireResponse) -> Response:
    return Response(response.body, response.status, dict(response.headers))


async def _lifespan(services: Services, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            # Calls of InvokeRestApi wait for Airflow, up to 10 s each: some slow ones must not hold up all others.
            anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
            await send({"type": "lifespan.startup.complete"})
        else:
            await run_in_threadpool(_end, services)
            await send({"type": "lifespan.shutdown.complete"})
            return


def _end(services: Services) -> None:
    """Record what the audit log still counts."""
    try:
        services.trail.end(services.now())
    except TradewindError as error:
        _log.exception("audit", action="failed", reason=error.sentence)
