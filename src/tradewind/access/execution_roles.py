"""Credentials of the execution role: what is issued, and the proof that an environment shows: a JWT, good once.

HS256 with a key that follows from the environment's own assertion secret (`recipe/execution_roles.py`). Claims: `iss`
"tradewind-environment", `aud` "execution-role", `sub` the environment's id, `role` the ARN that it wants, `iat`, `exp`
(at most 60 s later), `jti`. The key alone decides which environment asks; the claim of the role only keeps a process
that was started for another role from getting this one's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import jwt

from tradewind.access.tokens import UsedTokens
from tradewind.domain.environments import Environment
from tradewind.domain.errors import TradewindError
from tradewind.recipe.execution_roles import signing_key

ISSUER, AUDIENCE = "tradewind-environment", "execution-role"
LIFETIME_SECONDS = 60
_LEEWAY_SECONDS = 5  # both read the same clock
_LONGEST = 4096
_JTI = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True)
class TemporaryCredentials:
    """What is issued for a role. `expiration` is of UTC."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expiration: datetime


class CannotIssue(TradewindError):
    """There is no such role, or it does not trust environments. The sentence goes to tasks, and says what to do."""


IssueCredentials = Callable[[Environment], TemporaryCredentials]
"""Issues for the environment's execution role, for hours. Raises CannotIssue."""


class ProofRefused(TradewindError):
    """The JWT proves nothing."""

    def __init__(self) -> None:
        """Say no more than the bearer needs."""
        super().__init__("The environment's proof is not valid.", code="PROOF_REFUSED")


def redeem(token: str, environment: Environment, now: datetime, used: UsedTokens) -> str:
    """Check a proof and use it up; answers the ARN of the role that is wanted. Raises ProofRefused."""
    moment = now.timestamp()
    try:
        claims = jwt.decode(
            token if len(token) <= _LONGEST and token.isascii() else "",
            signing_key(environment.secrets),
            algorithms=["HS256"],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={
                "require": ["iss", "aud", "sub", "role", "exp", "iat", "jti"],
                "verify_exp": False,  # time is the caller's
                "verify_iat": False,
            },
        )
        issued, expires, role, jti = (claims[name] for name in ("iat", "exp", "role", "jti"))
        is_timely = issued - _LEEWAY_SECONDS <= moment < expires <= issued + LIFETIME_SECONDS
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise ProofRefused from error
    if not (is_timely and claims["sub"] == str(environment.id) and isinstance(role, str) and _is_kept(jti)):
        raise ProofRefused
    until = datetime.fromtimestamp(expires + _LEEWAY_SECONDS, UTC)
    if not used.claim(f"execution-role:{environment.id}:{jti}", until):
        raise ProofRefused
    return role


def _is_kept(jti: object) -> bool:
    """Whether the store can remember it: not any text, NUL for one."""
    return isinstance(jti, str) and _JTI.fullmatch(jti) is not None
