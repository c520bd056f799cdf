"""Which environment a request is for: the one that the proxy named, if its web server may be used."""

from starlette.requests import Request

from tradewind.domain.environments import Environment
from tradewind.domain.identifiers import EnvironmentId
from tradewind.gateway.services import GatewayServices


def environment_of(services: GatewayServices, request: Request) -> Environment | None:
    """The environment; None when it is not there or not up."""
    try:
        id_ = EnvironmentId(request.headers["x-tradewind-environment"])
    except (KeyError, ValueError):
        return None
    environment = services.environments.get(id_)
    return environment if environment is not None and environment.is_up else None
