"""Violations in AWS's own words, as people find them in logs and search for them.

`1 validation error detected: Value 'x' at 'name' failed to satisfy constraint: ...`, several joined by `; `. A
sensitive value is not shown. Values of any length and any number of violations may arrive here: what is shown
is cut, the count is true.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tradewind.wire.checking import Violation

GREATEST_LENGTH = 1024
GREATEST_COUNT = 100


def validation_message(violations: Sequence[Violation]) -> str:
    """The message of a ValidationException. Violations that read the same are told once."""
    sentences = tuple(dict.fromkeys(_sentence(violation) for violation in violations))
    errors = "error" if len(sentences) == 1 else "errors"
    return f"{len(sentences)} validation {errors} detected: {'; '.join(sentences[:GREATEST_COUNT])}"


def _sentence(violation: Violation) -> str:
    match violation:
        case Violation(sensitive=True):
            value = "Value"
        case Violation(value=None):
            value = "Value null"
        case _:
            value = f"Value '{_cut(_shown(violation.value))}'"
    return f"{value} at '{_cut(violation.path)}' failed to satisfy constraint: {violation.constraint}"


def _shown(value: Any) -> str:
    """A value as Java prints it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case Mapping():
            return "{" + ", ".join(f"{key}={_shown(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(_shown(item) for item in value) + "]"
        case _:
            return str(value)


def _cut(text: str) -> str:
    return text if len(text) <= GREATEST_LENGTH else f"{text[:GREATEST_LENGTH]}..."
