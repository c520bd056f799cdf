"""AWS Signature Version 4, the verifying side.

A caller signs method, path, query, some headers and the body's hash with a key derived from their secret, the
day, the region and the service. We compute the same from the request as it arrived: raw path, the Host received
(clients prefix it with `api.`, `env.` or `ops.`), the real hash of the body. `UNSIGNED-PAYLOAD` is S3's alone, so
a body is always covered. The signature comes in the Authorization header or, presigned, in the query.

Checked in this order, each with AWS's error type and words: is it there (MissingAuthenticationToken), is it whole
(IncompleteSignature), is it for here and now (InvalidSignature), are key and session token known (UnrecognizedClient),
is it right (InvalidSignature), is the key still good (ExpiredToken, told to nobody who does not hold the secret).
Clocks may differ by 5 minutes. A key that nobody has is verified against a secret that nobody has: how long a
refusal takes does not tell which keys exist.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote, unquote_to_bytes

from tradewind.wire.authorization import ALGORITHM, TERMINATOR, TOKEN_HEADER, Claim, read_claim, shown_moment
from tradewind.wire.errors import FrontDoorError

_SKEW = timedelta(minutes=5)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)
_UNRECOGNIZED = "The security token included in the request is invalid."
_UNSIGNED = "'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization."
_EXPIRED = "The security token included in the request is expired"


@dataclass(frozen=True)
class SignedRequest:
    """A request as it arrived: path and query not decoded, headers as text (ISO 8859-1), in their order."""

    method: str
    raw_path: str
    raw_query: str
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class Caller:
    """Who signed."""

    access_key_id: str


@dataclass(frozen=True)
class Key:
    """What an access key must be used with: its secret, the session token of temporary credentials, their end."""

    secret: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires: datetime | None = None


_NOBODY = Key(secrets.token_urlsafe(30))


def verify(
    request: SignedRequest,
    *,
    region: str,
    service: str,
    lookup: Callable[[str], Key | None],
    now: datetime,
    other_regions: Collection[str] = (),
) -> Caller:
    """Return the caller of a rightly signed request. `lookup` gives the key of an id. Raises FrontDoorError.

    `other_regions` may be signed for too: IAM and STS are global, and some clients sign for `us-east-1` or
    `aws-global` whatever region they are set to.
    """
    claim = read_claim(request.headers, request.raw_query)
    _refuse_scope(claim, {region, *other_regions}, service)
    _refuse_time(claim, now)
    key = lookup(claim.access_key_id)
    is_known = _is_token_of(key or _NOBODY, claim) and key is not None
    is_right = _is_signed_with((key or _NOBODY).secret, claim, request)
    if key is None or not is_known:
        raise FrontDoorError("UnrecognizedClientException", _UNRECOGNIZED)
    if claim.tokens and not claim.is_presigned and TOKEN_HEADER not in claim.signed_headers:
        raise FrontDoorError("InvalidSignatureException", _UNSIGNED)
    if not is_right:
        raise FrontDoorError("InvalidSignatureException", _MISMATCH)
    if key.expires is not None and key.expires <= now:
        raise FrontDoorError("ExpiredTokenException", _EXPIRED)
    return Caller(claim.access_key_id)


def _is_token_of(key: Key, claim: Claim) -> bool:
    """Exactly the key's token, once, beside the signature; none for a key that has none."""
    if key.session_token is None:
        return not claim.tokens
    if len(claim.tokens) != 1 or len(claim.tokens_in_place) != 1:
        return False
    return hmac.compare_digest(_bytes(claim.tokens[0]), _bytes(key.session_token))


def _is_signed_with(secret: str, claim: Claim, request: SignedRequest) -> bool:
    headers = _values_by_name(request.headers)
    are_there = headers.keys() >= set(claim.signed_headers)
    signature = _signature(claim, request, headers, secret)
    return hmac.compare_digest(signature.encode(), _bytes(claim.signature)) and are_there


def _refuse_scope(claim: Claim, regions: Collection[str], service: str) -> None:
    day = shown_moment(claim.moment)[:8]
    if claim.terminator != TERMINATOR:
        problem = f"Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{claim.terminator}'."
    elif claim.service != service:
        problem = f"Credential should be scoped to correct service: '{service}'."
    elif claim.region not in regions:
        problem = f"Credential should be scoped to a valid region, not '{claim.region}'."
    elif claim.day != day:
        problem = (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP:"
            f" '{claim.day}' != '{day}', from '{shown_moment(claim.moment)}'."
        )
    elif "host" not in claim.signed_headers:
        problem = "'Host' must be a 'SignedHeader' in the AWS Authorization."
    else:
        return
    raise FrontDoorError("InvalidSignatureException", problem)


def _refuse_time(claim: Claim, now: datetime) -> None:
    allowed = _SKEW if claim.lifetime is None else claim.lifetime
    signed = shown_moment(claim.moment)
    here = shown_moment(now)
    if claim.moment < now - allowed:
        minutes = f"{allowed.total_seconds() / 60:g}"
        problem = f"Signature expired: {signed} is now earlier than {shown_moment(now - allowed)}"
        raise FrontDoorError("InvalidSignatureException", f"{problem} ({here} - {minutes} min.)")
    if claim.moment > now + _SKEW:
        problem = f"Signature not yet current: {signed} is still later than {shown_moment(now + _SKEW)}"
        raise FrontDoorError("InvalidSignatureException", f"{problem} ({here} + 5 min.)")


def _signature(claim: Claim, request: SignedRequest, headers: Mapping[str, str], secret: str) -> str:
    scope = (claim.day, claim.region, claim.service, TERMINATOR)
    digest = hashlib.sha256(_bytes(_canonical_request(claim, request, headers))).hexdigest()
    key = _bytes(f"AWS4{secret}")
    for part in scope:
        key = hmac.digest(key, _bytes(part), "sha256")
    to_sign = "\n".join((ALGORITHM, shown_moment(claim.moment), "/".join(scope), digest))
    return hmac.digest(key, _bytes(to_sign), "sha256").hex()


def _canonical_request(claim: Claim, request: SignedRequest, headers: Mapping[str, str]) -> str:
    signed = "".join(f"{name}:{headers.get(name, '')}\n" for name in claim.signed_headers)
    return "\n".join(
        (
            request.method,
            _canonical_path(request.raw_path),
            _canonical_query(request.raw_query, leave_signature_out=claim.is_presigned),
            signed,
            ";".join(claim.signed_headers),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def _canonical_path(raw_path: str) -> str:
    """Relative and empty segments resolved, and encoded once more: all services but S3 sign the path encoded twice."""
    kept: list[str] = []
    for segment in raw_path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in {"", "."}:
            kept.append(segment)
    slash = "/" if kept and raw_path.endswith("/") else ""
    return quote(_bytes(f"/{'/'.join(kept)}{slash}"), safe="/~")


def _canonical_query(raw_query: str, *, leave_signature_out: bool) -> str:
    """Every name and value decoded and encoded anew, in order of the encoded ones; all of a repeated name stay."""
    pairs: list[tuple[str, str]] = []
    for part in raw_query.split("&"):
        name, _, value = part.partition("=")
        if part and not (leave_signature_out and name == "X-Amz-Signature"):
            pairs.append((_recoded(name), _recoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _recoded(text: str) -> str:
    return quote(unquote_to_bytes(_bytes(text.replace("+", " "))), safe="-_.~")


def _values_by_name(headers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """All values of each header with one space for each run of white space, joined by commas."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(" ".join(value.split()))
    return {name: ",".join(values) for name, values in found.items()}


def _bytes(text: str) -> bytes:
    """UTF-8 that never raises: what cannot be text can only be a wrong signature."""
    return text.encode("utf-8", "surrogatepass")
