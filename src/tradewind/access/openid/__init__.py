"""Sign-in through an OpenID Connect provider: authorization code with PKCE, and from a claim to an IAM role.

`access/providers.py` says what a person configures, `discovery` what the provider says about itself, `attempts` what
the browser keeps meanwhile, `codes` and `id_tokens` how a code becomes claims that can be relied on, `federation` whom
IAM sees in them. Protocol and signatures are Authlib's and joserfc's; what is checked, and in which order, is here.
See `docs/sign-in.md`.
"""

from tradewind.access.openid.attempts import Attempt, Attempts
from tradewind.access.openid.federation import FederatedRole, Federation, Person
from tradewind.access.openid.flow import OpenIdFlow, open_flow
from tradewind.access.openid.refusals import OpenIdRefused, ProviderUnavailable

__all__ = [
    "Attempt",
    "Attempts",
    "FederatedRole",
    "Federation",
    "OpenIdFlow",
    "OpenIdRefused",
    "Person",
    "ProviderUnavailable",
    "open_flow",
]
