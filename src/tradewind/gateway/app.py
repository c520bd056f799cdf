"""The gateway as an ASGI application: five paths, each on every environment's host.

| path | what |
| --- | --- |
| GET /aws_mwaa/aws-console-sso | the page that takes a web token out of the URL's fragment and posts it |
| POST /aws_mwaa/login, /pluginsv2/aws_mwaa/login | a web token for Airflow's session (cookie `_token`) |
| POST /aws_mwaa/cli, /pluginsv2/aws_mwaa/cli | one command of Airflow's command line |

Sources: MWAA User Guide, "call-mwaa-apis-web" and "call-mwaa-apis-cli": their samples use these paths verbatim.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Scope

from tradewind.gateway.command import run_command
from tradewind.gateway.login import log_in, sign_in_page
from tradewind.gateway.services import GatewayServices

_MARK = b"x-tradewind-environment"


def is_for_gateway(scope: Scope) -> bool:
    """Whether the proxy marked a request as an environment's."""
    return any(name == _MARK for name, _ in scope["headers"])


def create_gateway(services: GatewayServices) -> ASGIApp:
    """The application."""

    async def page(_request: Request) -> Response:
        return sign_in_page()

    async def login(request: Request) -> Response:
        return await log_in(services, request)

    async def command(request: Request) -> Response:
        return await run_command(services, request)

    async def missing(_request: Request, _error: Exception) -> Response:
        return PlainTextResponse("Not found\n", 404)

    return Starlette(
        routes=[
            Route("/aws_mwaa/aws-console-sso", page, methods=["GET"]),
            Route("/pluginsv2/aws_mwaa/aws-console-sso", page, methods=["GET"]),
            Route("/aws_mwaa/login", login, methods=["POST"]),
            Route("/pluginsv2/aws_mwaa/login", login, methods=["POST"]),
            Route("/aws_mwaa/cli", command, methods=["POST"]),
            Route("/pluginsv2/aws_mwaa/cli", command, methods=["POST"]),
        ],
        exception_handlers={404: missing},
    )
