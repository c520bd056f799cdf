"""An OpenID Connect provider in memory: answers over httpx, signs with real keys, and can be made to lie."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from functools import cache
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.unit.access.doubles import Clock, TokensInMemory
from tradewind.access.clients import Cookieless
from tradewind.access.openid.attempts import Attempts
from tradewind.access.openid.discovery import Discovery
from tradewind.access.openid.fetching import Fetcher
from tradewind.access.openid.flow import OpenIdFlow
from tradewind.access.providers import Provider

ISSUER = "https://id.example/realms/staff"
CLIENT = "tradewind"
SECRET = "s%cr+t:ü"
PUBLIC = "https://localhost:8443"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PROVIDER = Provider(ISSUER, CLIENT, SECRET, {"admins": "AirflowAdmin", "staff": "AirflowViewer"}, "Example ID")


@cache
def key(kid="one", kind="RSA"):
    match kind:
        case "RSA":
            return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})
        case "EC":
            return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})
        case _:
            return OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig"})


class ProviderInMemory:
    """A provider that does as the standards say, but for what a test changes."""

    def __init__(self):
        self.asked = []
        self.document = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "authorization_response_iss_parameter_supported": True,
        }
        self.signing = key()
        self.header = {"alg": "RS256", "kid": "one"}
        self.published = [key()]
        self.claims = {"groups": ["staff"], "preferred_username": "alice"}
        self.codes = {}
        self.answers = {}  # a path's end to a response or an exception

    # -- the browser's part

    def sign_in(self, url):
        """What a person's browser brings back: the query of the redirect."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": ISSUER}

    # -- the service's part

    def __call__(self, request):
        path = request.url.path.rsplit("/", 1)[-1]
        self.asked.append(path)
        if path in self.answers:
            answer = self.answers[path]
            if isinstance(answer, Exception):
                raise answer
            return answer
        match path:
            case "openid-configuration":
                return httpx.Response(200, json=self.document)
            case "keys":
                return httpx.Response(200, json={"keys": [each.as_dict(private=False) for each in self.published]})
            case "token":
                return self.token(request)
        return httpx.Response(404, json={})

    def token(self, request):
        form = dict(parse_qsl(request.content.decode()))
        assert form["grant_type"] == "authorization_code"
        scheme, _, pair = request.headers["authorization"].partition(" ")
        assert scheme == "Basic"
        client, secret = (unquote_plus(part) for part in base64.b64decode(pair).decode().split(":"))
        asked = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        is_good = (
            asked is not None
            and (client, secret) == (CLIENT, SECRET)
            and asked["code_challenge"] == challenge.rstrip("=")
            and asked["redirect_uri"] == form["redirect_uri"]
        )
        if not is_good:
            return httpx.Response(400, json={"error": "invalid_grant"})
        access = "the-access-token"
        return httpx.Response(200, json={"access_token": access, "id_token": self.id_token(asked["nonce"], access)})

    def id_token(self, nonce, access="the-access-token", /, **changed):
        seconds = int(NOW.timestamp())
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims = {
            "iss": ISSUER, "aud": CLIENT, "sub": "248289761001", "iat": seconds, "exp": seconds + 300, "nonce": nonce,
            "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="), **self.claims, **changed,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(self.header, claims, self.signing, algorithms=[self.header["alg"]])


def unsigned(claims, algorithm="none", header=None):
    """A token that claims to need no signature."""
    parts = (header or {"alg": algorithm, "kid": "one"}, claims)
    text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{text}."


def flow(remote, clock=None, provider=PROVIDER, now=lambda: NOW, used=None):
    clock = clock or Clock()
    fetcher = Fetcher(Cookieless(transport=httpx.MockTransport(remote)), clock)
    return OpenIdFlow(
        provider=provider,
        public_url=PUBLIC,
        discovery=Discovery(provider.issuer, fetcher, clock),
        fetcher=fetcher,
        attempts=Attempts(b"k" * 32, now),
        used=used or TokensInMemory(),
        now=now,
    )
