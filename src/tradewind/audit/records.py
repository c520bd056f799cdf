"""One record, in the shape of CloudTrail's events (version 1.11), and its canonical text.

Source: CloudTrail User Guide, "CloudTrail record contents for management, data, and network activity events". Sizes
are CloudTrail's: `errorCode`, `errorMessage` and `userAgent` 1 KB, `requestParameters` and `responseElements` 100 KB
each. We hold a whole record within 100,000 bytes: long texts inside are cut with a mark first, and what is still too
large is left out with CloudTrail's `omitted`. `eventTime` has whole seconds, in UTC.

The canonical text is JSON with sorted names, without blanks, in ASCII: the chain is over these bytes, so the same
record must always give the same ones.
"""

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tradewind.audit.identities import Identity

GREATEST_RECORD = 100_000  # bytes of the canonical text
GREATEST_FIELD = 1_000  # characters of an error message or a user agent
GREATEST_TEXT = 4_000  # characters of one text within parameters
_GREATEST_ITEMS = 1_000  # of one list or map within parameters
_DEEPEST = 32
_SHORTEST = 200  # characters of each text in a record that is too large even so
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class EventType(enum.StrEnum):
    """CloudTrail's types, as far as they fit here."""

    API_CALL = "AwsApiCall"
    SIGN_IN = "AwsConsoleSignIn"
    SERVICE = "AwsServiceEvent"


@dataclass(frozen=True)
class Record:
    """One call, sign-in or command, allowed or refused. Parameters and response hold no secret any more."""

    moment: datetime
    source: str  # airflow.amazonaws.com, iam.amazonaws.com, sts.amazonaws.com, tradewind
    name: str
    type: EventType
    identity: Identity
    region: str
    account: str
    event_id: str
    request_id: str = ""
    address: str = ""
    agent: str = ""
    is_read_only: bool = False
    parameters: Mapping[str, Any] | None = None
    response: Mapping[str, Any] | None = None
    error_code: str = ""
    error_message: str = ""
    host: str = ""  # as the client wrote it
    details: Mapping[str, Any] = field(default_factory=dict)


def document(record: Record) -> dict[str, Any]:
    """The record as CloudTrail's JSON."""
    found: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _short(record.identity.document()),
        "eventTime": moment_of(record.moment),
        "eventSource": record.source,
        "eventName": _cut(record.name, GREATEST_FIELD),
        "awsRegion": record.region,
        "sourceIPAddress": _cut(record.address, GREATEST_FIELD),
        "userAgent": _cut(record.agent, GREATEST_FIELD),
        "requestParameters": _bounded(record.parameters),
        "responseElements": None if record.is_read_only else _bounded(record.response),
        "eventID": record.event_id,
        "readOnly": record.is_read_only,
        "eventType": record.type.value,
        "managementEvent": True,
        "recipientAccountId": record.account,
        "eventCategory": "Management",
    }
    if record.request_id:
        found["requestID"] = record.request_id
    if record.error_code:
        found["errorCode"] = _cut(record.error_code, GREATEST_FIELD)
    if record.error_message:
        found["errorMessage"] = _cut(record.error_message, GREATEST_FIELD)
    if record.details:
        found["additionalEventData"] = _bounded(record.details)
    if record.host:
        found["tlsDetails"] = {"clientProvidedHostHeader": _cut(record.host, GREATEST_FIELD)}
    return found


def text_of(record: Record) -> str:
    """The canonical text, at most GREATEST_RECORD bytes of ASCII."""
    found = document(record)
    text = _canonical(found)
    for member in ("responseElements", "requestParameters", "additionalEventData"):
        if len(text) > GREATEST_RECORD:
            size = len(_canonical(found.get(member)))
            found[member] = {"omitted": True, "originalSize": size, "reason": "the record would be too large"}
            text = _canonical(found)
    # only texts of a thousand strange characters each come this far
    return text if len(text) <= GREATEST_RECORD else _canonical(_short(found, _SHORTEST))


def moment_of(moment: datetime) -> str:
    """A moment as records write it."""
    return moment.astimezone(UTC).strftime(_MOMENT)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _short(members: Mapping[str, Any], length: int = GREATEST_FIELD) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in members.items():
        match value:
            case Mapping():
                found[name] = _short(value, length)
            case str():
                found[name] = _cut(value, length)
            case _:
                found[name] = value
    return found


def _bounded(value: Any, depth: int = 0) -> Any:  # noqa: PLR0911  (one line a kind reads best)
    """JSON of bounded texts, lists and depth, whatever the value is."""
    if depth > _DEEPEST:
        return "... (deeper values are left out)"
    match value:
        case None | bool() | int():
            return value if not isinstance(value, int) or abs(value) < 2**63 else str(value)[:GREATEST_FIELD]
        case float():
            return value if value - value == 0 else str(value)  # NaN and infinities are not JSON
        case str():
            return _cut(value, GREATEST_TEXT)
        case datetime():
            return moment_of(value if value.tzinfo else value.replace(tzinfo=UTC))
        case bytes() | bytearray():
            return f"({len(value)} bytes)"
        case Mapping():
            kept = list(value.items())[:_GREATEST_ITEMS]
            found = {_cut(str(name), GREATEST_FIELD): _bounded(item, depth + 1) for name, item in kept}
            return found if len(kept) == len(value) else found | {"...": f"{len(value) - len(kept)} more"}
        case list() | tuple() | set() | frozenset():
            items = list(value)
            more = len(items) - _GREATEST_ITEMS
            shown = [_bounded(item, depth + 1) for item in items[:_GREATEST_ITEMS]]
            return shown if more <= 0 else [*shown, f"... ({more} more)"]
        case _:
            return _cut(str(value), GREATEST_TEXT)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}... ({len(text) - length} more characters)"
