"""The whole way of a sign-in through the provider, from our redirect to verified claims.

The order of the checks at the callback is part of it: first that this browser began the attempt (cookie and `state`),
then that the answer is of this provider (`iss`, RFC 9207), then that the attempt was not used before, and only then
does a code go anywhere. One redirect URI serves all environments, because providers want it registered.
"""

import hmac
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from tradewind.access.clients import Cookieless
from tradewind.access.openid.attempts import Attempt, Attempts
from tradewind.access.openid.codes import exchange
from tradewind.access.openid.discovery import Discovery
from tradewind.access.openid.fetching import TIMEOUT, Fetcher
from tradewind.access.openid.id_tokens import Claims, Expected, verify_id_token
from tradewind.access.openid.refusals import OpenIdRefused
from tradewind.access.providers import Provider
from tradewind.access.tokens import UsedTokens
from tradewind.domain.errors import CannotStart

CALLBACK = "/tradewind/sign-in/callback"
START = "/tradewind/sign-in/start"
_STALE = "This sign-in was begun in another window, or too long ago. Please try again."
_ERROR = re.compile(r"[a-z_]{1,64}")
_LONGEST_CODE = 4096


@dataclass(frozen=True)
class OpenIdFlow:
    """One provider. `public_url` is the API's origin as browsers see it; `used` remembers attempts."""

    provider: Provider
    public_url: str
    discovery: Discovery
    fetcher: Fetcher
    attempts: Attempts
    used: UsedTokens
    now: Callable[[], datetime]

    @property
    def redirect_uri(self) -> str:
        """What is registered at the provider."""
        return self.public_url + CALLBACK

    def begin(self, environment: str, destination: str) -> tuple[str, str]:
        """Where the browser goes, and what it keeps. Raises ProviderUnavailable."""
        metadata = self.discovery.metadata()
        attempt = self.attempts.begin(environment, destination)
        url: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            self.provider.client_id,
            "code",
            redirect_uri=self.redirect_uri,
            scope=self.provider.scopes,
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return url, self.attempts.seal(attempt)

    def attempt_of(self, query: Mapping[str, str], kept: str | None) -> Attempt:
        """The attempt that this browser began and that the answer is for. Raises OpenIdRefused."""
        attempt = self.attempts.open(kept) if kept else None
        given = query.get("state", "")
        if attempt is None or not hmac.compare_digest(given.encode(), attempt.state.encode()):
            raise OpenIdRefused(_STALE, "no attempt of this browser's has that state")
        return attempt

    def finish(self, query: Mapping[str, str], attempt: Attempt) -> Claims:
        """Who has signed in. Raises OpenIdRefused, ProviderUnavailable."""
        metadata = self.discovery.metadata()
        named = query.get("iss")
        if (named is None and metadata.names_itself) or (named is not None and named != metadata.issuer):
            raise OpenIdRefused("The answer came from another sign-in provider.", f"iss is {str(named)[:200]!r}")
        if not self.used.claim(f"openid:{attempt.state}", datetime.fromtimestamp(attempt.expires, UTC)):
            raise OpenIdRefused(_STALE, "the attempt was used before")
        if (error := query.get("error")) is not None:
            word = error if _ERROR.fullmatch(error) else "an error"
            raise OpenIdRefused(f"The sign-in provider answered: {word}.", "the provider answers with an error")
        code = query.get("code", "")
        if not 1 <= len(code) <= _LONGEST_CODE:
            raise OpenIdRefused(_STALE, "the answer holds no code")
        tokens = exchange(
            self.fetcher, self.provider, metadata, code=code, verifier=attempt.verifier, redirect_uri=self.redirect_uri
        )
        expected = Expected(metadata.issuer, self.provider.client_id, attempt.nonce, tokens.access_token, self.now())
        return verify_id_token(tokens.id_token, self.discovery.keys, expected)


def open_flow(
    provider: Provider, public_url: str, key: bytes, used: UsedTokens, now: Callable[[], datetime]
) -> OpenIdFlow:
    """A provider's flow with a client of its own. Raises CannotStart for a bad ca_file."""
    try:
        trusted = ssl.create_default_context(cafile=str(provider.ca_file) if provider.ca_file else None)
    except (ssl.SSLError, OSError) as error:
        raise CannotStart(f"cannot read the certificates in {provider.ca_file}: {error}") from error
    fetcher = Fetcher(Cookieless(trust_env=False, timeout=TIMEOUT, verify=trusted))
    discovery = Discovery(provider.issuer, fetcher)
    origin = (provider.public_url or public_url).removesuffix(":443")
    return OpenIdFlow(provider, origin, discovery, fetcher, Attempts(key, now), used, now)
