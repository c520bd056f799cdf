"""From an ID token to claims that can be relied on (OpenID Connect Core 1.0, 3.1.3.7).

The signature must be one of a public key of the provider's, by an algorithm of this list: never `none`, never a
shared secret, so a public key cannot be passed off as one. Then issuer, audience (and `azp`), the times with a minute
of leeway, the nonce of this very attempt, and `at_hash` where it is there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, ClaimError, InvalidKeyCurveError, JoseError

from tradewind.access.openid.discovery import PublicKey
from tradewind.access.openid.refusals import OpenIdRefused

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
LEEWAY = 60
OLDEST = 600
_LONGEST = 64 * 1024
_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_SENTENCE = "The sign-in provider's answer could not be verified."

Claims = Mapping[str, Any]


@dataclass(frozen=True)
class Expected:
    """What this attempt's token must say."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None = field(repr=False)
    now: datetime


def verify_id_token(token: str, keys: Callable[[str | None], Sequence[PublicKey]], expected: Expected) -> Claims:
    """The claims. `keys` gives the provider's keys of an id. Raises OpenIdRefused, or what `keys` raises."""
    verified = _verified(token, keys)
    claims = CodeIDToken(
        verified.claims,
        verified.header,
        {"iss": {"essential": True, "value": expected.issuer}, "aud": {"essential": True, "value": expected.client_id}},
        {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": expected.access_token},
    )
    now = int(expected.now.timestamp())
    try:
        claims.validate(now, LEEWAY)
    except (ClaimError, ValueError, TypeError) as error:
        raise OpenIdRefused(_SENTENCE, f"claims: {error}") from error
    _check_more(claims, expected, now)
    return verified.claims


def _check_more(claims: Claims, expected: Expected, now: int) -> None:
    """What the library leaves to its user."""
    if not isinstance(claims["sub"], str) or not 1 <= len(claims["sub"]) <= 255:  # noqa: PLR2004  (the standard's limit)
        raise OpenIdRefused(_SENTENCE, "sub is not a text of 1 to 255 characters")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if len(audiences) > 1 and claims.get("azp") != expected.client_id:
        raise OpenIdRefused(_SENTENCE, "several audiences, and azp is not this client")
    if claims["iat"] < now - OLDEST - LEEWAY:
        raise OpenIdRefused(_SENTENCE, "issued before this attempt began")


def _verified(token: str, keys: Callable[[str | None], Sequence[PublicKey]]) -> jwt.Token:
    if len(token) > _LONGEST or not token.isascii():
        raise OpenIdRefused(_SENTENCE, "the ID token is too long or no text")
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError) as error:
        raise OpenIdRefused(_SENTENCE, f"the ID token cannot be read: {error!r}") from error
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise OpenIdRefused(_SENTENCE, f"the ID token is signed with {algorithm!r}")
    candidates = [key for key in keys(kid if isinstance(kid, str) else None) if key.key_type == _TYPES[algorithm[:2]]]
    for key in candidates:
        try:
            return jwt.decode(token, key, registry=_registry())
        except (BadSignatureError, InvalidKeyCurveError):  # a token without a key's id may be any key's, of any curve
            continue
        except (JoseError, ValueError, TypeError) as error:
            raise OpenIdRefused(_SENTENCE, f"the ID token cannot be used: {error!r}") from error
    raise OpenIdRefused(_SENTENCE, f"no key of the provider's has signed the ID token (kid {kid!r})")


def _registry() -> jws.JWSRegistry:
    # Providers put headers of their own into tokens; a critical one that is not understood is refused all the same.
    return jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
