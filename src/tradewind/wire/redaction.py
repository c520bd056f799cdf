"""Parameters and results as the audit log may hold them: what is sensitive is replaced, the rest stays.

AWS's models mark most of what is secret (`sensitive`), and not all: a session token of STS is plain text there. So
texts whose member's name says that they are a secret are hidden too. What replaces them is CloudTrail's own wording. A
service of the query protocol has its members' names with a small first letter, as in CloudTrail's records.
"""

import re
from collections.abc import Mapping
from typing import Any

from tradewind.wire.shapes import Blob, Document, List, Map, Model, Shape, String, Structure

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_SECRET = re.compile(
    r"password|secret|privatekey|authenticationcode|tokencode|assertion|.*(?<!next)token$", re.IGNORECASE
)


def redact_members(model: Model, structure: str | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """The members of an operation's input or output. Values need not be valid; what the model does not know goes."""
    return _structure(model, model.structure(structure), values)


def _structure(model: Model, shape: Structure, values: Mapping[str, Any]) -> dict[str, Any]:
    named = {member.name: member for member in shape.members}
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name in named and value is not None:
            inner = model.shapes[named[name].shape]
            key = name[:1].lower() + name[1:] if model.protocol == "query" else name
            found[key] = HIDDEN if _is_secret(name, inner) else _redact(model, inner, value)
    return found


def _is_secret(name: str, shape: Shape) -> bool:
    return isinstance(shape, String | Blob | Document) and _SECRET.search(name) is not None


def _redact(model: Model, shape: Shape, value: Any) -> Any:  # noqa: PLR0911  (one line a kind reads best)
    if shape.sensitive:
        return HIDDEN
    match shape, value:
        case Structure(), Mapping():
            return _structure(model, shape, value)
        case List(), list() | tuple():
            return [_redact(model, model.shapes[shape.member], item) for item in value]
        case Map(), Mapping():
            inner = model.shapes[shape.value]
            if model.shapes[shape.key].sensitive:
                return HIDDEN
            return {str(key): _redact(model, inner, item) for key, item in value.items()}
        case ((Structure() | List() | Map()), _):
            return HIDDEN  # not of its shape: it could be anything
        case _:
            return value
