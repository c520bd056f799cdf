"""Web login and CLI tokens: what CreateWebLoginToken and CreateCliToken answer, and what redeems them.

A token is a JWT, signed HS256 with a key that only control planes hold (32 bytes), good for 60 seconds
from `iat` (whole seconds since 1970, UTC). Claims: `typ` (web-login or cli), `aud` (the environment's id),
`env` (its name), `iam` and `sub` (IAM identity and Airflow user name), `roles`, `jti`, `iat`, `exp`.

The environment's id binds a token to one environment and not to the next one of that name. A web token
works once, since it travels through a browser's address bar: `UsedTokens` remembers it until it expires.
A CLI token works any number of times in its 60 seconds: the clients in MWAA's documentation follow
redirects (`curl -L`) and so present it twice for one command.

Refusals carry a reason for the log, and a sentence for the client that tells expired from used, which
its owner needs, and nothing else apart: whether a token was altered, of another kind or for another
environment is said in the same words.
"""

import enum
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import jwt

from tradewind.domain.errors import TradewindError
from tradewind.domain.identifiers import EnvironmentId

LIFETIME = timedelta(seconds=60)
KEY_BYTES = 32
_ALGORITHM = "HS256"
_LONGEST = 16384
_ENOUGH = ("aud", "env", "exp", "iam", "iat", "jti", "roles", "sub", "typ")
# Signature and shape only: time is the caller's, and the audience is checked with a reason of its own.
_UNTIMED: Any = {"require": list(_ENOUGH), "verify_exp": False, "verify_iat": False, "verify_aud": False}


class Reason(enum.Enum):
    """Why a token was refused: for logs and metrics, not for clients."""

    EXPIRED = "expired"
    OTHER_ENVIRONMENT = "other environment"
    ALTERED = "altered"
    WRONG_KIND = "wrong kind"
    ALREADY_USED = "already used"


_SENTENCES = {
    Reason.EXPIRED: "The token has expired. Ask for a new one.",
    Reason.ALREADY_USED: "The token has been used. Ask for a new one.",
}


class TokenRefused(TradewindError):
    """A token that does not let its bearer in."""

    def __init__(self, reason: Reason) -> None:
        """Say no more than the bearer needs."""
        super().__init__(_SENTENCES.get(reason, "The token is not valid."), code="TOKEN_REFUSED")
        self.reason = reason


class UsedTokens(Protocol):
    """Remembers tokens that work once. All control planes must share one memory."""

    def claim(self, jti: str, expires: datetime) -> bool:
        """Whether this call is the first for the id: atomically, and at least until it expires."""
        ...


@dataclass(frozen=True)
class Grant:
    """What a token says: somebody may enter one environment with some roles."""

    environment_id: EnvironmentId
    environment_name: str
    iam_identity: str
    airflow_identity: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class WebLoginToken:
    """A redeemed web login token."""

    grant: Grant
    jti: str
    expires: datetime


@dataclass(frozen=True)
class CliToken:
    """A redeemed CLI token."""

    grant: Grant
    jti: str
    expires: datetime


class _Kind(enum.Enum):
    WEB = "web-login"
    CLI = "cli"


def mint_web_token(grant: Grant, key: bytes, now: datetime) -> str:
    """Mint a token that signs somebody in, once."""
    return _mint(_Kind.WEB, grant, key, now)


def mint_cli_token(grant: Grant, key: bytes, now: datetime) -> str:
    """Mint a token that runs Airflow commands."""
    return _mint(_Kind.CLI, grant, key, now)


def redeem_web_token(
    token: str, environment_id: EnvironmentId, key: bytes, now: datetime, used: UsedTokens
) -> WebLoginToken:
    """Check a web token presented at an environment's host and use it up. Raises TokenRefused."""
    grant, jti, expires = _redeem(_Kind.WEB, token, environment_id, key, now)
    if not used.claim(jti, expires):
        raise TokenRefused(Reason.ALREADY_USED)
    return WebLoginToken(grant, jti, expires)


def redeem_cli_token(token: str, environment_id: EnvironmentId, key: bytes, now: datetime) -> CliToken:
    """Check a CLI token presented at an environment's host. Raises TokenRefused."""
    return CliToken(*_redeem(_Kind.CLI, token, environment_id, key, now))


def _mint(kind: _Kind, grant: Grant, key: bytes, now: datetime) -> str:
    issued = int(now.timestamp())
    claims = {
        "typ": kind.value,
        "aud": str(grant.environment_id),
        "env": grant.environment_name,
        "iam": grant.iam_identity,
        "sub": grant.airflow_identity,
        "roles": list(grant.roles),
        "jti": secrets.token_urlsafe(16),
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
    }
    return jwt.encode(claims, _checked(key), _ALGORITHM)


def _redeem(
    kind: _Kind, token: str, environment_id: EnvironmentId, key: bytes, now: datetime
) -> tuple[Grant, str, datetime]:
    claims = _verified(token, _checked(key))
    if claims["typ"] != kind.value:
        raise TokenRefused(Reason.WRONG_KIND)
    if claims["aud"] != str(environment_id):
        raise TokenRefused(Reason.OTHER_ENVIRONMENT)
    if now.timestamp() >= claims["exp"]:
        raise TokenRefused(Reason.EXPIRED)
    grant = Grant(environment_id, claims["env"], claims["iam"], claims["sub"], tuple(claims["roles"]))
    return grant, claims["jti"], datetime.fromtimestamp(claims["exp"], UTC)


def _verified(token: str, key: bytes) -> Mapping[str, Any]:
    """The claims of a token that we minted; whatever else it is, it was altered."""
    if len(token) > _LONGEST or not token.isascii():
        raise TokenRefused(Reason.ALTERED)
    try:
        claims: Mapping[str, Any] = jwt.decode(token, key, algorithms=[_ALGORITHM], options=_UNTIMED)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise TokenRefused(Reason.ALTERED) from error
    return claims


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a token key has {KEY_BYTES} bytes, not {len(key)}")
    return key
