"""Every constraint of the model, checked on parameters: required, min, max, pattern and enum, at any depth.

botocore's clients check only required members and least lengths, so the server must check all. All
violations are collected, not the first alone. Length comes before pattern, and a value that is too long is
not matched: no pattern gets to see more text than the model allows it.

Elements that are plain values are judged as AWS does: one violation names the list or map as a whole and says
what its elements must be. Elements that are structures have paths of their own (`metricData.1.member.unit`,
`teams.blue.member.dagS3Path`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tradewind.wire.shapes import Blob, Bounds, List, Map, Model, Number, Shape, String, Structure

Rule = Literal["required", "min", "max", "pattern", "enum"]
Part = Literal["value", "element", "key"]

_AMONG: Mapping[Part, str] = {
    "element": "Member must satisfy constraint: [{}]",
    "key": "Map keys must satisfy constraint: [{}]",
}
_MAP_VALUE = "Map value must satisfy constraint: [{}]"


@dataclass(frozen=True)
class Violation:
    """One rule that one member breaks.

    `path` is the member as AWS prints it (`networkConfiguration.subnetIds`); `shape` the shape whose rule it
    is; `part` whether the value itself, a key or an element breaks it; `constraint` AWS's sentence. `value` is
    what was given (None: nothing); `sensitive` says that it must not be shown.
    """

    path: str
    shape: str
    rule: Rule
    part: Part
    constraint: str
    value: Any
    sensitive: bool


@dataclass(frozen=True)
class _Sentence:
    """A rule of a shape with its wording, and whether a value keeps it."""

    rule: Rule
    constraint: str
    is_kept_by: Callable[[Any], bool]


def check_parameters(
    model: Model, operation: str, parameters: Mapping[str, Any], overrides: Mapping[str, Bounds] | None = None
) -> tuple[Violation, ...]:
    """All violations, in the order of the model's members. `overrides` replaces the bounds of shapes by name."""
    checker = _Checker(model, overrides or {})
    return tuple(checker.structure(model.structure(model.operations[operation].input), parameters, ""))


class _Checker:
    """The model and the bounds that replace its own."""

    def __init__(self, model: Model, overrides: Mapping[str, Bounds]) -> None:
        self.model = model
        self.overrides = overrides

    def structure(self, shape: Structure, value: Mapping[str, Any], path: str) -> Iterator[Violation]:
        for member in shape.members:
            inner = self.model.shapes[member.shape]
            where = f"{path}.{_lower(member.name)}" if path else _lower(member.name)
            if value.get(member.name) is not None:
                yield from self.value(inner, value[member.name], where)
            elif member.required:
                constraint = "Member must not be null"
                yield Violation(where, inner.name, "required", "value", constraint, None, sensitive=False)

    def value(self, shape: Shape, value: Any, path: str) -> Iterator[Violation]:
        """Violations of a value that is there."""
        if isinstance(shape, Structure):
            yield from self.structure(shape, value, path)
            return
        for sentence in _broken(self.rules(shape), value):
            secret = self.is_sensitive(shape)
            yield Violation(path, shape.name, sentence.rule, "value", sentence.constraint, value, secret)
        match shape:
            case List():
                yield from self.elements(shape, shape.member, enumerate(value, 1), value, path)
            case Map():
                yield from self.among(shape, shape.key, value.keys(), value, path=path, part="key")
                yield from self.elements(shape, shape.value, value.items(), value, path)

    def elements(
        self, outer: List | Map, name: str, items: Iterable[tuple[Any, Any]], whole: Any, path: str
    ) -> Iterator[Violation]:
        shape = self.model.shapes[name]
        if isinstance(shape, Structure | List | Map):
            for at, item in items:
                yield from self.value(shape, item, f"{path}.{at}.member")
        else:
            yield from self.among(outer, name, [item for _, item in items], whole, path=path, part="element")

    def among(
        self, outer: List | Map, name: str, items: Iterable[Any], whole: Any, *, path: str, part: Part
    ) -> Iterator[Violation]:
        """One violation for each rule that any of the plain values breaks."""
        shape = self.model.shapes[name]
        template = _MAP_VALUE if isinstance(outer, Map) and part == "element" else _AMONG[part]
        rules = self.rules(shape)
        constraint = template.format(", ".join(sentence.constraint for sentence in rules))
        broken = {sentence.rule for item in items for sentence in _broken(rules, item)} if rules else set()
        for sentence in rules:
            if sentence.rule in broken:
                secret = self.is_sensitive(outer)
                yield Violation(path, shape.name, sentence.rule, part, constraint, whole, secret)

    def rules(self, shape: Shape) -> tuple[_Sentence, ...]:
        """The rules of a shape, the greatest length first."""
        match shape:
            case Number():
                return _of_range(self.bounds(shape))
            case String():
                return (*_of_length(self.bounds(shape)), *_of_text(shape))
            case List() | Map() | Blob():
                return _of_length(self.bounds(shape))
            case _:
                return ()

    def bounds(self, shape: String | Number | List | Map | Blob) -> Bounds:
        return self.overrides.get(shape.name, shape.bounds)

    def is_sensitive(self, shape: Shape, above: frozenset[str] = frozenset()) -> bool:
        """Whether the shape or anything in it must not be shown. `above` ends the search in recursive shapes."""
        match shape:
            case List():
                inner = [shape.member]
            case Map():
                inner = [shape.key, shape.value]
            case Structure():
                inner = [member.shape for member in shape.members]
            case _:
                inner = []
        within = above | {shape.name}
        return shape.sensitive or any(
            self.is_sensitive(self.model.shapes[name], within) for name in inner if name not in within
        )


def _broken(rules: Iterable[_Sentence], value: Any) -> Iterator[_Sentence]:
    for sentence in rules:
        if not sentence.is_kept_by(value):
            yield sentence
            if sentence.rule == "max":
                return


def _of_range(bounds: Bounds) -> tuple[_Sentence, ...]:
    return _within(bounds, "value", lambda value: value)


def _of_length(bounds: Bounds) -> tuple[_Sentence, ...]:
    return _within(bounds, "length", len)


def _within(bounds: Bounds, what: str, measure: Callable[[Any], float]) -> tuple[_Sentence, ...]:
    least, greatest = bounds.minimum, bounds.maximum
    found: list[_Sentence] = []
    if greatest is not None:
        constraint = f"Member must have {what} less than or equal to {greatest}"
        found.append(_Sentence("max", constraint, lambda value: measure(value) <= greatest))
    if least is not None:
        constraint = f"Member must have {what} greater than or equal to {least}"
        found.append(_Sentence("min", constraint, lambda value: measure(value) >= least))
    return tuple(found)


def _of_text(shape: String) -> tuple[_Sentence, ...]:
    found: list[_Sentence] = []
    if shape.pattern:
        constraint = f"Member must satisfy regular expression pattern: {shape.pattern.text}"
        found.append(_Sentence("pattern", constraint, shape.pattern.matches))
    if shape.enum:
        constraint = f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        found.append(_Sentence("enum", constraint, shape.enum.__contains__))
    return tuple(found)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
