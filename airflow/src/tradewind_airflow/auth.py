"""Airflow's auth manager: FAB's roles and permissions, with users from Tradewind's tokens only.

    POST /auth/tradewind/session  {"assertion": "<JWT>"}  ->  201 {"access_token": "<Airflow's JWT>"}

is the one way in (see `assertions`). The answer is Airflow's own token, for `Authorization: Bearer` or the cookie
`_token`, good for 12 hours or less. Every further token that is asked for with it ends with it, because roles follow
from IAM at sign-in only. A browser without one is sent to `/aws_mwaa/aws-console-sso?login=true` on the same host,
which the control plane serves; `next` is kept. FAB's password endpoints answer 401 and its forms do not exist.
"""

import time
from contextvars import ContextVar
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import urlencode, urljoin

import jwt
from airflow.api_fastapi.core_api.security import is_safe_url
from airflow.configuration import conf
from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from airflow.utils.session import create_session
from fastapi import Body, FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from tradewind_airflow import people
from tradewind_airflow.assertions import SESSION_SECONDS, Assertion, AssertionRefused, verify
from tradewind_airflow.closed import close_process
from tradewind_airflow.compat import token_cookies

SIGN_IN_PATH = "/aws_mwaa/aws-console-sso"
_session_ends: ContextVar[int | None] = ContextVar("session_ends", default=None)  # of the session a request came with
_OUR_COOKIES = token_cookies.install()  # here, because every worker of the API server imports this


class TradewindFabAuthManager(FabAuthManager):
    """FAB's permissions, our people.

    Its name must hold "FabAuthManager": Airflow's DAG processor looks for that text before it writes permissions.
    """

    def init(self) -> None:
        """Run in each worker of the API server: closed once more, should the runtime lack our `.pth` file."""
        close_process()
        super().init()

    def get_fastapi_app(self) -> FastAPI | None:
        """FAB's application with our routes before its own."""
        app = super().get_fastapi_app()
        if app is not None:
            ours = FastAPI(openapi_url=None)
            ours.add_api_route("/tradewind/session", _open_session, methods=["POST"], status_code=201)
            ours.add_api_route("/login", _sign_in, methods=["GET"])
            ours.add_api_route("/login/", _sign_in, methods=["GET"])
            if _OUR_COOKIES:
                ours.add_api_route("/logout", _sign_out, methods=["GET"])
                ours.add_api_route("/logout/", _sign_out, methods=["GET"])
            app.router.routes[:0] = [route for route in ours.router.routes if isinstance(route, APIRoute)]
        return app

    def create_token(self, headers: dict[str, str], body: dict[str, Any]) -> None:  # noqa: ARG002
        """Refuse: FAB's `/auth/token` takes a password, and no password is right."""
        return

    async def get_user_from_token(self, token: str) -> Any:
        """Tell whose token this is, and remember for the rest of the request when it expires."""
        user = await super().get_user_from_token(token)
        _session_ends.set(_end_of(token))  # it was verified above
        return user

    def generate_jwt(self, user: Any, *, expiration_time_in_seconds: int = SESSION_SECONDS) -> str:
        """Make a further token for somebody with a session (`/ui/auth/token`): it ends with the session at the latest.

        Stock's ends as late as that of a new session. Whoever asks again before that is never asked by IAM again.
        """
        if (ends := _session_ends.get()) is None:
            return super().generate_jwt(user, expiration_time_in_seconds=expiration_time_in_seconds)
        while True:
            seconds = min(expiration_time_in_seconds, ends - int(time.time()))
            token = super().generate_jwt(user, expiration_time_in_seconds=seconds)
            if _end_of(token) <= ends:  # stock looks at the clock again: a second may have begun
                return token

    @cached_property
    def security_manager(self) -> Any:
        """FAB's, without its ways in."""
        from tradewind_airflow.security import TradewindSecurityManager

        if self.appbuilder is None:
            raise RuntimeError("cannot make the security manager: there is no application yet")
        return TradewindSecurityManager(self.appbuilder)

    def _get_auth_role_public(self) -> None:
        """Nobody comes in without a token, whatever a configuration says."""
        return

    def sign_in(self, assertion: Assertion) -> str:
        """Open a session: Airflow's token for the person that the assertion names."""
        with create_session(scoped=False) as session:
            people.use_once(assertion, session)
            user = people.enter(assertion, session)
            # roles may have changed; other workers notice within [fab] cache_ttl, where there is a cache (from 3.1 on)
            getattr(self, "cache", {}).pop(user.id, None)
            # stock's, since a session may begin in a browser that still has another
            return super().generate_jwt(user, expiration_time_in_seconds=assertion.session_seconds)


def _end_of(token: str) -> int:
    return int(jwt.decode(token, options={"verify_signature": False})["exp"])


def _open_session(assertion: Annotated[str, Body(embed=True, max_length=16384)]) -> dict[str, str]:
    try:
        verified = verify(
            assertion,
            secret=conf.get("tradewind", "assertion_secret", fallback="") or "",
            environment_id=conf.get("tradewind", "environment_id", fallback="") or "",
        )
        return {"access_token": _manager().sign_in(verified)}
    except AssertionRefused as refused:
        raise HTTPException(401, str(refused)) from refused


def _sign_in(request: Request, next: str = "") -> RedirectResponse:  # noqa: A002  Airflow's own name of the parameter
    if next and not is_safe_url(next, request=request):
        raise HTTPException(400, "cannot go there after signing in: next leads to another site")
    query = urlencode({"login": "true", **({"next": next} if next else {})})
    return RedirectResponse(f"{urljoin(_manager().apiserver_endpoint, SIGN_IN_PATH)}?{query}", 302)


def _sign_out() -> RedirectResponse:
    """Take the cookie away, where Airflow leaves that to the UI's scripts, which cannot see ours."""
    answer = RedirectResponse(_manager().apiserver_endpoint, 302)
    answer.delete_cookie(token_cookies.COOKIE, secure=conf.getboolean("fab", "cookie_secure"), httponly=True)
    return answer


def _manager() -> Any:
    from airflow.api_fastapi.app import get_auth_manager

    return get_auth_manager()
