"""The provider as a person configures it: `oidc_*` keys of settings.toml, or TRADEWIND_OIDC_* variables.

| key | meaning |
| --- | --- |
| oidc_issuer | the issuer's URL, exactly as in its tokens: https, or http on a loopback address |
| oidc_client_id, oidc_client_secret | as registered there; without a secret it is a public client |
| oidc_name | what the button says; by default the issuer's host |
| oidc_scopes | by default `openid profile email` |
| oidc_claim | the claim of the ID token whose values are mapped; by default `groups` |
| oidc_roles | a table: a value of that claim = an IAM role's name or ARN; in a variable, a JSON object |
| oidc_public_url | where browsers reach the API, https://host[:port]; by default where the service says it answers |
| oidc_ca_file | certificates of a private authority that signs for the provider |

The order of `oidc_roles` counts: the first role that lets somebody in is theirs.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tradewind.domain.errors import CannotStart

ROLES = "oidc_roles"
KEYS = frozenset({
    "oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_name", "oidc_scopes", "oidc_claim", "oidc_roles",
    "oidc_public_url", "oidc_ca_file",
})  # fmt: skip
_ORIGIN = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|https://\[[0-9a-f:]+\](?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Provider:
    """One provider. `roles` maps values of `claim` to IAM roles, in the order in which they are tried."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    roles: Mapping[str, str]
    name: str
    scopes: str = "openid profile email"
    claim: str = "groups"
    public_url: str | None = None
    ca_file: Path | None = None

    @property
    def path(self) -> str:
        """Host and path: how IAM names it in `oidc-provider/…` and before `:aud` and `:sub` in condition keys."""
        return self.issuer.split("://", 1)[1].rstrip("/")

    def arn(self, account: str, partition: str = "aws") -> str:
        """The federated principal that a role's trust policy names."""
        return f"arn:{partition}:iam::{account}:oidc-provider/{self.path}"


def read_provider(given: Mapping[str, str]) -> Provider | None:
    """The provider of the settings; None without an issuer. Raises CannotStart."""
    issuer = given.get("oidc_issuer")
    if not issuer:
        return None
    mapped = _roles(given.get(ROLES))
    if not given.get("oidc_client_id"):
        raise CannotStart("cannot use OpenID Connect: oidc_issuer and oidc_client_id belong together")
    if not is_safe_url(issuer) or urlsplit(issuer).query:
        raise CannotStart(f"cannot use the oidc_issuer {issuer!r}: it must be an https URL without a query")
    if not mapped:
        raise CannotStart("cannot use OpenID Connect: oidc_roles maps no claim to a role, so nobody could sign in")
    public = given.get("oidc_public_url")
    if public and not _ORIGIN.fullmatch(public):
        raise CannotStart(f"cannot use the oidc_public_url {public!r}: it must read https://host or https://host:port")
    scopes = given.get("oidc_scopes") or Provider.scopes
    if "openid" not in scopes.split():
        raise CannotStart("cannot use the oidc_scopes: openid must be one of them")
    ca_file = given.get("oidc_ca_file")
    if ca_file and not Path(ca_file).is_file():
        raise CannotStart(f"cannot use the oidc_ca_file {ca_file}: there is no such file")
    return Provider(
        issuer=issuer,
        client_id=given["oidc_client_id"],
        client_secret=given.get("oidc_client_secret") or None,
        roles=mapped,
        name=given.get("oidc_name") or urlsplit(issuer).netloc,
        scopes=scopes,
        claim=given.get("oidc_claim") or Provider.claim,
        public_url=public,
        ca_file=Path(ca_file) if ca_file else None,
    )


def is_safe_url(url: str) -> bool:
    """Whether codes and secrets may be sent there: https, or http to this machine itself (for trying it out)."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        return False
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _roles(text: str | None) -> Mapping[str, str]:
    try:
        document = json.loads(text or "{}")
    except ValueError as error:
        raise CannotStart(f"cannot read oidc_roles: {error}") from error
    if not isinstance(document, dict) or not all(isinstance(role, str) for role in document.values()):
        raise CannotStart("cannot read oidc_roles: it must map values of the claim to names or ARNs of IAM roles")
    return document
