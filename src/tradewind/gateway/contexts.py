"""The condition keys of a request at an environment's host, as the API has them of its own."""

from starlette.requests import Request

from tradewind.access.contexts import request_context
from tradewind.gateway.limits import address_of
from tradewind.gateway.services import GatewayServices
from tradewind.iam import Context


def context_of(services: GatewayServices, request: Request) -> Context:
    """The condition keys. Whatever comes through the door came by TLS."""
    return request_context(
        now=services.now(),
        account=services.account.account_id,
        region=services.trail.region,
        address=address_of(request),
        is_secure=True,
        agent=request.headers.get("user-agent"),
        referer=request.headers.get("referer"),
    )
