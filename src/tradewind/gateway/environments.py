"""Which environment a request is for: the one that the proxy named, if its web server may be used."""

from starlette.requests import Request

from tradewind.domain.environments import Environment, Phase, Target
from tradewind.domain.identifiers import EnvironmentId
from tradewind.gateway.services import GatewayServices


def environment_of(services: GatewayServices, request: Request) -> Environment | None:
    """The environment; None when it is not there or not ready."""
    try:
        id_ = EnvironmentId(request.headers["x-tradewind-environment"])
    except (KeyError, ValueError):
        return None
    environment = services.environments.get(id_)
    if environment is None or environment.phase is not Phase.READY or environment.target is not Target.PRESENT:
        return None
    return environment
