"""Who is calling: from a signed request to a principal, what it holds, and the condition keys of its request.

A key is looked up once for the signature and the decision, with all that is in force for whom it belongs to. A key
that is inactive, unknown or expired is no caller. Condition keys of the request itself are those of
`access.contexts`, those of the principal `iam`'s own, those of the operation and its resource `authorisation`'s.

A right signature is always heard. Wrong ones are answered as such until an address, or a key, has had too many of
them; from then on they are told to wait, in the same time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tradewind.access.contexts import request_context
from tradewind.api.requests import RawRequest
from tradewind.api.services import Services
from tradewind.iam import Context, Holding, Kind, Principal
from tradewind.store.identities import Credential
from tradewind.wire import FrontDoorError, Key, verify

_GLOBAL = frozenset({"iam", "sts"})  # signed for us-east-1 wherever the account is
_GLOBAL_REGIONS = ("us-east-1", "aws-global")
_WRONG = frozenset({"InvalidSignatureException", "UnrecognizedClientException"})


@dataclass(frozen=True)
class Caller:
    """A verified caller. `base` are the condition keys that do not depend on the operation."""

    principal: Principal
    holding: Holding = field(default_factory=Holding)
    access_key_id: str = ""
    base: Context = field(default_factory=Context)

    def context(self, more: Mapping[str, Sequence[str]] | None = None) -> Context:
        """Everything that conditions may ask about, but for what the principal says of itself."""
        return Context.of(more or {}).over(self.base)


def identify(request: RawRequest, services: Services, *, scope: str) -> Caller:
    """Verify the signature. `scope` is the name that the service's requests are signed for. Raises WireError."""
    found: dict[str, Credential] = {}

    def lookup(access_key_id: str) -> Key | None:
        credential = services.keyholders.credential(access_key_id)
        if credential is None or not credential.is_active:
            return None
        found[access_key_id] = credential
        return Key(credential.secret, credential.session_token, credential.expires)

    try:
        verified = verify(
            request.signed,
            region=services.place.region,
            other_regions=_GLOBAL_REGIONS if scope in _GLOBAL else (),
            service=scope,
            lookup=lookup,
            now=services.now(),
        )
    except FrontDoorError as error:
        if error.code in _WRONG:
            _count(request, services)
        raise
    credential = found[verified.access_key_id]
    if credential.principal.kind is Kind.USER and credential.session_token is None:
        services.identities.keys.used(
            verified.access_key_id, scope, services.place.region, services.now(), credential.used_at
        )
    base = request_context(
        now=services.now(),
        account=services.place.account,
        region=services.place.region,
        address=request.source,
        is_secure=request.is_secure,
        agent=request.header("user-agent"),
        referer=request.header("referer"),
    )
    return Caller(credential.principal, credential.holding, verified.access_key_id, base)


def _count(request: RawRequest, services: Services) -> None:
    if services.tries.wait(request.source):
        raise FrontDoorError("ThrottlingException", "Rate exceeded")
    services.tries.wrong(request.source)
