"""`GET /aws_mwaa/aws-console-sso`: the sign-in page with the ways in that this service offers."""

from starlette.requests import Request
from starlette.responses import Response

from tradewind.gateway import forgery
from tradewind.gateway.destinations import destination
from tradewind.gateway.environments import mark_of
from tradewind.gateway.pages import KeyForm, SignInPage, provider_link, render
from tradewind.gateway.services import GatewayServices


def sign_in_page(services: GatewayServices, request: Request) -> Response:
    """The page as somebody sees it who has done nothing yet."""
    return offer(services, request, wanted=request.query_params.get("next"))


def offer(
    services: GatewayServices,
    request: Request,
    *,
    wanted: str | None,
    problem: str = "",
    access_key_id: str = "",
    status: int = 200,
) -> Response:
    """The page with what went wrong. `wanted` is where to go afterwards, as the browser says it."""
    seed, key_form = forgery.seed_of(request), None
    if services.keys is not None:
        seal = forgery.field(seed, mark_of(request), services.account.token_key)
        key_form = KeyForm(seal, access_key_id)
    path = destination(wanted, forgery.origin_of(request))
    link = provider_link(services.openid.flow, mark_of(request), path) if services.openid else None
    response = render(SignInPage(path, problem, key_form, link), status)
    if key_form is not None:
        forgery.plant(response, seed)
    return response
