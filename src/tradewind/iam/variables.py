"""Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}`.

They stand in resources and in values of string and ARN conditions, in policies of version 2012-10-17 only; in older
ones the characters mean themselves. What a variable stands for is text: a star in a user's name or tag is no wildcard
and a colon does not begin another component of an ARN. A variable without a value, or with more than one, makes its
element unknown, and what is unknown never widens what a policy allows (conditions.py, statements.py).

Source: IAM User Guide, "IAM policy elements: Variables and tags".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tradewind.iam.contexts import Context
from tradewind.iam.errors import LEGACY, MalformedDocument
from tradewind.iam.patterns import (
    ArnPattern,
    Pattern,
    Token,
    compile_arn,
    compile_pattern,
    components_of,
    wildcards,
)

_VARIABLE = re.compile(r"\s*([^\s,'{}$]+(?: [^\s,'{}$]+)*)\s*(?:,\s*'([^'{}]*)'\s*)?")
_PLAIN = {"*": "*", "?": "?", "$": "$"}


@dataclass(frozen=True)
class Variable:
    """A condition key in small letters, what to take when it has no value, and the key as it was written."""

    key: str
    default: str | None = None
    name: str = field(default="", compare=False)

    def value(self, context: Context) -> str | None:
        """Its one value, or the default; None when it is unknown."""
        match context.get(self.key):
            case (value,):
                return value
            case ():
                return self.default
            case _:
                return None


Part = Token | Variable


@dataclass(frozen=True)
class Template:
    """A text of a policy: a compiled pattern, or the parts to make one of when the request is known."""

    text: str
    is_arn: bool
    parts: tuple[Part, ...]
    pattern: Pattern | ArnPattern | None

    @cached_property
    def _components(self) -> list[list[Part]]:
        whole: list[Part] = list(self.parts)
        return components_of(whole) if self.is_arn else [whole]

    @property
    def keys(self) -> Iterator[tuple[str, str]]:
        """The keys that its variables ask for: in small letters, and as they were written."""
        return ((part.key, part.name) for part in self.parts if isinstance(part, Variable))

    def resolve(self, context: Context, *, is_folded: bool = False) -> Pattern | ArnPattern | None:
        """The pattern for this request; None when a variable of it is unknown. Folded: values in small letters."""
        if self.pattern is not None:
            return self.pattern
        known: list[list[Token]] = []
        for component in self._components:
            tokens: list[Token] = []
            for part in component:
                value = part.value(context) if isinstance(part, Variable) else part
                if value is None:
                    return None
                tokens.append(value.lower() if is_folded and isinstance(value, str) else value)
            known.append(tokens)
        patterns = tuple(compile_pattern(tokens) for tokens in known)
        return ArnPattern(patterns) if self.is_arn else patterns[0]


def template(text: str, *, is_arn: bool, has_variables: bool, has_wildcards: bool = True) -> Template:
    """Compile a text of a policy. Raises MalformedDocument for a variable that is not closed or not named."""
    parts = tuple(_parts(text, has_wildcards) if has_variables and "${" in text else _plain(text, has_wildcards))
    tokens = [part for part in parts if not isinstance(part, Variable)]
    if len(tokens) < len(parts):
        return Template(text, is_arn, parts, None)
    return Template(text, is_arn, parts, compile_arn(tokens) if is_arn else compile_pattern(tokens))


def _plain(text: str, has_wildcards: bool) -> list[Token]:
    return wildcards(text) if has_wildcards else [text]


def _parts(text: str, has_wildcards: bool) -> Iterator[Part]:
    start = 0
    while (opened := text.find("${", start)) >= 0:
        yield from _plain(text[start:opened], has_wildcards)
        closed = text.find("}", opened)
        if closed < 0:
            raise MalformedDocument(LEGACY)
        yield _part(text[opened + 2 : closed])
        start = closed + 1
    yield from _plain(text[start:], has_wildcards)


def _part(inside: str) -> Part:
    if inside in _PLAIN:
        return _PLAIN[inside]
    found = _VARIABLE.fullmatch(inside)
    if found is None:
        raise MalformedDocument(LEGACY)
    return Variable(found[1].lower(), found[2], found[1])
