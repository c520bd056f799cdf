"""Which environment a request is for: the one that the proxy named, if its web server may be used."""

from starlette.requests import Request

from tradewind.domain.environments import Environment
from tradewind.domain.identifiers import EnvironmentId
from tradewind.gateway.services import GatewayServices


def mark_of(request: Request) -> str:
    """The proxy's word for the environment, whether there is one of that id or not."""
    return request.headers.get("x-tradewind-environment", "")


def environment_of(services: GatewayServices, request: Request) -> Environment | None:
    """The environment; None when it is not there or not up."""
    environment = marked(services, request)
    return environment if environment is not None and environment.is_up else None


def marked(services: GatewayServices, request: Request) -> Environment | None:
    """The environment, up or not; None when it is not there."""
    try:
        id_ = EnvironmentId(mark_of(request))
    except ValueError:
        return None
    return services.environments.get(id_)
