"""What the provider says about itself, and its keys: asked for once, kept, and asked for again when it must be.

OpenID Connect Discovery 1.0: the document at `<issuer>/.well-known/openid-configuration` must name exactly the
configured issuer, and its endpoints must be such that codes and secrets may go there. It is kept for an hour; one that
cannot be renewed goes on being used. Keys are kept for 15 minutes. A token signed with a key that is not among them
has them fetched again, at most every 10 s: a provider may change its keys at any moment, and a flood of odd tokens is
not passed on to it. A provider that does not answer is asked again after 5 s at the earliest. Only keys for public-key
signatures are kept: a shared secret, or a public key taken for one, is never tried.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from joserfc.util import base64_to_int

from tradewind.access.openid.fetching import Fetcher
from tradewind.access.openid.refusals import ProviderUnavailable
from tradewind.access.providers import is_safe_url

PublicKey = RSAKey | ECKey | OKPKey
_METADATA_SECONDS = 3600.0
_KEY_SECONDS = 900.0
_KEY_PAUSE = 10.0
_FAILURE_PAUSE = 5.0
_MOST_KEYS = 50
_SHORTEST_RSA = 2048
_TYPES = frozenset({"RSA", "EC", "OKP"})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Metadata:
    """The part of the provider's document that is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    names_itself: bool  # RFC 9207: every answer to the browser says `iss`
    authentication: tuple[str, ...]


def metadata_of(document: Mapping[str, Any], issuer: str) -> Metadata:
    """Raises ProviderUnavailable for a document of another issuer, or without the endpoints that are needed."""
    if document.get("issuer") != issuer:
        raise ProviderUnavailable(f"the document of {issuer} names the issuer {document.get('issuer')!r}")
    endpoints: dict[str, str] = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        url = document.get(name)
        if not isinstance(url, str) or not is_safe_url(url):
            raise ProviderUnavailable(f"the document of {issuer} has the {name} {url!r}")
        endpoints[name] = url
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Metadata(
        issuer=issuer,
        authorization_endpoint=endpoints["authorization_endpoint"],
        token_endpoint=endpoints["token_endpoint"],
        jwks_uri=endpoints["jwks_uri"],
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        authentication=tuple(str(method) for method in methods) if isinstance(methods, list) else (),
    )


class Discovery:
    """One provider's document and keys. Safe for many threads."""

    def __init__(self, issuer: str, fetcher: Fetcher, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that never go back."""
        self._issuer = issuer
        self._fetcher = fetcher
        self._clock = clock
        self._lock = threading.Lock()
        self._metadata: tuple[Metadata, float] | None = None
        self._keys: tuple[tuple[PublicKey, ...], float] | None = None
        self._failed: tuple[ProviderUnavailable, float] | None = None

    def metadata(self) -> Metadata:
        """The document. Raises ProviderUnavailable when there is none yet and none can be had."""
        with self._lock:
            kept, now = self._metadata, self._clock()
            if kept is not None and now - kept[1] < _METADATA_SECONDS:
                return kept[0]
            try:
                document = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
                metadata = metadata_of(document, self._issuer)
            except ProviderUnavailable as error:
                if kept is None:
                    raise
                _log.warning("openid", action="kept_old_document", reason=error.detail)
                metadata, now = kept[0], now - _METADATA_SECONDS + _FAILURE_PAUSE
            self._metadata = (metadata, now)
            return metadata

    def keys(self, kid: str | None) -> Sequence[PublicKey]:
        """The keys that may have signed: those of that id, or all. None of that id is an empty sequence."""
        uri = self.metadata().jwks_uri
        with self._lock:
            found = self._kept(kid, _KEY_SECONDS)
            if found:
                return found
            if not self._is_younger(_KEY_PAUSE):
                self._keys = (public_keys(self._fetch(uri)), self._clock())
            return self._kept(kid, _KEY_SECONDS)

    def _kept(self, kid: str | None, seconds: float) -> tuple[PublicKey, ...]:
        if self._keys is None or not self._is_younger(seconds):
            return ()
        return tuple(key for key in self._keys[0] if kid is None or key.kid == kid)

    def _is_younger(self, seconds: float) -> bool:
        return self._keys is not None and self._clock() - self._keys[1] < seconds

    def _fetch(self, url: str) -> Mapping[str, Any]:
        if self._failed is not None and self._clock() - self._failed[1] < _FAILURE_PAUSE:
            raise ProviderUnavailable(self._failed[0].detail)
        try:
            document = self._fetcher.get(url)
        except ProviderUnavailable as error:
            self._failed = (error, self._clock())
            raise
        self._failed = None
        return document


def public_keys(document: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    """The keys of a JWK set that verify signatures; the others, and what cannot be read, are left out."""
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise ProviderUnavailable("the provider's key set holds no list of keys")
    found = (_public_key(entry) for entry in entries[:_MOST_KEYS])
    return tuple(key for key in found if key is not None)


def _public_key(entry: Any) -> PublicKey | None:
    if not isinstance(entry, dict) or entry.get("kty") not in _TYPES or entry.get("use", "sig") != "sig":
        return None
    try:
        if entry["kty"] == "RSA" and base64_to_int(entry["n"]).bit_length() < _SHORTEST_RSA:
            return None
        key = JWKRegistry.import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None
