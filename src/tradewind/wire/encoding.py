"""From results and errors to HTTP answers, by the model's shapes.

Success: the status of the operation and a JSON object of the output's members. Error: the status of the
error's shape, its type in the header `x-amzn-ErrorType`, and its members in the body; the sentence goes to
the member that the shape has for it (`message`, but `Message` for AccessDeniedException) or nowhere
(RestApiClientException has none). Errors of the front door have `message` alone.

Times are seconds since the epoch: an integer where whole, since the AWS CLI prints them as they are. A member
that the shape does not have, or a value of another type, is a defect of ours and raises; None is absent.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tradewind.wire.errors import COMMON_ERRORS, WireError
from tradewind.wire.shapes import (
    Blob,
    Boolean,
    Document,
    List,
    Map,
    Model,
    Number,
    Shape,
    String,
    Structure,
    Timestamp,
)


@dataclass(frozen=True)
class Response:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def encode_result(model: Model, operation: str, result: Mapping[str, Any], request_id: str) -> Response:
    """Encode the success of an operation. Raises ValueError or TypeError for what is not of the output's shape."""
    described = model.operations[operation]
    body = _structure(model, model.structure(described.output), result, operation)
    return _response(described.status, {}, body, request_id)


def encode_failure(model: Model, error: WireError, request_id: str) -> Response:
    """Encode an error. Raises ValueError for a type that neither the model nor the front door has."""
    shape = model.shapes.get(error.code)
    members = dict(error.members)
    if isinstance(shape, Structure) and shape.status is not None:
        status = shape.status
        text = next((member.name for member in shape.members if member.name.lower() == "message"), None)
        if text:
            members.setdefault(text, error.message)
        body = _structure(model, shape, members, error.code)
    elif error.code in COMMON_ERRORS:
        status = COMMON_ERRORS[error.code]
        body = {"message": error.message}
    else:
        raise ValueError(f"cannot encode the error {error.code}: {model.name} has none of that type")
    return _response(status, {"x-amzn-ErrorType": error.code}, body, request_id)


def _response(status: int, headers: Mapping[str, str], body: Mapping[str, Any], request_id: str) -> Response:
    every = {"Content-Type": "application/json", "x-amzn-RequestId": request_id, **headers}
    # ASCII escapes carry every text, also the half of a surrogate pair that an Airflow answer may hold.
    text = json.dumps(body, allow_nan=False, separators=(",", ":"))
    return Response(status, every, text.encode("ascii"))


def _structure(model: Model, shape: Structure, value: Mapping[str, Any], where: str) -> dict[str, Any]:
    unknown = set(value) - {member.name for member in shape.members}
    if unknown:
        raise ValueError(f"cannot encode {where}: {shape.name} has no member {', '.join(sorted(unknown))}")
    found: dict[str, Any] = {}
    for member in shape.members:
        given = value.get(member.name)
        if given is not None:
            found[member.wire_name] = _encoded(model, model.shapes[member.shape], given, f"{where}.{member.name}")
        elif member.required:
            raise ValueError(f"cannot encode {where}: the required member {member.name} is absent")
    return found


def _encoded(model: Model, shape: Shape, value: Any, where: str) -> Any:  # noqa: PLR0911  (one line a kind)
    match shape, value:
        case Document(), _:
            return value
        case (String(), str()) | (Boolean(), bool()):
            return value
        case Number(kind="integer" | "long"), int() if not isinstance(value, bool):
            return value
        case Number(kind="float" | "double"), (int() | float()) if not isinstance(value, bool):
            return value
        case Timestamp(), datetime() if value.tzinfo is not None:
            return value.timestamp() if value.microsecond else int(value.timestamp())
        case Blob(), bytes():
            return base64.b64encode(value).decode("ascii")
        case List(), list() | tuple():
            member = model.shapes[shape.member]
            return [_encoded(model, member, item, f"{where}.{n}") for n, item in enumerate(value, 1)]
        case Map(), Mapping():
            of = model.shapes[shape.value]
            return {str(key): _encoded(model, of, item, f"{where}.{key}") for key, item in value.items()}
        case Structure(), Mapping():
            return _structure(model, shape, value, where)
    raise TypeError(f"cannot encode {where}: a {type(value).__name__} is no {type(shape).__name__}")
