"""Sign-in through an OpenID Connect provider, on the API's host: `/tradewind/sign-in/start` and `…/callback`.

All environments share one callback, since providers want each redirect URI registered. The sign-in page of an
environment links to `start`, which remembers environment and `next` in the browser's cookie and goes to the provider.
`callback` ends in a web login token of 60 seconds, in the fragment of the environment's own sign-in page: the session
cookie is set by the environment's host, and by nobody else. An answer of the provider is worth nothing without the
cookie, which a link from elsewhere cannot bring along, and nothing the second time.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tradewind.access.identities import airflow_identity
from tradewind.access.openid import Attempt, OpenIdRefused, Person, ProviderUnavailable
from tradewind.access.tokens import Grant, mint_web_token
from tradewind.audit import caller
from tradewind.domain.environments import Environment
from tradewind.domain.identifiers import EnvironmentId
from tradewind.gateway.auditing import Attempt as Record
from tradewind.gateway.auditing import recorded, sign_in
from tradewind.gateway.contexts import context_of
from tradewind.gateway.destinations import destination
from tradewind.gateway.forgery import origin_of
from tradewind.gateway.limits import SENTENCE, address_of
from tradewind.gateway.pages import SignInPage, headers, provider_link, render
from tradewind.gateway.services import GatewayServices, OpenIdSignIn

PREFIX = b"/tradewind/sign-in/"
COOKIE = "__Host-tradewind-openid"
_SECONDS = 600
_NOT_UP = "The environment is not available."
_log = structlog.get_logger(__name__)


async def start(services: GatewayServices, openid: OpenIdSignIn, request: Request) -> Response:
    """303 to the provider."""
    return await run_in_threadpool(_start, services, openid, request)


async def callback(services: GatewayServices, openid: OpenIdSignIn, request: Request) -> Response:
    """303 to the environment's sign-in page with a token, or a page that says why not; neither without a record."""
    record = sign_in(services, request, "OpenIdConnect")
    if wait := services.tries.wait(address_of(request)):
        page = render(SignInPage(problem=SENTENCE), 429)
        page.headers["Retry-After"] = str(wait.seconds)
    else:
        page = await run_in_threadpool(_callback, _Return(services, openid, request, record))
    return await run_in_threadpool(recorded, services, record, page)


def _start(services: GatewayServices, openid: OpenIdSignIn, request: Request) -> Response:
    wanted = destination(request.query_params.get("next"), origin_of(request))
    environment = _environment(services, request.query_params.get("environment", ""))
    if environment is None:
        return render(SignInPage(problem=_NOT_UP), 404)
    try:
        url, kept = openid.flow.begin(str(environment.id), wanted)
    except ProviderUnavailable as error:
        _log.warning("openid", action="failed", reason=error.detail)
        return render(SignInPage(problem=error.sentence), 503)
    response = _redirect(url)
    response.set_cookie(COOKIE, kept, max_age=_SECONDS, path="/", secure=True, httponly=True, samesite="lax")
    return response


@dataclass(frozen=True)
class _Return:
    """A browser that came back from the provider, and what will be recorded of it."""

    services: GatewayServices
    openid: OpenIdSignIn
    request: Request
    record: Record


def _callback(returned: _Return) -> Response:
    query, openid = _once(returned.request), returned.openid
    try:
        attempt = openid.flow.attempt_of(query, returned.request.cookies.get(COOKIE))
    except OpenIdRefused as refused:
        return _refused(returned, refused, SignInPage(problem=refused.sentence))
    link = provider_link(openid.flow, attempt.environment, attempt.destination)
    response = _finish(returned, query, attempt, SignInPage(provider=link))
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


def _finish(returned: _Return, query: Mapping[str, str], attempt: Attempt, page: SignInPage) -> Response:
    services, openid, record = returned.services, returned.openid, returned.record
    try:
        claims = openid.flow.finish(query, attempt)
        record.environment = environment = _environment(services, attempt.environment)
        if environment is None:
            return render(page.saying(_NOT_UP), 503)
        person = openid.federation.person(claims, environment.name, context_of(services, returned.request))
    except OpenIdRefused as refused:
        return _refused(returned, refused, page.saying(refused.sentence))
    except ProviderUnavailable as error:
        _log.warning("openid", action="failed", environment=attempt.environment, reason=error.detail)
        record.details["reason"] = error.sentence
        return render(page.saying(error.sentence), 503)
    _log.info("openid", action="signed_in", environment=attempt.environment, identity=person.principal.identity)
    record.identity = caller(person.principal.arn, user_id=person.principal.user_id, role_arn=person.principal.role_arn)
    record.response = {"roles": person.roles}
    token = mint_web_token(_grant(person, environment), services.account.token_key, services.now())
    query_text = urlencode({"login": "true", "next": attempt.destination})
    return _redirect(f"https://{openid.host(environment)}/aws_mwaa/aws-console-sso?{query_text}#{token}")


def _grant(person: Person, environment: Environment) -> Grant:
    identity = person.principal.identity
    return Grant(environment.id, environment.name, identity, airflow_identity(identity).user_name, person.roles)


def _refused(returned: _Return, refused: OpenIdRefused, page: SignInPage) -> Response:
    returned.services.tries.wrong(address_of(returned.request))
    returned.record.details["reason"] = refused.sentence
    _log.info("openid", action="refused", reason=refused.sentence, detail=refused.detail)
    return render(page, 403)


def _environment(services: GatewayServices, id_: str) -> Environment | None:
    try:
        environment = services.environments.get(EnvironmentId(id_))
    except ValueError:
        return None
    return environment if environment is not None and environment.is_up else None


def _once(request: Request) -> Mapping[str, str]:
    """The query's parameters; one that is there twice is not there (RFC 6749 3.1)."""
    pairs = request.query_params.multi_items()
    times = Counter(name for name, _ in pairs)
    return {name: value for name, value in pairs if times[name] == 1}


def _redirect(url: str) -> Response:
    return RedirectResponse(url, 303, headers=headers())
