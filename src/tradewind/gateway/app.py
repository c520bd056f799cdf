"""The gateway as an ASGI application: a few paths, each on every environment's host.

| path | what |
| --- | --- |
| GET /aws_mwaa/aws-console-sso | the sign-in page: it posts a web token from the URL's fragment, or a form |
| POST /aws_mwaa/sign-in | an access key for Airflow's session; GET is the page again |
| POST /aws_mwaa/login, /pluginsv2/aws_mwaa/login | a web token for Airflow's session (cookie `_token`) |
| POST /aws_mwaa/execution-role | temporary credentials of the execution role, for the environment's own process |
| POST /aws_mwaa/cli, /pluginsv2/aws_mwaa/cli | one command of Airflow's command line |

On the API's host, where a provider is configured: GET /tradewind/sign-in/start and /tradewind/sign-in/callback. Each
may wait for the provider in a thread, and anybody may ask: a few at once, or a provider that hangs stops the API too.

Sources: MWAA User Guide, "call-mwaa-apis-web" and "call-mwaa-apis-cli": their samples use these paths verbatim.
"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.status import HTTP_404_NOT_FOUND
from starlette.types import ASGIApp, Scope

from tradewind.access.openid.flow import CALLBACK, START
from tradewind.gateway import openid
from tradewind.gateway.auditing import failed, nothing_there, recorded
from tradewind.gateway.command import run_command
from tradewind.gateway.execution_roles import give_credentials
from tradewind.gateway.key_sign_in import sign_in_with_key
from tradewind.gateway.login import log_in
from tradewind.gateway.page import sign_in_page
from tradewind.gateway.services import GatewayServices
from tradewind.recipe.execution_roles import PATH

_MARK = b"x-tradewind-environment"
_WITH_THE_PROVIDER = 16  # of the server's 200 threads


def is_for_gateway(scope: Scope) -> bool:
    """Whether the proxy marked a request as an environment's, or it is about signing in through the provider."""
    return any(name == _MARK for name, _ in scope["headers"]) or scope.get("raw_path", b"").startswith(openid.PREFIX)


def create_gateway(services: GatewayServices) -> ASGIApp:
    """The application."""

    async def page(request: Request) -> Response:
        return sign_in_page(services, request)

    async def key(request: Request) -> Response:
        return await sign_in_with_key(services, request)

    async def login(request: Request) -> Response:
        return await log_in(services, request)

    async def command(request: Request) -> Response:
        return await run_command(services, request)

    async def execution_role(request: Request) -> Response:
        return await run_in_threadpool(give_credentials, services, request)

    async def missing(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        answer = PlainTextResponse("Not found\n" if status == HTTP_404_NOT_FOUND else "Method not allowed\n", status)
        return await run_in_threadpool(recorded, services, nothing_there(services, request), answer)

    async def broken(request: Request, error: Exception) -> Response:
        """A defect of ours, logged by the server: an attempt like any other. Who hung up has not asked to the end."""
        if isinstance(error, ClientDisconnect):
            return Response(status_code=400)
        return await run_in_threadpool(failed, services, request)

    application = Starlette(
        routes=[
            *_provider_routes(services),
            *_both("/aws_mwaa/aws-console-sso", page, "GET"),
            *_both("/pluginsv2/aws_mwaa/aws-console-sso", page, "GET"),
            Route("/aws_mwaa/sign-in", page, methods=["GET"]),
            Route("/aws_mwaa/sign-in", key, methods=["POST"]),
            *_both("/aws_mwaa/login", login, "POST"),
            *_both("/pluginsv2/aws_mwaa/login", login, "POST"),
            *_both("/aws_mwaa/cli", command, "POST"),
            *_both("/pluginsv2/aws_mwaa/cli", command, "POST"),
            Route(PATH, execution_role, methods=["POST"]),
        ],
        exception_handlers={404: missing, 405: missing, Exception: broken},
    )
    application.router.redirect_slashes = False  # a redirect would repeat whatever Host a client made up
    return application


def _both(path: str, handler: Callable[[Request], Awaitable[Response]], method: str) -> list[Route]:
    """MWAA's paths, with and without a slash at the end: clients send either."""
    return [Route(each, handler, methods=[method]) for each in (path, f"{path}/")]


def _provider_routes(services: GatewayServices) -> list[Route]:
    if services.openid is None:
        return []
    provider, turns = services.openid, asyncio.Semaphore(_WITH_THE_PROVIDER)

    async def start(request: Request) -> Response:
        async with turns:
            return await openid.start(services, provider, request)

    async def callback(request: Request) -> Response:
        async with turns:
            return await openid.callback(services, provider, request)

    return [Route(START, start, methods=["GET"]), Route(CALLBACK, callback, methods=["GET"])]
