"""From results and errors to XML: the query protocol's answers.

Success is `<XResponse><XResult>...</XResult><ResponseMetadata><RequestId>`, with no result where an operation
answers nothing. An error is `<ErrorResponse><Error><Type><Code><Message>`: the code and the status are the
model's (`NoSuchEntityException` is `NoSuchEntity`, 404) or those of the front door; the type is whose fault it
is, Sender below 500 and else Receiver. Moments are ISO 8601 in UTC, bytes base64. A character that XML 1.0
cannot hold, not even escaped, is shown as U+FFFD: an answer that no client can parse would help nobody.

A member that the shape does not have, or a value of another type, is a defect of ours and raises; None is absent.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from tradewind.wire.encoding import Response
from tradewind.wire.errors import QUERY_ERRORS, FrontDoorError, WireError
from tradewind.wire.shapes import Blob, Boolean, List, Map, Model, Number, Shape, String, Structure, Timestamp

_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RECEIVER = 500


def encode_outcome(model: Model, operation: str, result: Mapping[str, Any], request_id: str) -> Response:
    """Encode the success of an operation. Raises ValueError or TypeError for what is not of the output's shape."""
    described = model.operations[operation]
    inner = "".join(_structure(model, model.structure(described.output), result, operation))
    if described.wrapper:
        inner = f"<{described.wrapper}>{inner}</{described.wrapper}>"
    metadata = f"<ResponseMetadata>{_element('RequestId', _text(request_id))}</ResponseMetadata>"
    return _response(model, described.status, f"{operation}Response", inner + metadata, request_id)


def encode_fault(model: Model, error: WireError, request_id: str) -> Response:
    """Encode an error. Raises ValueError for a type that neither the model nor the front door has."""
    shape = model.shapes.get(error.code)
    more = ""
    if isinstance(shape, Structure) and shape.status is not None and not isinstance(error, FrontDoorError):
        code, status = shape.code, shape.status
        more = "".join(_members(model, shape, error.members, error.code))
    elif error.code in QUERY_ERRORS:
        code, status = QUERY_ERRORS[error.code]
    else:
        raise ValueError(f"cannot encode the error {error.code}: {model.name} has none of that type")
    fault = "Sender" if status < _RECEIVER else "Receiver"
    parts = (_element("Type", fault), _element("Code", code), _element("Message", _text(error.message)), more)
    inner = f"<Error>{''.join(parts)}</Error>{_element('RequestId', _text(request_id))}"
    return _response(model, status, "ErrorResponse", inner, request_id)


def _response(model: Model, status: int, root: str, inner: str, request_id: str) -> Response:
    body = f'<{root} xmlns="{model.namespace}">{inner}</{root}>\n'
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}
    return Response(status, headers, body.encode("utf-8"))


def _element(name: str, inner: str) -> str:
    return f"<{name}>{inner}</{name}>"


def _text(text: str) -> str:
    # A bare carriage return would be read as a line feed.
    return escape(_UNSPEAKABLE.sub("\ufffd", text), {"\r": "&#13;"})


def _structure(model: Model, shape: Structure, value: Mapping[str, Any], where: str) -> Iterator[str]:
    absent = [member.name for member in shape.members if member.required and value.get(member.name) is None]
    if absent:
        raise ValueError(f"cannot encode {where}: the required member {', '.join(absent)} is absent")
    yield from _members(model, shape, value, where)


def _members(model: Model, shape: Structure, value: Mapping[str, Any], where: str) -> Iterator[str]:
    unknown = set(value) - {member.name for member in shape.members}
    if unknown:
        raise ValueError(f"cannot encode {where}: {shape.name} has no member {', '.join(sorted(unknown))}")
    for member in shape.members:
        given = value.get(member.name)
        if given is not None:
            yield from _encoded(model, model.shapes[member.shape], given, member.wire_name, f"{where}.{member.name}")


def _encoded(model: Model, shape: Shape, value: Any, name: str, where: str) -> Iterator[str]:
    """The element or, of a flattened list or map, the elements of a value."""
    match shape, value:
        case List(flattened=True), list() | tuple():
            yield from _items(model, shape, value, shape.element or name, where)
        case List(), list() | tuple():
            yield _element(name, "".join(_items(model, shape, value, shape.element or "member", where)))
        case Map(flattened=True), Mapping():
            yield from _entries(model, shape, value, name, where)
        case Map(), Mapping():
            yield _element(name, "".join(_entries(model, shape, value, "entry", where)))
        case Structure(), Mapping():
            yield _element(name, "".join(_structure(model, shape, value, where)))
        case _:
            yield _element(name, _plain(shape, value, where))


def _items(model: Model, shape: List, value: list[Any] | tuple[Any, ...], name: str, where: str) -> Iterator[str]:
    member = model.shapes[shape.member]
    for n, item in enumerate(value, 1):
        yield from _encoded(model, member, item, name, f"{where}.{n}")


def _entries(model: Model, shape: Map, value: Mapping[Any, Any], name: str, where: str) -> Iterator[str]:
    key_shape, value_shape = model.shapes[shape.key], model.shapes[shape.value]
    for key, item in value.items():
        at = f"{where}.{key}"
        pair = (
            *_encoded(model, key_shape, key, shape.key_name, at),
            *_encoded(model, value_shape, item, shape.value_name, at),
        )
        yield _element(name, "".join(pair))


def _plain(shape: Shape, value: Any, where: str) -> str:
    match shape, value:
        case String(), str():
            return _text(value)
        case Boolean(), bool():
            return "true" if value else "false"
        case Number(kind="integer" | "long"), int() if not isinstance(value, bool):
            return str(value)
        case Number(kind="float" | "double"), (int() | float()) if not isinstance(value, bool):
            return repr(value)
        case Timestamp(), datetime() if value.tzinfo is not None:
            return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
        case Blob(), bytes():
            return base64.b64encode(value).decode("ascii")
    raise TypeError(f"cannot encode {where}: a {type(value).__name__} is no {type(shape).__name__}")
