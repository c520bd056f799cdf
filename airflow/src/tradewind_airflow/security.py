"""FAB's security manager without any way in of its own.

Airflow's API and pages know a person by the JWT that `auth` hands out (cookie `_token` or a bearer token). FAB's Flask
pages (users, roles, plugins' views) stock know only a Flask session made by a login form: here they read the same JWT.
Every check of a password, an LDAP bind, an OAuth answer or a REMOTE_USER says no, and nobody registers.
"""

from typing import Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.providers.fab.auth_manager.security_manager.override import FabAirflowSecurityManagerOverride
from flask_appbuilder.const import AUTH_REMOTE_USER
from jwt import InvalidTokenError

from tradewind_airflow.compat import spent


class TradewindSecurityManager(FabAirflowSecurityManagerOverride):
    """Users come from assertions only; Flask's views read Airflow's own token."""

    @property
    def auth_type(self) -> int:
        """REMOTE_USER: the only kind whose pages show no password field."""
        return AUTH_REMOTE_USER

    @property
    def auth_user_registration(self) -> bool:
        """Nobody registers."""
        return False

    def create_login_manager(self) -> Any:
        """Flask's login manager, reading the token of each request."""
        manager = super().create_login_manager()
        manager.user_loader(lambda _pk: None)  # a Flask session names nobody
        manager.request_loader(self._user_of)
        return manager

    def _user_of(self, request: Any) -> Any:
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE_NAME_JWT_TOKEN)
        if not token:
            return None
        try:
            claims = get_auth_manager()._get_token_validator().validated_claims(token)  # noqa: SLF001
        except InvalidTokenError:
            return None
        if (jti := claims.get("jti")) and spent.is_revoked(jti):
            return None
        return self.load_user(int(claims["sub"]))

    def auth_user_db(self, *_args: Any, **_kwargs: Any) -> None:
        """No password is right."""

    def auth_user_ldap(self, *_args: Any, **_kwargs: Any) -> None:
        """No directory is asked."""

    def auth_user_oauth(self, *_args: Any, **_kwargs: Any) -> None:
        """No provider is trusted."""

    def auth_user_remote_user(self, *_args: Any, **_kwargs: Any) -> None:
        """No header is trusted."""

    def check_password(self, *_args: Any, **_kwargs: Any) -> bool:
        """No password is right."""
        return False
