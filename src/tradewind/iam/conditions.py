"""The Condition element: operators, sets of values, missing keys.

All conditions of a statement must hold, any value of a key is enough, and a negated operator holds when none of its
values matches. A key that is missing fails an operator, passes a negated one and `IfExists`, passes `ForAllValues`
and fails `ForAnyValue`. A key with many values that is asked for without either is asked as `ForAnyValue` (negated:
none of them may match); AWS leaves that open.

A comparison may come out unknown: a policy variable without a value, or a request's value that is no number, time
or address. Then an Allow statement does not apply, nor does a Deny statement but for a negated operator: what is
unknown never widens what is allowed.

Source: IAM User Guide, "Condition operators", "Multivalued context keys".
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar

from tradewind.iam import comparands
from tradewind.iam.contexts import Context
from tradewind.iam.errors import SYNTAX, MalformedDocument
from tradewind.iam.variables import Template, template

_Truth = bool | None
_Compare = Callable[[str], _Truth]
T = TypeVar("T")


class Quantifier(StrEnum):
    """How many of a key's values must match."""

    SINGLE = ""
    ANY = "ForAnyValue:"
    ALL = "ForAllValues:"


@dataclass(frozen=True)
class _Fixed:
    """A value that is the same for every request."""

    compare: _Compare

    def bind(self, _: Context) -> _Compare:
        return self.compare


@dataclass(frozen=True)
class _Templated:
    """A text that may hold variables."""

    templated: Template
    is_folded: bool = False

    def bind(self, context: Context) -> _Compare:
        pattern = self.templated.resolve(context, is_folded=self.is_folded)
        if pattern is None:
            return _unknown
        if self.is_folded:
            return lambda value: pattern.fits(value.lower())
        return pattern.fits


_Test = _Fixed | _Templated
_Maker = Callable[[str, bool], _Test]


@dataclass(frozen=True)
class Condition:
    """One operator on one key. `key` is in small letters, `name` and `operator` are as they were written."""

    operator: str
    key: str
    values: tuple[str, ...]
    quantifier: Quantifier = Quantifier.SINGLE
    is_negated: bool = False
    if_exists: bool = False
    is_null: bool = False
    name: str = field(default="", compare=False)
    tests: tuple[_Test, ...] = field(default=(), compare=False, repr=False)

    def holds(self, context: Context, *, unknown: bool) -> bool:
        """Whether it holds. `unknown` is what an unknown outcome of a negated operator counts as."""
        present = context.get(self.key)
        if self.is_null:
            return any(comparands.truth(value) is (not present) for value in self.values)
        if not present:
            return self._holds_without()
        outcome = self._outcome(present, [test.bind(context) for test in self.tests])
        if outcome is None:
            return self.is_negated and unknown
        return outcome

    def _holds_without(self) -> bool:
        if self.if_exists:
            return True
        match self.quantifier:
            case Quantifier.ALL:
                return True
            case Quantifier.ANY:
                return False
            case _:
                return self.is_negated

    def _outcome(self, present: Sequence[str], compares: Sequence[_Compare]) -> _Truth:
        matches = (_any(compare(value) for compare in compares) for value in present)
        if self.quantifier is Quantifier.SINGLE:
            return _not(_any(matches)) if self.is_negated else _any(matches)
        each = (_not(match) for match in matches) if self.is_negated else matches
        return _any(each) if self.quantifier is Quantifier.ANY else _not(_any(_not(match) for match in each))

    def keys(self) -> dict[str, str]:
        """The keys that it asks for, also as variables: in small letters to as they were written."""
        templates = (test.templated for test in self.tests if isinstance(test, _Templated))
        return {self.key: self.name, **dict(pair for templated in templates for pair in templated.keys)}


def condition(written: str, key: str, values: Iterable[str], *, has_variables: bool) -> Condition:
    """Compile one. Raises MalformedDocument for an operator that is not AWS's and a value that is not of its kind."""
    values = tuple(values)
    quantifier = next(
        (each for each in (Quantifier.ANY, Quantifier.ALL) if written.startswith(each)), Quantifier.SINGLE
    )
    name = written.removeprefix(quantifier)
    if name == "Null" and quantifier is Quantifier.SINGLE:
        if any(comparands.truth(value) is None for value in values):
            raise MalformedDocument(SYNTAX)
        return Condition(written, key.lower(), values, is_null=True, name=key)
    family = name.removesuffix("IfExists")
    if family not in _FAMILIES:
        raise MalformedDocument(f"Invalid Condition type : {written}.")
    make, is_negated = _FAMILIES[family]
    tests = tuple(make(value, has_variables) for value in values)
    return Condition(written, key.lower(), values, quantifier, is_negated, family != name, name=key, tests=tests)


def _unknown(_: str) -> _Truth:
    return None


def _not(value: _Truth) -> _Truth:
    return None if value is None else not value


def _any(values: Iterable[_Truth]) -> _Truth:
    outcome: _Truth = False
    for value in values:
        if value:
            return True
        if value is None:
            outcome = None
    return outcome


def _text(*, wild: bool = False, is_arn: bool = False, is_folded: bool = False) -> _Maker:
    def make(text: str, has_variables: bool) -> _Test:
        text = text.lower() if is_folded else text
        return _Templated(
            template(text, is_arn=is_arn, has_variables=has_variables, has_wildcards=wild), is_folded=is_folded
        )

    return make


def _ordered(read: Callable[[str], T | None], holds: Callable[[Any, Any], bool]) -> _Maker:
    def make(text: str, _: bool) -> _Test:
        wanted = read(text)
        if wanted is None:
            raise MalformedDocument(SYNTAX)

        def compare(value: str) -> _Truth:
            found = read(value)
            return None if found is None else holds(found, wanted)

        return _Fixed(compare)

    return make


def _within(text: str, _: bool) -> _Test:
    wanted = comparands.network(text)
    if wanted is None:
        raise MalformedDocument(SYNTAX)

    def compare(value: str) -> _Truth:
        found = comparands.address(value)
        return None if found is None else found in wanted

    return _Fixed(compare)


def _orders(prefix: str, read: Callable[[str], Any]) -> dict[str, tuple[_Maker, bool]]:
    return {
        f"{prefix}Equals": (_ordered(read, operator.eq), False),
        f"{prefix}NotEquals": (_ordered(read, operator.eq), True),
        f"{prefix}LessThan": (_ordered(read, operator.lt), False),
        f"{prefix}LessThanEquals": (_ordered(read, operator.le), False),
        f"{prefix}GreaterThan": (_ordered(read, operator.gt), False),
        f"{prefix}GreaterThanEquals": (_ordered(read, operator.ge), False),
    }


# Each operator: how its values are compiled, and whether it is a negated one.
_FAMILIES: Final[Mapping[str, tuple[_Maker, bool]]] = {
    "StringEquals": (_text(), False),
    "StringNotEquals": (_text(), True),
    "StringEqualsIgnoreCase": (_text(is_folded=True), False),
    "StringNotEqualsIgnoreCase": (_text(is_folded=True), True),
    "StringLike": (_text(wild=True), False),
    "StringNotLike": (_text(wild=True), True),
    "ArnEquals": (_text(wild=True, is_arn=True), False),
    "ArnLike": (_text(wild=True, is_arn=True), False),
    "ArnNotEquals": (_text(wild=True, is_arn=True), True),
    "ArnNotLike": (_text(wild=True, is_arn=True), True),
    **_orders("Numeric", comparands.number),
    **_orders("Date", comparands.time),
    "Bool": (_ordered(comparands.truth, operator.eq), False),
    "BinaryEquals": (_ordered(comparands.octets, operator.eq), False),
    "IpAddress": (_within, False),
    "NotIpAddress": (_within, True),
}
