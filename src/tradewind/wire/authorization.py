"""What a request says about who signed it and how: the Authorization header or the presigned query, taken apart.

Nothing is verified here. What is not there, or not whole, is refused with AWS's own sentences, which name
the parts that are missing (as API Gateway does in front of REST services).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_plus

from tradewind.wire.errors import FrontDoorError

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
TOKEN_HEADER = "x-amz-security-token"  # noqa: S105  (a name)

_PARTS = ("Credential", "Signature", "SignedHeaders")
_QUERY_PARTS = ("X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date", "X-Amz-Expires")
_TOKEN_PARAMETER = "X-Amz-Security-Token"  # noqa: S105  (a name)
_SCOPE_LENGTH = 5
_MOMENT = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_SECONDS = re.compile(r"\d{1,6}", re.ASCII)
_LONGEST_LIFE = 7 * 24 * 3600


@dataclass(frozen=True)
class Claim:
    """A signature and what it says it covers. `lifetime` is that of a presigned request, None for a header.

    `tokens` are all session tokens of the request, wherever they stand; `tokens_in_place` those that stand beside
    the signature (in a header, or in the query of a presigned request): the only ones that it can vouch for.
    """

    access_key_id: str
    day: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str
    moment: datetime
    lifetime: timedelta | None
    tokens: tuple[str, ...] = field(repr=False)
    tokens_in_place: tuple[str, ...] = field(repr=False)

    @property
    def is_presigned(self) -> bool:
        """Whether the signature is in the query."""
        return self.lifetime is not None


def read_claim(headers: Sequence[tuple[str, str]], raw_query: str) -> Claim:
    """Read the claim of a request. Raises FrontDoorError: MissingAuthenticationToken or IncompleteSignature."""
    authorizations = _values(headers, "authorization")
    query = _query(raw_query)
    if len(authorizations) > 1:
        raise _incomplete("The request has more than one Authorization header.")
    if authorizations:
        return _from_header(authorizations[0], headers, query)
    if "X-Amz-Algorithm" in query or "X-Amz-Signature" in query:
        return _from_query(query, headers)
    raise FrontDoorError("MissingAuthenticationTokenException", "Missing Authentication Token")


def shown_moment(moment: datetime) -> str:
    """ISO 8601's basic format, as signatures have it: 20260102T030405Z."""
    utc = moment.astimezone(UTC)
    return f"{utc.year:04d}{utc:%m%dT%H%M%SZ}"  # strftime pads years before 1000 on some systems only


def _from_header(authorization: str, headers: Sequence[tuple[str, str]], query: Mapping[str, Sequence[str]]) -> Claim:
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme != ALGORITHM:
        raise _incomplete(f"Authorization header requires the algorithm '{ALGORITHM}'. {_lacking((), headers)}".strip())
    parts: dict[str, str] = {}
    for part in re.split(r"[,\s]+", rest.strip(", \t")):
        name, equals, value = part.partition("=")
        if part and not equals:
            raise _incomplete(f"'{part}' not a valid key=value pair (missing equal-sign) in Authorization header.")
        if name in parts:
            raise _incomplete(f"Authorization header has more than one '{name}' parameter.")
        parts[name] = value
    if lacking := _lacking([name for name in _PARTS if parts.get(name)], headers):
        raise _incomplete(lacking)
    here, elsewhere = _values(headers, TOKEN_HEADER), query.get(_TOKEN_PARAMETER, ())
    return _claim([parts[name] for name in _PARTS], _moment_of(headers), None, here, elsewhere)


def _lacking(present: Iterable[str], headers: Sequence[tuple[str, str]]) -> str:
    """AWS's sentences for what a header lacks; empty where nothing is missing."""
    sentences = [f"Authorization header requires '{name}' parameter." for name in _PARTS if name not in present]
    if not _values(headers, "x-amz-date") and not _values(headers, "date"):
        sentences.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    return " ".join(sentences)


def _moment_of(headers: Sequence[tuple[str, str]]) -> datetime:
    amazon = _values(headers, "x-amz-date")
    dates = amazon or _values(headers, "date")
    if len(dates) > 1:
        raise _incomplete("The request has more than one date.")
    return _moment(dates[0]) if amazon else _http_date(dates[0])


def _from_query(query: Mapping[str, Sequence[str]], headers: Sequence[tuple[str, str]]) -> Claim:
    for name in ("X-Amz-Algorithm", *_QUERY_PARTS):
        values = query.get(name, ())
        if len(values) > 1:
            raise _incomplete(f"AWS query-string has more than one '{name}' parameter.")
    if query.get("X-Amz-Algorithm") != [ALGORITHM]:
        raise _incomplete(f"AWS query-string requires the algorithm '{ALGORITHM}' in 'X-Amz-Algorithm'.")
    if absent := [name for name in _QUERY_PARTS if not query.get(name, [""])[0]]:
        raise _incomplete(" ".join(f"AWS query-string parameters must include '{name}'." for name in absent))
    credential, signature, signed_headers, date, expires = (query[name][0] for name in _QUERY_PARTS)
    if not _SECONDS.fullmatch(expires) or not 0 < int(expires) <= _LONGEST_LIFE:
        raise _incomplete(f"X-Amz-Expires must be a number of seconds from 1 to {_LONGEST_LIFE}. Got '{expires}'.")
    here, elsewhere = query.get(_TOKEN_PARAMETER, ()), _values(headers, TOKEN_HEADER)
    lifetime = timedelta(seconds=int(expires))
    return _claim((credential, signature, signed_headers), _moment(date), lifetime, here, elsewhere)


def _claim(
    parts: Sequence[str],
    moment: datetime,
    lifetime: timedelta | None,
    here: Sequence[str],
    elsewhere: Sequence[str],
) -> Claim:
    credential, signature, signed_headers = parts
    scope = credential.split("/")
    if len(scope) != _SCOPE_LENGTH:
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term,"
            f" got '{credential}'."
        )
    key, day, region, service, terminator = scope
    names = tuple(signed_headers.split(";"))
    tokens = (*here, *elsewhere)
    return Claim(key, day, region, service, terminator, names, signature, moment, lifetime, tokens, tuple(here))


def _moment(text: str) -> datetime:
    if not _MOMENT.fullmatch(text):
        raise _incomplete(f"Date must be in ISO-8601 'basic format'. Got '{text}'.")
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:  # the 31st of February
        raise _incomplete(f"Date must be in ISO-8601 'basic format'. Got '{text}'.") from None


def _http_date(text: str) -> datetime:
    if _MOMENT.fullmatch(text):
        return _moment(text)
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise _incomplete(f"Date must be in ISO-8601 'basic format' or that of RFC 1123. Got '{text}'.") from None


def _query(raw_query: str) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in raw_query.split("&"):
        name, _, value = part.partition("=")
        found.setdefault(name, []).append(unquote_plus(value, errors="replace"))
    return found


def _values(headers: Iterable[tuple[str, str]], name: str) -> list[str]:
    return [value.strip() for key, value in headers if key.lower() == name]


def _incomplete(sentence: str) -> FrontDoorError:
    return FrontDoorError("IncompleteSignatureException", sentence)
