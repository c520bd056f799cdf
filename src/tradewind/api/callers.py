"""Who is calling: from a signed request to a principal, what it holds, and the condition keys of its request.

A key is looked up once for the signature and the decision, with all that is in force for whom it belongs to. A key
that is inactive, unknown or expired is no caller. Condition keys of the request itself (`aws:SourceIp`,
`aws:SecureTransport`, `aws:CurrentTime` …) are filled in here, those of the principal in `iam`, those of the operation
and its resource in `authorisation`. Source: IAM User Guide, "AWS global condition context keys".

A right signature is always heard. Wrong ones are answered as such until an address, or a key, has had too many of
them; from then on they are told to wait, in the same time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

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
    """A verified caller. `keys` are the condition keys that do not depend on the operation."""

    principal: Principal
    holding: Holding = field(default_factory=Holding)
    access_key_id: str = ""
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def context(self, more: Mapping[str, Sequence[str]] | None = None) -> Context:
        """Everything that conditions may ask about, but for what the principal says of itself."""
        return Context.of({**self.keys, **(more or {})})


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
        services.identities.keys.used(verified.access_key_id, scope, services.place.region, services.now())
    keys = _of_request(request, services.now(), services.place.region)
    return Caller(credential.principal, credential.holding, verified.access_key_id, keys)


def _count(request: RawRequest, services: Services) -> None:
    if services.tries.wait(request.source):
        raise FrontDoorError("ThrottlingException", "Rate exceeded")
    services.tries.wrong(request.source)


def _of_request(request: RawRequest, now: datetime, region: str) -> dict[str, Sequence[str]]:
    keys = {
        "aws:CurrentTime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:SecureTransport": "true" if request.is_secure else "false",
        "aws:SourceIp": request.source,
        "aws:RequestedRegion": region,
        "aws:ViaAWSService": "false",
        "aws:UserAgent": request.header("user-agent"),
        "aws:Referer": request.header("referer"),
    }
    return {name: [value] for name, value in keys.items() if value}
