"""Which certificates the door shows, and whom it trusts to sign them: Caddy's `tls` part (pure).

| variant | public names and environments' hosts | this machine's own names and addresses |
| --- | --- | --- |
| Internal | the authority of this data directory | the same |
| Files | one given pair (a wildcard, in practice) | the authority of this data directory |
| Acme | one certificate each, by the TLS-ALPN-01 challenge | the authority of this data directory |

`localhost` and addresses always stay with the internal authority: no public one signs them, and the service's own
clients on this machine go on working whatever happens to the public certificates.

Strict-Transport-Security is sent for public names with given or ACME certificates only. With the internal authority a
browser that once took the header would lock its user out as soon as that root is missing or made anew. It has neither
includeSubDomains nor preload: other hosts below the operator's domain are not ours to decide about.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

AUTHORITY = "local"  # Caddy's id of the internal authority; its root lies in pki/authorities/local/
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
STRICT_TRANSPORT = "max-age=31536000"  # a year


@dataclass(frozen=True)
class Internal:
    """The authority of this data directory signs every name; nothing is asked of the network."""


@dataclass(frozen=True)
class Files:
    """A given pair. The paths are copies named by their content, so that other content is another configuration."""

    certificate: Path  # the leaf first, then its chain
    key: Path
    roots: Path | None = None  # what clients must trust beside the public roots


@dataclass(frozen=True)
class Acme:
    """An ACME server signs. `port` is where the challenge is answered here: 443, or what 443 is forwarded to."""

    directory: str
    email: str | None = None
    roots: Path | None = None  # of a private server: what we trust to ask it, and what clients must trust
    port: int = 443
    address: str = ""  # where the challenge is answered while nothing listens there; empty means everywhere


Tls = Internal | Files | Acme


def is_address(name: str) -> bool:
    """Whether a host is written as an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def copies(tls: Tls) -> tuple[Path, ...]:
    """The files that a configuration refers to: without them Caddy does not start."""
    match tls:
        case Internal():
            return ()
        case Files(certificate, key, roots):
            return tuple(path for path in (certificate, key, roots) if path)
        case Acme(roots=roots):
            return (roots,) if roots else ()


def strict_transport(tls: Tls, name: str) -> str | None:
    """The Strict-Transport-Security header for a public name; None where it must not be sent."""
    return None if isinstance(tls, Internal) or is_address(name) else STRICT_TRANSPORT


def tls_app(tls: Tls, local: Sequence[str], public: Sequence[str]) -> Json:
    """Caddy's `tls` app. `local`: this machine's names and addresses; `public`: the rest.

    Certificates are loaded or managed for exactly these names: nobody can make us ask for another one.
    """
    certificates: Json = {"automate": list(local)}
    policies: list[Json] = []
    match tls:
        case Internal():
            certificates["automate"] = _unique([*local, *public])
        case Files(certificate, key):
            certificates["load_files"] = [{"certificate": str(certificate), "key": str(key)}]
        case Acme():
            certificates["automate"] = _unique([*local, *public])
            if public:
                policies.append({"subjects": _unique(public), "issuers": [_acme(tls)]})
    # A week, so that a laptop that slept over the weekend wakes with certificates that are still good.
    issuer = {"module": "internal", "ca": AUTHORITY, "lifetime": "168h"}
    policies.append({"issuers": [issuer], "disable_ocsp_stapling": True})
    return {
        "certificates": certificates,
        # Caddy's cleaning takes away empty folders while the first certificates are being saved into them,
        # and the next attempt is a minute later. The doorkeeper cleans instead.
        "disable_storage_clean": True,
        "automation": {"policies": policies},
    }


def _acme(tls: Acme) -> Json:
    alpn: Json = {"alternate_port": tls.port}
    # One challenge, on the port that is ours anyway: HTTP-01 would need port 80 on every address.
    challenges: Json = {"http": {"disabled": True}, "tls-alpn": alpn}
    if tls.address:
        challenges["bind_host"] = tls.address
    issuer: Json = {"module": "acme", "ca": tls.directory, "challenges": challenges}
    if tls.email:
        issuer["email"] = tls.email
    if tls.roots:
        issuer["trusted_roots_pem_files"] = [str(tls.roots)]
    return issuer


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
