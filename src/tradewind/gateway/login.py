"""Sign-in with a web token, for browsers and programs.

The token comes in a form field `token`, or, for a browser, in the fragment of the sign-in page, which the
page's script posts. It is used up, exchanged for Airflow's session, and the session goes into the cookie
`_token` (secure, http-only, host-only), where Airflow 3's UI and MWAA's own clients read it. The page
loads nothing from elsewhere and may not be framed; after sign-in it goes to `next`, a path of this host only.
"""

import base64
import hashlib
from urllib.parse import parse_qs

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tradewind.access.identities import airflow_identity
from tradewind.access.sessions import ApiServer, SessionRefused
from tradewind.access.tokens import TokenRefused, redeem_web_token
from tradewind.domain.environments import Environment
from tradewind.gateway.environments import environment_of
from tradewind.gateway.services import GatewayServices

SESSION_SECONDS = 12 * 3600
_FORM_LIMIT = 20_000
_log = structlog.get_logger(__name__)

_SCRIPT = """
const say = (text) => { document.getElementById("say").textContent = text; };
const token = decodeURIComponent(location.hash.slice(1));
const wanted = new URL(new URLSearchParams(location.search).get("next") || "/", location.origin);
const next = wanted.origin === location.origin ? wanted.pathname + wanted.search + wanted.hash : "/";
if (!token) {
  document.getElementById("how").hidden = false;
  say("You are not signed in.");
} else {
  history.replaceState(null, "", location.pathname + location.search);
  say("Signing you in\\u2026");
  fetch("/pluginsv2/aws_mwaa/login", {
    method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded"},
    body: new URLSearchParams({token}), redirect: "error",
  }).then(async (answer) => {
    if (answer.ok) { location.replace(next); return; }
    const problem = await answer.json().catch(() => ({}));
    document.getElementById("how").hidden = false;
    say("Sign-in failed: " + (problem.message || answer.status));
  }).catch(() => say("Sign-in failed: the service does not answer."));
}
"""
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1rem;color:#17324d}"
    "code{background:#eef2f6;padding:.1em .3em;border-radius:3px}"
)
_PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in - Tradewind</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>
<body><h1>Tradewind</h1><p id="say" role="status">This page needs JavaScript.</p>
<div id="how" hidden><p>To sign in, ask for a link that is good for 60 seconds:</p>
<p><code>tradewind open NAME</code></p>
<p>or call <code>aws mwaa create-web-login-token --name NAME</code>.</p></div>
<script>{_SCRIPT}</script></body></html>
"""


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        f"default-src 'none'; script-src {_digest(_SCRIPT)}; style-src {_digest(_STYLE)}; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


def sign_in_page() -> Response:
    """The page. It is the same for everyone: token and `next` are read by its script."""
    return HTMLResponse(_PAGE, headers=_HEADERS)


async def log_in(services: GatewayServices, request: Request) -> Response:
    """Redeem a web token: 200 with the cookie, 403 for a token that is no good, 503 when Airflow does not answer."""
    token = await _token(request)
    if token is None:
        return _problem(400, "The form field token is missing.")
    return await run_in_threadpool(_redeem, services, request, token)


async def _token(request: Request) -> str | None:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _FORM_LIMIT:
            return None
    fields = parse_qs(body.decode("utf-8", "replace"))
    return fields.get("token", [None])[0]


def _redeem(services: GatewayServices, request: Request, token: str) -> Response:
    environment = environment_of(services, request)
    if environment is None:
        return _problem(503, "The environment is not available.")
    try:
        login = redeem_web_token(
            token, environment.id, services.account.token_key, services.now(), services.used_tokens
        )
        session = _session(services, environment, login.grant.iam_identity, login.grant.roles)
    except TokenRefused as refused:
        _log.info("login", action="refused", environment=str(environment.id), reason=refused.reason.value)
        return _problem(403, refused.sentence)
    except SessionRefused as refused:
        _log.warning("login", action="failed", environment=str(environment.id), reason=refused.sentence)
        return _problem(503, "Airflow's web server does not answer.")
    _log.info("login", action="signed_in", environment=str(environment.id), identity=login.grant.airflow_identity)
    response = JSONResponse({"AirflowIdentity": login.grant.airflow_identity}, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        "_token", session, max_age=SESSION_SECONDS, path="/", secure=True, httponly=True, samesite="lax"
    )
    return response


def _session(services: GatewayServices, environment: Environment, identity: str, roles: tuple[str, ...]) -> str:
    server = ApiServer(environment.id, environment.ports.api, environment.secrets.assertion_secret.encode())
    return services.sessions.open(server, airflow_identity(identity), roles)


def _problem(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status, headers={"Cache-Control": "no-store"})
