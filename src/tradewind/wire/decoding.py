"""From the parts of a request to a dict of parameters, by the operation's input shape.

Types are exact: a string is not a number, a boolean is not an integer, 1.0 is not an integer (botocore's own
parser is too lenient to read requests with). What cannot be read is a SerializationException. Constraints are
checked later, by `checking`. As AWS's REST-JSON services do: unknown members are ignored, null is the same as
absent, an empty body is the same as `{}`, a body of an operation that has no body members is not read.

Text in a query or a header: `true` and `false`, decimal numbers, moments as ISO 8601. In a query `+` is a space.
"""

import base64
import binascii
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_to_bytes

from tradewind.wire.documents import malformed, parse_document
from tradewind.wire.shapes import (
    Blob,
    Boolean,
    Document,
    List,
    Map,
    Member,
    Model,
    Number,
    Shape,
    String,
    Structure,
    Timestamp,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BITS = {"integer": 32, "long": 64}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?", re.ASCII)


def decode_parameters(  # noqa: PLR0917  (the parts of a request)
    model: Model,
    operation: str,
    labels: Mapping[str, str],
    raw_query: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
) -> dict[str, Any]:
    """Parameters by the names of the input's members; absent ones are left out. Raises WireError."""
    structure = model.structure(model.operations[operation].input)
    query = query_pairs(raw_query)
    by_header = {name.lower(): value for name, value in headers}
    in_body = any(member.location == "body" for member in structure.members)
    document = parse_document(body) if in_body and body else {}
    if not isinstance(document, dict):
        raise malformed("The body is not a JSON object.")
    found: dict[str, Any] = {}
    for member in structure.members:
        match member.location:
            case "uri":
                value = _from_texts(model, member, [labels[member.wire_name]])
            case "querystring":
                value = _from_texts(model, member, [text for name, text in query if name == member.wire_name])
            case "header":
                name = member.wire_name.lower()
                value = _from_texts(model, member, [by_header[name]] if name in by_header else [])
            case _:
                value = _from_json(model, model.shapes[member.shape], document.get(member.wire_name), member.name)
        if value is not None:
            found[member.name] = value
    return found


def query_pairs(raw_query: str) -> list[tuple[str, str]]:
    """Names and values of a query, decoded, in their order. Raises WireError when one is not UTF-8."""
    pairs = [part.partition("=") for part in raw_query.split("&") if part]
    try:
        return [(_unquoted(name), _unquoted(value)) for name, _, value in pairs]
    except UnicodeError:
        raise malformed("The query is not UTF-8.") from None


def _unquoted(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")


def _from_texts(model: Model, member: Member, texts: Sequence[str]) -> Any:
    if not texts:
        return None
    shape = model.shapes[member.shape]
    if isinstance(shape, List):
        return [value_of_text(model.shapes[shape.member], text, member.name) for text in texts]
    if len(texts) > 1:
        raise malformed(f"{member.wire_name} is given more than once.")
    return value_of_text(shape, texts[0], member.name)


def value_of_text(shape: Shape, text: str, where: str) -> Any:
    """A plain value that is text on the wire, by its shape. Raises WireError."""
    match shape:
        case String():
            return text
        case Boolean() if text in {"true", "false"}:
            return text == "true"
        case Number(kind="integer" | "long") if _INTEGER.fullmatch(text):
            return _integer(shape, int(text), where)
        case Number(kind="float" | "double") if _DECIMAL.fullmatch(text):
            return _double(float(text), where)
        case Timestamp():
            return _moment(text, where)
        case Blob():
            return _bytes(text, where)
    raise malformed(f"{_named(text)} can not be converted to {_kind(shape)} at {where!r}.")


def _from_json(model: Model, shape: Shape, value: Any, where: str) -> Any:
    """The value in Python's types; None for null."""
    match shape, value:
        case _, None:
            return None
        case Document(), _:
            return value
        case Structure(), dict():
            return _structure(model, shape, value, where)
        case List(), list():
            member = model.shapes[shape.member]
            return [_element(model, member, item, f"{where}.{n}") for n, item in enumerate(value, 1)]
        case Map(), dict():
            of = model.shapes[shape.value]
            return {key: _element(model, of, item, f"{where}.{key}") for key, item in value.items()}
        case ((List() | Map() | Structure()), _):
            raise malformed(f"{_named(value)} can not be converted to {_kind(shape)} at {where!r}.")
    return _scalar(shape, value, where)


def _element(model: Model, shape: Shape, value: Any, where: str) -> Any:
    if value is None and not isinstance(shape, Document):
        raise malformed(f"NULL_VALUE can not be converted to {_kind(shape)} at {where!r}.")
    return _from_json(model, shape, value, where)


def _structure(model: Model, shape: Structure, value: Mapping[str, Any], where: str) -> dict[str, Any]:
    found = {
        member.name: _from_json(
            model, model.shapes[member.shape], value.get(member.wire_name), f"{where}.{member.name}"
        )
        for member in shape.members
    }
    return {name: item for name, item in found.items() if item is not None}


def _scalar(shape: Shape, value: Any, where: str) -> Any:
    match shape, value:
        case (String(), str()) | (Boolean(), bool()):
            return value
        case Number(kind="integer" | "long"), int() if not isinstance(value, bool):
            return _integer(shape, value, where)
        case Number(kind="float" | "double"), (int() | float()) if not isinstance(value, bool):
            return _double(value, where)
        case Timestamp(), (int() | float()) if not isinstance(value, bool):
            return _since_epoch(value, where)
        case Timestamp(), str():
            return _moment(value, where)
        case Blob(), str():
            return _bytes(value, where)
    raise malformed(f"{_named(value)} can not be converted to {_kind(shape)} at {where!r}.")


def _integer(shape: Number, value: int, where: str) -> int:
    limit = 1 << (_BITS[shape.kind] - 1)
    if not -limit <= value < limit:
        raise malformed(f"The number at {where!r} is out of the range of {_kind(shape)}.")
    return value


def _double(value: float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise malformed(f"The number at {where!r} is out of the range of a Double.")
    return number


def _since_epoch(value: float, where: str) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=value)
    except OverflowError:
        raise malformed(f"The number at {where!r} is out of the range of a Timestamp.") from None


def _moment(text: str, where: str) -> datetime:
    if not _MOMENT.fullmatch(text):
        raise malformed(f"The text at {where!r} can not be converted to a Timestamp.")
    try:
        moment = datetime.fromisoformat(text.upper())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # the 31st of February, or a year that there is not in UTC
        raise malformed(f"The text at {where!r} can not be converted to a Timestamp.") from None


def _bytes(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise malformed(f"The text at {where!r} is not base64.") from None


def _kind(shape: Shape) -> str:
    match shape:
        case Number():
            noun = shape.kind.capitalize()
        case Structure():
            noun = "Structure"
        case _:
            noun = type(shape).__name__
    return f"an {noun}" if noun[0] in "AEIOU" else f"a {noun}"


def _named(value: Any) -> str:  # noqa: PLR0911  (one line a kind)
    """What was found, in the words that AWS's own parser has for it."""
    match value:
        case True:
            return "TRUE_VALUE"
        case False:
            return "FALSE_VALUE"
        case str():
            return "STRING_VALUE"
        case float():
            return "DECIMAL_VALUE"
        case int():
            return "NUMBER_VALUE"
        case list():
            return "START_ARRAY"
        case _:
            return "START_OBJECT"
