"""Sign-in with a web token, for browsers and programs.

The token comes in a form field `token`, or, for a browser, in the fragment of the sign-in page, which the
page's script posts. It is used up, exchanged for Airflow's session, and the session goes into the cookie
`_token` (secure, http-only, host-only), where Airflow 3's UI and MWAA's own clients read it. A token that is right is
always taken; of those that are no good an address may send so many, and the next ones are answered 429: whoever shares
an address with others (a task on this machine, somebody behind the same proxy) locks nobody out.

A form of another site's page, or of another environment's, is refused: its token is of whoever made the page, and its
visitor would go on working in that person's name.
"""

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tradewind.access.identities import airflow_identity
from tradewind.access.sessions import ApiServer, SessionRefused
from tradewind.access.tokens import TokenRefused, redeem_web_token
from tradewind.audit import named
from tradewind.domain.environments import Environment
from tradewind.gateway.auditing import Attempt, recorded, sign_in
from tradewind.gateway.environments import environment_of
from tradewind.gateway.forgery import is_from_elsewhere
from tradewind.gateway.forms import read_token
from tradewind.gateway.limits import one_more_wrong
from tradewind.gateway.services import GatewayServices

SESSION_SECONDS = 12 * 3600
_log = structlog.get_logger(__name__)


async def log_in(services: GatewayServices, request: Request) -> Response:
    """Redeem a web token: 200 with the cookie, 403 (in the end 429) for one that is no good, 503 without an Airflow."""
    token = await read_token(request)
    return await run_in_threadpool(_log_in, services, request, token)


def _log_in(services: GatewayServices, request: Request, token: str | None) -> Response:
    attempt = sign_in(services, request)
    if is_from_elsewhere(request):
        attempt.details["reason"] = "another origin's page"
        return recorded(services, attempt, _problem(403, "A page of another origin may not do this."))
    if token is None:
        return recorded(services, attempt, _problem(400, "The form field token is missing."))
    return recorded(services, attempt, _redeem(services, request, token, attempt))


def _redeem(services: GatewayServices, request: Request, token: str, attempt: Attempt) -> Response:
    attempt.environment = environment = environment_of(services, request)
    if environment is None:
        return _problem(503, "The environment is not available.")
    try:
        login = redeem_web_token(
            token, environment.id, services.account.token_key, services.now(), services.used_tokens
        )
        attempt.identity = named(login.grant.iam_identity, services.account.account_id)
        session = open_session(services, environment, login.grant.iam_identity, login.grant.roles)
    except TokenRefused as refused:
        _log.info("login", action="refused", environment=str(environment.id), reason=refused.reason.value)
        attempt.details["reason"] = refused.reason.value
        return one_more_wrong(services.tries, request) or _problem(403, refused.sentence)
    except SessionRefused as refused:
        _log.warning("login", action="failed", environment=str(environment.id), reason=refused.sentence)
        return _problem(503, "Airflow's web server does not answer.")
    _log.info("login", action="signed_in", environment=str(environment.id), identity=login.grant.airflow_identity)
    attempt.response = {"airflowIdentity": login.grant.airflow_identity, "roles": login.grant.roles}
    response = JSONResponse({"AirflowIdentity": login.grant.airflow_identity}, headers={"Cache-Control": "no-store"})
    give_session(response, session)
    return response


def open_session(services: GatewayServices, environment: Environment, identity: str, roles: tuple[str, ...]) -> str:
    """Airflow's session for an IAM identity with these roles. Raises SessionRefused."""
    server = ApiServer(environment.id, environment.ports.api, environment.secrets.assertion_secret.encode())
    return services.sessions.open(server, airflow_identity(identity), roles)


def give_session(response: Response, session: str) -> None:
    """Put Airflow's session into its cookie."""
    response.set_cookie(
        "_token", session, max_age=SESSION_SECONDS, path="/", secure=True, httponly=True, samesite="lax"
    )


def _problem(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status, headers={"Cache-Control": "no-store"})
