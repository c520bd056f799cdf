"""`POST /aws_mwaa/sign-in`: the form for an access key, and a browser that is signed in or told why not.

The secret is compared in constant time, and every refusal of a key is answered at the same moment after the form's last
byte, with the same words: whether an access key exists cannot be told from outside. (Counted from the request's
beginning, the time would be over before a form that is sent slowly is there, and the looking up could be measured.) The
secret is in no log, no answer and no exception. Whoever has a key that may use no Airflow role of the environment is
told which permission is missing: they have proven who they are.
"""

import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tradewind.access.identities import airflow_identity
from tradewind.access.roles import ROLES, WEB_LOGIN, airflow_roles
from tradewind.access.sessions import SessionRefused
from tradewind.audit import caller, unknown
from tradewind.domain.environments import Environment
from tradewind.gateway import forgery
from tradewind.gateway.auditing import Attempt, recorded, sign_in
from tradewind.gateway.contexts import context_of
from tradewind.gateway.destinations import destination
from tradewind.gateway.environments import environment_of, mark_of
from tradewind.gateway.forms import read_form
from tradewind.gateway.limits import SENTENCE, address_of
from tradewind.gateway.login import give_session, open_session
from tradewind.gateway.page import offer
from tradewind.gateway.services import GatewayServices, KeySignIn
from tradewind.iam import Principal
from tradewind.store import Credential

REFUSAL_SECONDS = 0.3  # longer than looking a key up takes
_ACCESS_KEY = re.compile(r"[A-Z0-9]{16,128}")
_NO_SECRET = "0" * 40
_WRONG = "The access key ID, the secret access key or the session token is not right."
_STALE = "This page was too old, or the form came from elsewhere. Please try again."
_EXPIRED = "These temporary credentials have expired."
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Typed:
    """What somebody filled in."""

    access_key_id: str
    secret: str = field(repr=False)
    session_token: str | None = field(repr=False)
    wanted: str


@dataclass(frozen=True)
class _Refused:
    """Why somebody is not signed in. `is_wrong`: with a key that was no good."""

    status: int
    sentence: str
    is_wrong: bool = False


async def sign_in_with_key(services: GatewayServices, request: Request) -> Response:
    """303 to where the person wanted to go, with the session; else the page again, with what went wrong."""
    attempt = sign_in(services, request, "AccessKey")
    if services.keys is None:
        response = offer(services, request, wanted=None, problem="Access keys are not taken here.", status=404)
        return await run_in_threadpool(recorded, services, attempt, response)
    form = await read_form(request)
    began = time.monotonic()
    if form is None or not _is_ours(services, request, form):
        attempt.details["reason"] = _STALE
        response = offer(services, request, wanted=(form or {}).get("next"), problem=_STALE, status=403)
        return await run_in_threadpool(recorded, services, attempt, response)
    typed = _typed(form)
    attempt.identity = unknown(_shown(typed))
    if wait := services.tries.wait(address_of(request), typed.access_key_id):
        response = offer(services, request, wanted=typed.wanted, problem=SENTENCE, status=429)
        response.headers["Retry-After"] = str(wait.seconds)
        return await run_in_threadpool(recorded, services, attempt, response)
    outcome = await run_in_threadpool(_sign_in, services, services.keys, request, typed, attempt)
    if isinstance(outcome, Response):
        return await run_in_threadpool(recorded, services, attempt, outcome)
    if outcome.is_wrong:
        services.tries.wrong(address_of(request), typed.access_key_id)
        await services.keys.pause(max(0.0, began + REFUSAL_SECONDS - time.monotonic()))
    attempt.details["reason"] = outcome.sentence
    response = offer(
        services,
        request,
        wanted=typed.wanted,
        problem=outcome.sentence,
        access_key_id=_shown(typed),
        status=outcome.status,
    )
    return await run_in_threadpool(recorded, services, attempt, response)


def _is_ours(services: GatewayServices, request: Request, form: Mapping[str, str]) -> bool:
    given = form.get(forgery.FIELD, "")
    return forgery.is_same_origin(request) and forgery.is_ours(
        request, given, mark_of(request), services.account.token_key
    )


def _typed(form: Mapping[str, str]) -> _Typed:
    """Blanks around it come with copying; no key, secret or token holds any."""
    return _Typed(
        access_key_id=form.get("access_key_id", "").strip()[:128],
        secret=form.get("secret_access_key", "").strip(),
        session_token=form.get("session_token", "").strip() or None,
        wanted=form.get("next", ""),
    )


def _sign_in(
    services: GatewayServices, keys: KeySignIn, request: Request, typed: _Typed, attempt: Attempt
) -> Response | _Refused:
    attempt.environment = environment = environment_of(services, request)
    if environment is None:
        return _Refused(503, "The environment is not available.")
    credential = keys.credential(typed.access_key_id) if _ACCESS_KEY.fullmatch(typed.access_key_id) else None
    if not _is_right(credential, typed) or credential is None:
        _log.info("key_sign_in", action="refused", environment=str(environment.id), access_key_id=_shown(typed) or "-")
        return _Refused(403, _WRONG, is_wrong=True)
    services.tries.right(address_of(request), typed.access_key_id)
    attempt.identity = caller(credential.principal.arn, access_key_id=typed.access_key_id)
    if credential.expires is not None and credential.expires <= services.now():
        return _Refused(403, _EXPIRED)
    context = context_of(services, request)
    roles = airflow_roles(credential.principal, credential.holding, environment.name, keys.place, context)
    if not roles:
        return _Refused(403, _missing(credential.principal, environment, keys))
    outcome = _enter(services, environment, credential.principal.identity, roles)
    if isinstance(outcome, _Refused):
        return outcome
    attempt.response = {"airflowIdentity": airflow_identity(credential.principal.identity).user_name, "roles": roles}
    target = destination(typed.wanted, forgery.origin_of(request))
    response = RedirectResponse(target, 303, headers={"Cache-Control": "no-store"})
    give_session(response, outcome)
    return response


def _is_right(credential: Credential | None, typed: _Typed) -> bool:
    """Compare as much for a key that is not there as for one that is."""
    secret = credential.secret if credential else _NO_SECRET
    token = (credential.session_token if credential else None) or ""
    secret_is_right = hmac.compare_digest(secret.encode(), typed.secret.encode())
    token_is_right = hmac.compare_digest(token.encode(), (typed.session_token or "").encode())
    return credential is not None and credential.is_active and secret_is_right and token_is_right


def _missing(principal: Principal, environment: Environment, keys: KeySignIn) -> str:
    _log.info("key_sign_in", action="denied", environment=str(environment.id), identity=principal.identity)
    resources = ", ".join(keys.place.airflow_role(environment.name, role) for role in ROLES)
    return f"User: {principal.arn} is not authorized to perform: {WEB_LOGIN} on any of the resources: {resources}"


def _enter(
    services: GatewayServices, environment: Environment, identity: str, roles: tuple[str, ...]
) -> str | _Refused:
    try:
        session = open_session(services, environment, identity, roles)
    except SessionRefused as refused:
        _log.warning("key_sign_in", action="failed", environment=str(environment.id), reason=refused.sentence)
        return _Refused(503, "Airflow's web server does not answer.")
    _log.info("key_sign_in", action="signed_in", environment=str(environment.id), identity=identity)
    return session


def _shown(typed: _Typed) -> str:
    return typed.access_key_id if _ACCESS_KEY.fullmatch(typed.access_key_id) else ""
