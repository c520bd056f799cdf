"""From an authorization code to tokens (RFC 6749 4.1.3 with RFC 7636).

The client authenticates as the provider's document allows: `client_secret_basic` (id and secret URL-encoded first,
RFC 6749 2.3.1), else `client_secret_post`; without a secret it only says its id, and PKCE is the proof.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from tradewind.access.openid.discovery import Metadata
from tradewind.access.openid.fetching import Fetcher
from tradewind.access.openid.refusals import OpenIdRefused, ProviderUnavailable
from tradewind.access.providers import Provider

_HEADERS = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
_OK = 200
_SERVER_ERROR = 500


@dataclass(frozen=True)
class Tokens:
    """What the provider gave for a code."""

    id_token: str = field(repr=False)
    access_token: str | None = field(repr=False)


def exchange(
    fetcher: Fetcher, provider: Provider, metadata: Metadata, *, code: str, verifier: str, redirect_uri: str
) -> Tokens:
    """Raises OpenIdRefused when the code is not taken (used, expired, not ours), ProviderUnavailable."""
    form = prepare_token_request("authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier)
    authentication = ClientAuth(provider.client_id, provider.client_secret, _method(provider, metadata))
    url, headers, body = authentication.prepare("POST", metadata.token_endpoint, dict(_HEADERS), form)
    said = fetcher.post(url, headers, body)
    if said.status >= _SERVER_ERROR:
        raise ProviderUnavailable(f"the token endpoint answers {said.status}")
    id_token, access_token = said.document.get("id_token"), said.document.get("access_token")
    if said.status != _OK or not isinstance(id_token, str):
        error = said.document.get("error")
        raise OpenIdRefused(
            "The sign-in provider did not accept the sign-in. Please try again.",
            f"the token endpoint answers {said.status} {str(error)[:100]!r}",
        )
    return Tokens(id_token, access_token if isinstance(access_token, str) else None)


def _method(provider: Provider, metadata: Metadata) -> Any:
    if provider.client_secret is None:
        return "none"
    if "client_secret_basic" not in metadata.authentication and "client_secret_post" in metadata.authentication:
        return "client_secret_post"
    return _basic


def _basic(client: Any, _method: str, uri: str, headers: Mapping[str, str], body: str) -> Any:
    """Authlib's own does not encode the two, and a secret with `%`, `+` or `:` in it is then another one."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    return uri, {**headers, "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, body
