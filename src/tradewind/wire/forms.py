"""From a form to a dict of parameters, by the operation's input shape: the query protocol's requests.

A form is `application/x-www-form-urlencoded`, in the body (POST) or in the query (GET; also beside a body).
Names are paths: `Tags.member.2.Key`, of a flattened list `Tags.2.Key`, of a map `Entries.entry.1.key` and
`.value`. An empty list is its name with an empty value. As AWS does, parameters that the operation does not
have are ignored. What it does have must be unambiguous: a name given twice, a gap in a list, an index that is no
plain number, a list without `member`, a text where there are parts, bytes that are not UTF-8 are refused.

The work is linear in the form's size: names and their depth are counted before anything is built from them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import hexdigits
from typing import Any

from tradewind.wire.decoding import value_of_text
from tradewind.wire.documents import malformed
from tradewind.wire.shapes import List, Map, Member, Model, Shape, Structure

GREATEST_COUNT = 10_000  # parameters of one form
GREATEST_DEPTH = 32  # parts of one name
GREATEST_NAME = 1024  # bytes of one name, escapes included

_ESCAPE = re.compile(rb"%[0-9a-fA-F]{2}")
_BYTES = {f"%{a}{b}".encode(): bytes.fromhex(a + b) for a in hexdigits for b in hexdigits}
_INDEX = re.compile(r"[1-9]\d{0,4}", re.ASCII)


@dataclass
class _Part:
    """What a form has at one name: a text, further parts, or (which is refused where it matters) both."""

    text: str | None = None
    parts: "dict[str, _Part]" = field(default_factory=dict)


def read_form(raw_query: str, body: bytes) -> Mapping[str, bytes]:
    """Names and raw values of query and body. Raises WireError for too many, too long a name, or one twice."""
    raw = b"&".join((raw_query.encode("utf-8", "surrogatepass"), body))
    if raw.count(b"&") > GREATEST_COUNT:
        raise malformed(f"The request has more than {GREATEST_COUNT} parameters.")
    form: dict[str, bytes] = {}
    for pair in raw.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            if len(name) > GREATEST_NAME:
                raise malformed("The request has a parameter with too long a name.")
            key = read_text(name)
            if key in form:
                raise malformed("The request has a parameter more than once.")
            form[key] = value
    return form


def read_text(raw: bytes) -> str:
    """A name or a value of a form, decoded. Raises WireError where it is not UTF-8."""
    # urllib's own takes seconds for megabytes of percent signs: it raises and catches for each that is no escape.
    plain = _ESCAPE.sub(lambda found: _BYTES[found[0]], raw.replace(b"+", b" "))
    try:
        return plain.decode("utf-8")
    except UnicodeDecodeError:
        raise malformed("The request's parameters are not UTF-8.") from None


def decode_form(model: Model, operation: str, form: Mapping[str, bytes]) -> dict[str, Any]:
    """Parameters by the names of the input's members; absent ones are left out. Raises WireError."""
    structure = model.structure(model.operations[operation].input)
    known = {name for member in structure.members for name in _names(model, member)}
    whole = _Part()
    for name, raw in form.items():
        if name.partition(".")[0] in known:
            _place(whole, name, read_text(raw))
    return _structure(model, structure, whole, "")


def _place(whole: _Part, name: str, text: str) -> None:
    if name.count(".") >= GREATEST_DEPTH:
        raise malformed("The request has a parameter that is nested too deeply.")
    part = whole
    for step in name.split("."):
        part = part.parts.setdefault(step, _Part())
    part.text = text


def _names(model: Model, member: Member) -> tuple[str, ...]:
    """What a member is called: a flattened list has its elements under their own name, if that is another."""
    shape = model.shapes[member.shape]
    if isinstance(shape, List) and shape.flattened and shape.element:
        return (shape.element, member.wire_name)
    return (member.wire_name,)


def _structure(model: Model, shape: Structure, part: _Part, where: str) -> dict[str, Any]:
    if part.text:
        raise malformed(f"A text can not be converted to a Structure at {where!r}.")
    found: dict[str, Any] = {}
    for member in shape.members:
        given = next((part.parts[name] for name in _names(model, member) if name in part.parts), None)
        if given is not None:
            at = f"{where}.{member.name}" if where else member.name
            found[member.name] = _value(model, model.shapes[member.shape], given, at)
    return found


def _value(model: Model, shape: Shape, part: _Part, where: str) -> Any:
    match shape:
        case Structure():
            return _structure(model, shape, part, where)
        case List():
            items = _items(part, None if shape.flattened else shape.element or "member", where)
            inner = model.shapes[shape.member]
            return [_value(model, inner, item, f"{where}.{n}") for n, item in enumerate(items, 1)]
        case Map():
            return _entries(model, shape, part, where)
    if part.text is None:
        raise malformed(f"The parameter at {where!r} has parts where it must have a value.")
    return value_of_text(shape, part.text, where)


def _entries(model: Model, shape: Map, part: _Part, where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for n, item in enumerate(_items(part, None if shape.flattened else "entry", where), 1):
        at = f"{where}.{n}"
        if item.text or not {shape.key_name, shape.value_name} <= item.parts.keys():
            raise malformed(f"The entry at {at!r} has no {shape.key_name} or no {shape.value_name}.")
        key = _value(model, model.shapes[shape.key], item.parts[shape.key_name], at)
        if key in found:
            raise malformed(f"The map at {where!r} has a key more than once.")
        found[key] = _value(model, model.shapes[shape.value], item.parts[shape.value_name], at)
    return found


def _items(part: _Part, wrapper: str | None, where: str) -> list[_Part]:
    """The elements of a list or map in their order: exactly those from 1 to how many there are."""
    if part.text or (part.text is not None and part.parts):
        raise malformed(f"The list at {where!r} has a value of its own.")
    if wrapper is not None and part.parts:
        if part.parts.keys() != {wrapper} or part.parts[wrapper].text is not None:
            raise malformed(f"The elements of the list at {where!r} are not all named {where}.{wrapper}.N.")
        part = part.parts[wrapper]
    count = len(part.parts)
    if not all(_INDEX.fullmatch(index) and int(index) <= count for index in part.parts):
        raise malformed(f"The elements of the list at {where!r} are not numbered from 1 without a gap.")
    return [part.parts[str(n)] for n in range(1, count + 1)]
