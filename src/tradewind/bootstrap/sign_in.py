"""The ways in that the sign-in page offers: access keys, and the OpenID Connect provider of the settings."""

from collections.abc import Callable
from datetime import datetime

from tradewind.access.openid import FederatedRole, Federation, open_flow
from tradewind.access.openid.role_lookup import find_role
from tradewind.access.providers import Provider
from tradewind.domain.arns import Place
from tradewind.domain.environments import Environment
from tradewind.gateway.services import OpenIdSignIn
from tradewind.store import Account, Identities, UsedTokens


def wire_openid(
    provider: Provider | None,
    *,
    account: Account,
    place: Place,
    identities: Identities,
    used: UsedTokens,
    public_url: str,
    host: Callable[[Environment], str],
    now: Callable[[], datetime],
) -> OpenIdSignIn | None:
    """What the gateway needs for the provider; None when none is configured. Raises CannotStart.

    `public_url` is where the API answers (https://host[:port]), unless the settings say how browsers reach it.
    """
    if provider is None:
        return None

    def role(wanted: str) -> FederatedRole | None:
        return find_role(identities, wanted)

    flow = open_flow(provider, public_url, account.token_key, used, now)
    return OpenIdSignIn(flow, Federation(provider, place, role, now), host)
