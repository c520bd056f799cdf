"""A service as the API's room uses it: route, decode, check, answer. Everything is derived from AWS's model.

Here is what all protocols share: names, errors, constraints and the list of members. How a request is read and
an answer written is the protocol's: `rest` (REST-JSON: MWAA and our own service) and `queries` (forms and XML:
IAM and STS). Whoever holds a Service need not know which it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tradewind.wire.checking import Violation, check_parameters
from tradewind.wire.encoding import Response
from tradewind.wire.errors import WireError
from tradewind.wire.redaction import redact_members
from tradewind.wire.routing import Routed
from tradewind.wire.shapes import Bounds, List, Map, Model, Structure
from tradewind.wire.sigv4 import SignedRequest


class Service(ABC):
    """One service's whole wire. Immutable after it was made, so any number of threads may share it."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.name = model.name
        self.signing_name = model.signing_name
        self.operations = tuple(model.operations)
        self.errors: Mapping[str, int] = {
            shape.name: shape.status
            for shape in model.shapes.values()
            if isinstance(shape, Structure) and shape.status is not None
        }

    @abstractmethod
    def route(self, request: SignedRequest) -> Routed:
        """Find the operation of a request as it arrived; nothing of it is verified here. Raises WireError."""

    @abstractmethod
    def decode(
        self,
        operation: str,
        labels: Mapping[str, str],
        raw_query: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
    ) -> dict[str, Any]:
        """Read the parameters; absent ones are left out. Raises WireError (SerializationException)."""

    def check(
        self, operation: str, params: Mapping[str, Any], *, overrides: Mapping[str, Bounds] | None = None
    ) -> tuple[Violation, ...]:
        """Every violation of the model. `overrides` replaces the bounds of shapes by their name (`RestApiPath`)."""
        return check_parameters(self._model, operation, params, overrides)

    @abstractmethod
    def encode(self, operation: str, result: Mapping[str, Any], request_id: str) -> Response:
        """Answer a success. Raises ValueError or TypeError for a result that is not of the output's shape."""

    @abstractmethod
    def encode_error(self, error: WireError, request_id: str) -> Response:
        """Answer an error. Raises ValueError for a type that neither the model nor the front door has."""

    def redact(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters without what is sensitive, for the audit log."""
        return redact_members(self._model, self._model.operations[operation].input, params)

    def redact_result(self, operation: str, result: Mapping[str, Any]) -> dict[str, Any]:
        """A result without what is sensitive, for the audit log."""
        return redact_members(self._model, self._model.operations[operation].output, result)

    def input_members(self, operation: str) -> tuple[str, ...]:
        """Every member that a request may hold, with dots (`LoggingConfiguration.TaskLogs`, `Teams.*.DagS3Path`).

        The source of the coverage list: a newer model with a new member shows here.
        """
        shape = self._model.structure(self._model.operations[operation].input)
        return tuple(self._paths(shape, "", frozenset()))

    def _paths(self, shape: Structure, prefix: str, above: frozenset[str]) -> Iterator[str]:
        for member in shape.members:
            path = prefix + member.name
            yield path
            inner = self._model.shapes[member.shape]
            if isinstance(inner, List | Map):
                path += ".*"
                inner = self._model.shapes[inner.member if isinstance(inner, List) else inner.value]
            if isinstance(inner, Structure) and inner.name not in above:
                yield from self._paths(inner, f"{path}.", above | {inner.name})
