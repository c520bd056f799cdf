"""Policy documents: from JSON to statements that can be asked, or to AWS's sentence about what is wrong.

Strict, as IAM is: no unknown element, no key twice, no element of another kind. Nothing but MalformedDocument is ever
raised. Parsing the same text again is a look-up: documents are immutable. Long texts are parsed each time: parsed, one
takes up to a hundred times its length, and who may send some must not have hundreds of them kept.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language"; the order of checks and their sentences as IAM
gives them.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from tradewind.iam.conditions import Condition, condition
from tradewind.iam.errors import (
    HAS_PRINCIPAL,
    HAS_RESOURCE,
    LEGACY,
    NO_ACTIONS,
    NO_PRINCIPAL,
    NO_RESOURCES,
    NO_VENDOR,
    SID_FORM,
    SID_TWICE,
    SYNTAX,
    VERSION,
    MalformedDocument,
)
from tradewind.iam.naming import check_action, check_principal, check_resource, check_trust_action
from tradewind.iam.patterns import compile_pattern, wildcards
from tradewind.iam.statements import Actions, Effect, Resources, Statement, Trusted
from tradewind.iam.variables import template

_Object = Mapping[str, Any]
LONGEST: Final = 131_072  # characters; `policyDocumentType` of IAM's model
_LONGEST_KEPT: Final = 16_384  # characters; IAM's largest policy has 10,240 and white space
_WITH_VARIABLES: Final = "2012-10-17"
_VERSIONS: Final = frozenset({_WITH_VARIABLES, "2008-10-17"})
_TOP: Final = frozenset({"Version", "Id", "Statement"})
_ELEMENTS: Final = frozenset(
    {
        *("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource"),
        *("Principal", "NotPrincipal", "Condition"),
    }
)


class DocumentKind(StrEnum):
    """What a document is for. Boundaries and session policies have the form of identity policies."""

    IDENTITY = "identity"
    TRUST = "trust"


@dataclass(frozen=True)
class Document:
    """A parsed policy. `text` is what was parsed."""

    text: str = field(repr=False)
    version: str
    id: str
    statements: tuple[Statement, ...]

    def keys(self) -> dict[str, str]:
        """The condition keys that it asks for, also as variables: in small letters to as they were written."""
        return dict(pair for statement in self.statements for pair in statement.keys().items())


class _Number(str):
    """A JSON number as it was written: a condition's value may be one, nothing else may."""

    __slots__ = ()


def parse_document(text: str, kind: DocumentKind = DocumentKind.IDENTITY) -> Document:
    """Parse a policy document of at most 131,072 characters. Raises MalformedDocument with AWS's sentence."""
    return _kept(text, kind) if len(text) <= _LONGEST_KEPT else parse_once(text, kind)


def parse_once(text: str, kind: DocumentKind = DocumentKind.IDENTITY) -> Document:
    """The same for a document that nobody will ask about again: it is not kept."""
    if len(text) > LONGEST:
        raise MalformedDocument(SYNTAX)
    return _parse(text, kind)


@lru_cache(maxsize=512)
def _kept(text: str, kind: DocumentKind) -> Document:
    return _parse(text, kind)


def _parse(text: str, kind: DocumentKind) -> Document:
    top = _load(text)
    if not isinstance(top, dict) or not _TOP.issuperset(top):
        raise MalformedDocument(SYNTAX)
    version = top.get("Version", "2008-10-17")
    if _as_text(version) not in _VERSIONS:
        raise MalformedDocument(VERSION)
    written = top.get("Statement")
    listed = written if isinstance(written, list) else [written]
    if not listed or not all(isinstance(each, dict) and _ELEMENTS.issuperset(each) for each in listed):
        raise MalformedDocument(SYNTAX)
    has_variables = version == _WITH_VARIABLES
    statements = tuple(_statement(place, each, kind, has_variables) for place, each in enumerate(listed))
    named = [statement.sid for statement in statements if statement.sid]
    if len(set(named)) < len(named):
        raise MalformedDocument(SID_TWICE)
    return Document(text, version, _as_text(top.get("Id", "")), statements)


def _load(text: str) -> Any:
    try:
        loaded = json.loads(
            text, object_pairs_hook=_object, parse_int=_Number, parse_float=_Number, parse_constant=_refuse
        )
        if "\\u" in text:
            json.dumps(loaded, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise MalformedDocument(SYNTAX) from error
    return loaded


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedDocument(SYNTAX)
    return found


def _refuse(_: str) -> Any:
    raise MalformedDocument(SYNTAX)


def _as_text(value: Any) -> str:
    if type(value) is not str:
        raise MalformedDocument(SYNTAX)
    return value


def _texts(value: Any) -> list[str]:
    return [_as_text(each) for each in value] if isinstance(value, list) else [_as_text(value)]


def _statement(place: int, written: _Object, kind: DocumentKind, has_variables: bool) -> Statement:
    sid = _as_text(written.get("Sid", ""))
    if not all(character.isascii() and character.isalnum() for character in sid):
        raise MalformedDocument(SID_FORM)
    if _as_text(written.get("Effect")) not in set(Effect):
        raise MalformedDocument(LEGACY)
    is_trust = kind is DocumentKind.TRUST
    _check_elements(written, is_trust)
    return Statement(
        index=place,
        sid=sid,
        effect=Effect(written["Effect"]),
        actions=_actions(written, is_trust),
        resources=None if is_trust else _resources(written, has_variables),
        trusted=_trusted(written) if is_trust else None,
        conditions=tuple(_conditions(written.get("Condition", {}), has_variables)),
    )


def _one_of(written: _Object, name: str, missing: str) -> tuple[list[str], bool]:
    """The texts of an element or of its negation, of which there must be exactly one, and whether it is negated."""
    present = [each for each in (name, f"Not{name}") if each in written]
    if len(present) > 1:
        raise MalformedDocument(SYNTAX)
    if not present or not (texts := _texts(written[present[0]])):
        raise MalformedDocument(missing)
    return texts, present[0] != name


def _actions(written: _Object, is_trust: bool) -> Actions:
    texts, is_negated = _one_of(written, "Action", NO_ACTIONS)
    check: Callable[[str], None] = check_trust_action if is_trust else check_action
    for text in texts:
        check(text)
    folded = [text.lower() for text in texts]
    wild = [text for text in folded if "*" in text or "?" in text]
    return Actions(
        frozenset(folded).difference(wild), tuple(compile_pattern(wildcards(text)) for text in wild), is_negated
    )


def _resources(written: _Object, has_variables: bool) -> Resources:
    texts, is_negated = _one_of(written, "Resource", NO_RESOURCES)
    for text in texts:
        check_resource(text)
    return Resources(tuple(template(text, is_arn=True, has_variables=has_variables) for text in texts), is_negated)


def _check_elements(written: _Object, is_trust: bool) -> None:
    if is_trust and ("Resource" in written or "NotResource" in written):
        raise MalformedDocument(HAS_RESOURCE)
    if not is_trust and ("Principal" in written or "NotPrincipal" in written):
        raise MalformedDocument(HAS_PRINCIPAL)


def _trusted(written: _Object) -> Trusted:
    present = [each for each in ("Principal", "NotPrincipal") if each in written]
    if not present:
        raise MalformedDocument(NO_PRINCIPAL)
    is_negated = present == ["NotPrincipal"]
    if len(present) > 1 or (is_negated and written["Effect"] == Effect.ALLOW):
        raise MalformedDocument(SYNTAX)
    value = written[present[0]]
    if value == "*":
        return Trusted((("AWS", "*"),), is_negated)
    if not isinstance(value, dict) or not value:
        raise MalformedDocument(SYNTAX)
    entries = tuple((type_, text) for type_, texts in value.items() for text in _texts(texts))
    if not entries:
        raise MalformedDocument(NO_PRINCIPAL)
    for type_, text in entries:
        check_principal(type_, text)
    return Trusted(entries, is_negated)


def _conditions(written: Any, has_variables: bool) -> Iterable[Condition]:
    if not isinstance(written, dict):
        raise MalformedDocument(SYNTAX)
    for operator, keys in written.items():
        if not isinstance(keys, dict):
            raise MalformedDocument(SYNTAX)
        for key, values in keys.items():
            if not all(key.partition(":")):
                raise MalformedDocument(NO_VENDOR)
            listed = values if isinstance(values, list) else [values]
            yield condition(operator, key, [_condition_value(each) for each in listed], has_variables=has_variables)


def _condition_value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return str(value)
        case _:
            raise MalformedDocument(SYNTAX)
