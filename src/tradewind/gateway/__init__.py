"""The public door beside the API: sign-in pages and `/aws_mwaa/*` on the hosts of environments.

Requests come from the proxy with the header `x-tradewind-environment`, which the proxy alone can set.
"""

from tradewind.gateway.app import create_gateway, is_for_gateway
from tradewind.gateway.services import GatewayServices

__all__ = ["GatewayServices", "create_gateway", "is_for_gateway"]
