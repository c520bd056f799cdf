"""From a method and a raw path to an operation and its labels.

The path is split at its raw `/` before anything is decoded, since a label may hold an encoded one: an ARN
arrives as `/tags/arn%3Aaws%3A...environment%2Fname`. So no decoded text can lead to another operation, and
dots mean nothing. Nothing is stripped: a trailing slash, an empty label or a wrong method is an operation
that does not exist (AWS answers 404 for each).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from tradewind.wire.errors import WireError
from tradewind.wire.shapes import Operation

_LABEL = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Routed:
    """The operation that was asked for, and the labels of its path, decoded."""

    operation: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class _Route:
    operation: str
    method: str
    segments: tuple[str, ...]
    labels: tuple[str | None, ...]  # the label's name where a segment is one

    def match(self, method: str, segments: tuple[str, ...]) -> Mapping[str, str] | None:
        """The labels as they are on the wire, or None where this is not the route."""
        if method != self.method or len(segments) != len(self.segments):
            return None
        labels: dict[str, str] = {}
        for given, wanted, label in zip(segments, self.segments, self.labels, strict=True):
            if label is None:
                if given != wanted:
                    return None
            elif given:
                labels[label] = given
            else:
                return None
        return labels


class Router:
    """All routes of a service."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        # A fixed segment is preferred to a label: routes with fewer labels come first.
        routes = [_route(operation) for operation in operations]
        self._routes = sorted(routes, key=lambda route: sum(label is not None for label in route.labels))

    def route(self, method: str, raw_path: str) -> Routed:
        """Find the operation. Raises WireError: UnknownOperationException; ValidationException for a bad label."""
        segments = tuple(raw_path.split("/"))
        for route in self._routes:
            labels = route.match(method, segments)
            if labels is not None:
                return Routed(route.operation, {name: _decoded(name, raw) for name, raw in labels.items()})
        raise WireError("UnknownOperationException", "The requested operation is not recognized by the service.")


def _route(operation: Operation) -> _Route:
    segments = tuple(operation.path.split("/"))
    labels = tuple(found[1] if (found := _LABEL.fullmatch(segment)) else None for segment in segments)
    rest = "".join(segment for segment, label in zip(segments, labels, strict=True) if label is None)
    if set("{}?#") & set(rest):
        raise ValueError(f"cannot route {operation.name}: its path {operation.path!r} has a label of an unknown kind")
    return _Route(operation.name, operation.method, segments, labels)


def _decoded(name: str, raw: str) -> str:
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise WireError("ValidationException", f"The label {name!r} of the request's path is not UTF-8.") from None
