"""One API call after it was identified and decoded: what an operation gets to see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tradewind.api.callers import Caller
from tradewind.iam import Principal


@dataclass(frozen=True)
class Call:
    """`parameters` is keyed by the service model's member names."""

    operation: str
    caller: Caller
    parameters: Mapping[str, Any]
    request_id: str
    headers: Mapping[str, str] = field(default_factory=dict)  # by their names in small letters

    def __getitem__(self, member: str) -> Any:
        return self.parameters[member]

    @property
    def principal(self) -> Principal:
        """Who calls."""
        return self.caller.principal

    def get(self, member: str, default: Any = None) -> Any:
        """A member, or the default when it was not sent."""
        return self.parameters.get(member, default)


@dataclass(frozen=True)
class Answer:
    """An operation's result and headers of our own beside AWS's."""

    result: Mapping[str, Any]
    headers: Mapping[str, str] | None = None
