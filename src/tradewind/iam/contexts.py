"""What is known of a request: condition keys and their values, and what is asked for.

Condition keys are compared without regard to case, their values are text. A key without values is a key that
is not there: AWS's "empty set" and "missing" are the same to every operator.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Self

Value = str | bool | int | float | datetime


@dataclass(frozen=True)
class Context:
    """Condition keys in small letters, each with one or more values. `Context.of` makes one of any mapping."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, keys: Mapping[str, Value | Iterable[Value] | None]) -> Self:
        """From keys in any case; a text, number, bool or time (UTC) is one value, any other iterable many."""
        return cls({key.lower(): texts for key, value in keys.items() if (texts := _texts(value))})

    def get(self, key: str) -> tuple[str, ...]:
        """The values of a key that is given in small letters; none when it is missing."""
        return self.values.get(key, ())

    def over(self, below: "Context") -> "Context":
        """Both, where this one's values win."""
        return Context({**below.values, **self.values}) if below.values else self


@dataclass(frozen=True)
class Request:
    """One action (`airflow:GetEnvironment`) on one resource (an ARN, or `*` where an action has none)."""

    action: str
    resource: str
    context: Context = field(default_factory=Context)


EMPTY: Final = Context()


def _texts(value: Value | Iterable[Value] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str | bool | int | float | datetime):
        return (_text(value),)
    return tuple(_text(item) for item in value)


def _text(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case _:
            return str(value)
