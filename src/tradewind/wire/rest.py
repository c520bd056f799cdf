"""A service that speaks REST-JSON: paths and verbs say what is asked, JSON says the rest.

A model that uses a trait of REST-JSON that is not written here (payload members, headers in answers) is
refused when it is loaded, so that nothing is silently misread.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tradewind.wire.decoding import decode_parameters
from tradewind.wire.encoding import Response, encode_failure, encode_result
from tradewind.wire.errors import WireError
from tradewind.wire.routing import Routed, Router
from tradewind.wire.services import Service
from tradewind.wire.shapes import Model
from tradewind.wire.sigv4 import SignedRequest

_LOCATIONS = {"uri", "querystring", "header", "body"}


class RestService(Service):
    """MWAA, and the service of our own. Raises ValueError for a model with a trait that is not spoken here."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        _refuse_foreign_traits(model)
        self._router = Router(model.operations.values())

    def route(self, request: SignedRequest) -> Routed:
        """Find the operation by method and path as they arrived. Raises WireError (UnknownOperationException)."""
        return self._router.route(request.method, request.raw_path)

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

    def encode(self, operation: str, result: Mapping[str, Any], request_id: str) -> Response:
        """Answer a success. Raises ValueError or TypeError for a result that is not of the output's shape."""
        return encode_result(self._model, operation, result, request_id)

    def encode_error(self, error: WireError, request_id: str) -> Response:
        """Answer an error. Raises ValueError for a type that neither the model nor the front door has."""
        return encode_failure(self._model, error, request_id)


def _refuse_foreign_traits(model: Model) -> None:
    for operation in model.operations.values():
        for member in model.structure(operation.input).members:
            if member.location not in _LOCATIONS:
                raise ValueError(f"cannot serve {model.name}: {operation.name} has {member.name} in {member.location}")
        for member in model.structure(operation.output).members:
            if member.location != "body":
                problem = f"{operation.name} answers {member.name} in {member.location}"
                raise ValueError(f"cannot serve {model.name}: {problem}")
