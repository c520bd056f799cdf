"""A service as the API's room uses it: route, decode, check, answer. Everything is derived from AWS's model.

Only REST-JSON is spoken now (`mwaa`). Another protocol gets its own decoding and encoding beside these and a
choice in `load_service`; shapes, patterns, checking and signatures are the same for all. A model that uses a
trait of REST-JSON that is not written here (payload members, headers in answers, formats of timestamps) is
refused at load, so that nothing is silently misread.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tradewind.wire.checking import Violation, check_parameters
from tradewind.wire.decoding import decode_parameters
from tradewind.wire.encoding import Response, encode_failure, encode_result
from tradewind.wire.errors import WireError
from tradewind.wire.routing import Routed, Router
from tradewind.wire.shapes import Bounds, List, Map, Model, Structure, read_model

_LOCATIONS = {"uri", "querystring", "header", "body"}


class Service:
    """One service's whole wire. Immutable after it was made, so any number of threads may share it."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._router = Router(model.operations.values())
        self.name = model.name
        self.signing_name = model.signing_name
        self.operations = tuple(model.operations)
        self.errors: Mapping[str, int] = {
            shape.name: shape.status
            for shape in model.shapes.values()
            if isinstance(shape, Structure) and shape.status is not None
        }

    def route(self, method: str, raw_path: str) -> Routed:
        """Find the operation of a request by its path as it arrived. Raises WireError."""
        return self._router.route(method, raw_path)

    def decode(
        self,
        operation: str,
        labels: Mapping[str, str],
        raw_query: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
    ) -> dict[str, Any]:
        """Read the parameters; absent ones are left out. Raises WireError (SerializationException)."""
        return decode_parameters(self._model, operation, labels, raw_query, headers, body)

    def check(
        self, operation: str, params: Mapping[str, Any], *, overrides: Mapping[str, Bounds] | None = None
    ) -> tuple[Violation, ...]:
        """Every violation of the model. `overrides` replaces the bounds of shapes by their name (`RestApiPath`)."""
        return check_parameters(self._model, operation, params, overrides)

    def encode(self, operation: str, result: Mapping[str, Any], request_id: str) -> Response:
        """Answer a success. Raises ValueError or TypeError for a result that is not of the output's shape."""
        return encode_result(self._model, operation, result, request_id)

    def encode_error(self, error: WireError, request_id: str) -> Response:
        """Answer an error. Raises ValueError for a type that neither the model nor the front door has."""
        return encode_failure(self._model, error, request_id)

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


def load_service(name: str) -> Service:
    """Load a service's model and compile all of it. Raises ValueError for what is not spoken here."""
    model = read_model(name)
    if model.protocol != "rest-json":
        raise ValueError(f"cannot serve {name}: its protocol {model.protocol} is not spoken here")
    for operation in model.operations.values():
        for member in model.structure(operation.input).members:
            if member.location not in _LOCATIONS:
                raise ValueError(f"cannot serve {name}: {operation.name} has {member.name} in {member.location}")
        for member in model.structure(operation.output).members:
            if member.location != "body":
                raise ValueError(f"cannot serve {name}: {operation.name} answers {member.name} in {member.location}")
    return Service(model)
