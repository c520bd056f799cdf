"""Sign-in assertions: what the control plane says about a person, signed, for one environment and one minute.

A JWT, HS256 with the environment's own secret, which only the control plane and the API server hold. Claims:

    iss    "tradewind"
    aud    the environment's id
    sub    Airflow's user name, 1 to 64 characters
    roles  list of Airflow's default roles: Admin, Op, User, Viewer, Public (may be empty)
    name   what to show as the person's name (optional)
    exp, iat   seconds; at most 60 apart
    jti    any text; each assertion is good for one session
    session_seconds   how long the session may last, at most 12 hours (optional)
"""

import hashlib
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import jwt

ISSUER = "tradewind"
DEFAULT_ROLES = ("Admin", "Op", "User", "Viewer", "Public")
LIFETIME_SECONDS = 60
SESSION_SECONDS = 12 * 3600
_LEEWAY_SECONDS = 5  # control plane and API server read the same clock, or nearly
_SECRET_BYTES = 32


class AssertionRefused(Exception):
    """The assertion proves nothing. The sentence may be shown."""


@dataclass(frozen=True)
class Assertion:
    """A verified assertion."""

    user: str
    name: str
    roles: tuple[str, ...]
    session_seconds: int
    key: str  # 32 characters that name this assertion, for using it once
    expires_at: int


def verify(token: str, *, secret: str, environment_id: str) -> Assertion:
    """Check signature, audience, times and every claim. Raises AssertionRefused."""
    if len(secret.encode()) < _SECRET_BYTES:
        raise AssertionRefused("cannot sign in: this environment has no assertion secret")
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=environment_id,
            issuer=ISSUER,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["iss", "aud", "sub", "exp", "iat", "jti"]},
        )
    except jwt.InvalidTokenError as error:
        raise AssertionRefused(f"cannot sign in: {error}") from error
    return _read(claims)


def _read(claims: dict[str, Any]) -> Assertion:
    user, roles, name = claims["sub"], claims.get("roles"), claims.get("name") or claims["sub"]
    expires_at, seconds = claims["exp"], claims.get("session_seconds", SESSION_SECONDS)
    if not isinstance(expires_at, int) or not isinstance(claims["iat"], int):  # a text of digits passes elsewhere
        raise AssertionRefused("cannot sign in: exp and iat must be whole numbers")
    if expires_at - claims["iat"] > LIFETIME_SECONDS or expires_at > time.time() + LIFETIME_SECONDS + _LEEWAY_SECONDS:
        raise AssertionRefused(f"cannot sign in: the assertion is good for more than {LIFETIME_SECONDS} seconds")
    if not isinstance(user, str) or not 1 <= len(user) <= 64:  # noqa: PLR2004
        raise AssertionRefused("cannot sign in: a user name has 1 to 64 characters")
    if not isinstance(name, str):
        raise AssertionRefused("cannot sign in: name is not a text")
    if not isinstance(roles, list) or not all(role in DEFAULT_ROLES for role in roles):
        raise AssertionRefused(f"cannot sign in: roles must be among {', '.join(DEFAULT_ROLES)}")
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 1 <= seconds <= SESSION_SECONDS:
        raise AssertionRefused(f"cannot sign in: session_seconds must be from 1 to {SESSION_SECONDS}")
    key = hashlib.sha256(f"assertion:{claims['jti']}".encode()).hexdigest()[:32]
    return Assertion(user, name[:256], tuple(dict.fromkeys(roles)), seconds, key, expires_at)


def given_roles(asked: Collection[str], present: Collection[str], held: Collection[str]) -> tuple[str, ...]:
    """The names of the roles that a person has from now on: those asked for that are there, and his custom ones.

    An admin may delete or rename one of the default roles in Airflow: it gives nobody anything any more, but who was
    let in for several (the account's root for all five) still has the others. `present` are the roles of the
    environment, `held` the person's. Raises AssertionRefused when roles were asked for and he would have none at all.
    """
    kept = [role for role in asked if role in present]
    custom = [role for role in held if role not in DEFAULT_ROLES]
    if asked and not kept and not custom:
        raise AssertionRefused(f"cannot sign in: this environment's database has no role {', '.join(sorted(asked))}")
    return (*kept, *custom)
