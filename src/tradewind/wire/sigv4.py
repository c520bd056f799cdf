"""AWS Signature Version 4, the verifying side.

A caller signs method, path, query, some headers and the body's hash with a key derived from their secret, the
day, the region and the service. We compute the same from the request as it arrived: raw path, the Host received
(clients prefix it with `api.`, `env.` or `ops.`), the real hash of the body. `UNSIGNED-PAYLOAD` is S3's alone, so
a body is always covered. The signature comes in the Authorization header or, presigned, in the query.

Checked in this order, each with AWS's error type and words: is it there (MissingAuthenticationToken), is it whole
(IncompleteSignature), is it for here and now (InvalidSignature), is the key known (UnrecognizedClient), is it right
(InvalidSignature). Clocks may differ by 5 minutes. Session tokens are not issued yet, so none is recognised.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, unquote_to_bytes

from tradewind.wire.authorization import ALGORITHM, TERMINATOR, Claim, read_claim, shown_moment
from tradewind.wire.errors import WireError

_SKEW = timedelta(minutes=5)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)
_UNRECOGNIZED = "The security token included in the request is invalid."


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


def verify(
    request: SignedRequest, *, region: str, service: str, lookup: Callable[[str], str | None], now: datetime
) -> Caller:
    """Return the caller of a rightly signed request. `lookup` gives the secret of a key. Raises WireError."""
    claim = read_claim(request.headers, request.raw_query)
    _refuse_scope(claim, region, service)
    _refuse_time(claim, now)
    secret = lookup(claim.access_key_id)
    if secret is None or claim.has_token:
        raise WireError("UnrecognizedClientException", _UNRECOGNIZED)
    if not set(claim.signed_headers) <= {name.lower() for name, _ in request.headers}:
        raise WireError("InvalidSignatureException", _MISMATCH)
    if not hmac.compare_digest(_signature(claim, request, secret).encode(), _bytes(claim.signature)):
        raise WireError("InvalidSignatureException", _MISMATCH)
    return Caller(claim.access_key_id)


def _refuse_scope(claim: Claim, region: str, service: str) -> None:
    day = shown_moment(claim.moment)[:8]
    if claim.terminator != TERMINATOR:
        problem = f"Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{claim.terminator}'."
    elif claim.service != service:
        problem = f"Credential should be scoped to correct service: '{service}'."
    elif claim.region != region:
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
    raise WireError("InvalidSignatureException", problem)


def _refuse_time(claim: Claim, now: datetime) -> None:
    allowed = _SKEW if claim.lifetime is None else claim.lifetime
    signed = shown_moment(claim.moment)
    here = shown_moment(now)
    if claim.moment < now - allowed:
        minutes = f"{allowed.total_seconds() / 60:g}"
        problem = f"Signature expired: {signed} is now earlier than {shown_moment(now - allowed)}"
        raise WireError("InvalidSignatureException", f"{problem} ({here} - {minutes} min.)")
    if claim.moment > now + _SKEW:
        problem = f"Signature not yet current: {signed} is still later than {shown_moment(now + _SKEW)}"
        raise WireError("InvalidSignatureException", f"{problem} ({here} + 5 min.)")


def _signature(claim: Claim, request: SignedRequest, secret: str) -> str:
    scope = (claim.day, claim.region, claim.service, TERMINATOR)
    digest = hashlib.sha256(_bytes(_canonical_request(claim, request))).hexdigest()
    key = _bytes(f"AWS4{secret}")
    for part in scope:
        key = hmac.digest(key, _bytes(part), "sha256")
    to_sign = "\n".join((ALGORITHM, shown_moment(claim.moment), "/".join(scope), digest))
    return hmac.digest(key, _bytes(to_sign), "sha256").hex()


def _canonical_request(claim: Claim, request: SignedRequest) -> str:
    headers = "".join(f"{name}:{_header(request.headers, name)}\n" for name in claim.signed_headers)
    return "\n".join(
        (
            request.method,
            _canonical_path(request.raw_path),
            _canonical_query(request.raw_query, leave_signature_out=claim.lifetime is not None),
            headers,
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


def _header(headers: Iterable[tuple[str, str]], name: str) -> str:
    """All values of a header with one space for each run of white space, joined by commas."""
    return ",".join(" ".join(value.split()) for key, value in headers if key.lower() == name)


def _bytes(text: str) -> bytes:
    """UTF-8 that never raises: what cannot be text can only be a wrong signature."""
    return text.encode("utf-8", "surrogatepass")
