"""A service that speaks the query protocol: IAM and STS. Forms come in, XML goes out.

What is asked is the form's Action; its Version must be the model's. Errors of the front door are raised in the
names that REST services have and become this protocol's own here. Maps, flattened lists and other names than
the members' own are spoken although IAM and STS have few of them; what else a model could ask for (members in
headers, XML attributes, other formats of timestamps) is refused at load.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tradewind.wire.elements import encode_fault, encode_outcome
from tradewind.wire.encoding import Response
from tradewind.wire.errors import WireError
from tradewind.wire.forms import decode_form, read_form, read_text
from tradewind.wire.routing import Routed
from tradewind.wire.services import Service
from tradewind.wire.shapes import Document, Model, Structure
from tradewind.wire.sigv4 import SignedRequest

_SHOWN = 128  # characters of a name that is repeated to the caller


class QueryService(Service):
    """IAM or STS. Raises ValueError for a model with a trait that is not spoken here."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        _refuse_foreign_traits(model)

    def route(self, request: SignedRequest) -> Routed:
        """Find the operation by the form's Action and Version. Raises WireError: InvalidAction, MissingAction."""
        form = read_form(request.raw_query, request.body)
        action, version = read_text(form.get("Action", b"")), read_text(form.get("Version", b"NO_VERSION_SPECIFIED"))
        if not action:
            raise WireError("MissingAction", "The request is missing an action or a required parameter.")
        is_here = request.method in {"GET", "POST"} and request.raw_path in {"", "/"}
        if action not in self._model.operations or version != self._model.version or not is_here:
            raise WireError(
                "InvalidAction", f"Could not find operation {action[:_SHOWN]} for version {version[:_SHOWN]}"
            )
        return Routed(action, {})

    def decode(
        self,
        operation: str,
        labels: Mapping[str, str],  # noqa: ARG002  (paths have none in this protocol)
        raw_query: str,
        headers: Iterable[tuple[str, str]],  # noqa: ARG002  (no member is in a header)
        body: bytes,
    ) -> dict[str, Any]:
        """Read the parameters; absent ones are left out. Raises WireError (SerializationException)."""
        return decode_form(self._model, operation, read_form(raw_query, body))

    def encode(self, operation: str, result: Mapping[str, Any], request_id: str) -> Response:
        """Answer a success. Raises ValueError or TypeError for a result that is not of the output's shape."""
        return encode_outcome(self._model, operation, result, request_id)

    def encode_error(self, error: WireError, request_id: str) -> Response:
        """Answer an error. Raises ValueError for a type that neither the model nor the front door has."""
        return encode_fault(self._model, error, request_id)


def _refuse_foreign_traits(model: Model) -> None:
    documents = [shape.name for shape in model.shapes.values() if isinstance(shape, Document)]
    if documents:
        raise ValueError(f"cannot serve {model.name}: {documents[0]} is a document, which forms cannot hold")
    for shape in model.shapes.values():
        for member in shape.members if isinstance(shape, Structure) else ():
            if member.location != "body":
                raise ValueError(f"cannot serve {model.name}: {shape.name} has {member.name} in {member.location}")
