"""From a service's name to a Service: its model decides which protocol is spoken.

A model with anything that is not spoken here is refused at load, that is, when the service starts.
"""

from tradewind.wire.queries import QueryService
from tradewind.wire.rest import RestService
from tradewind.wire.services import Service
from tradewind.wire.shapes import read_model


def load_service(name: str) -> Service:
    """Load a service's model and compile all of it. Raises ValueError for what is not spoken here."""
    model = read_model(name)
    match model.protocol:
        case "rest-json":
            return RestService(model)
        case "query":
            return QueryService(model)
        case other:
            raise ValueError(f"cannot serve {name}: its protocol {other} is not spoken here")
