"""What the browser keeps while somebody is at the provider: state, nonce, PKCE's verifier, and where they came from.

It is one encrypted and authenticated text (JWE, `dir` with A256GCM), good for ten minutes, in a cookie that only the
API's own host can set or read. So nothing has to be remembered here, an answer of the provider counts only in the
browser that asked, and nobody but us can make or alter one.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

LIFETIME = timedelta(minutes=10)
_ALGORITHMS = ["dir", "A256GCM"]
_LONGEST = 8192


@dataclass(frozen=True)
class Attempt:
    """One sign-in that was begun. `expires` is in seconds since 1970."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    environment: str
    destination: str
    expires: int

    def is_over(self, now: datetime) -> bool:
        """Whether its ten minutes are over."""
        return now.timestamp() >= self.expires


class Attempts:
    """Makes, seals and opens them."""

    def __init__(self, key: bytes, now: Callable[[], datetime]) -> None:
        """The key is the control plane's; another one, for this use alone, is derived from it."""
        self._key = OctKey.import_key(hmac.new(key, b"tradewind openid attempts", hashlib.sha256).digest())
        self._now = now

    def begin(self, environment: str, destination: str) -> Attempt:
        """A new one, with random values of 256 bits."""
        return Attempt(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(32),
            environment=environment,
            destination=destination,
            expires=int((self._now() + LIFETIME).timestamp()),
        )

    def seal(self, attempt: Attempt) -> str:
        """As a cookie's value."""
        header = {"alg": "dir", "enc": "A256GCM"}
        return jwe.encrypt_compact(header, json.dumps(asdict(attempt)), self._key, _ALGORITHMS)

    def open(self, sealed: str) -> Attempt | None:
        """The attempt; None when it is none of ours or its time is over."""
        if len(sealed) > _LONGEST:
            return None
        try:
            plain = jwe.decrypt_compact(sealed, self._key, _ALGORITHMS).plaintext
            attempt = Attempt(**json.loads(plain or b""))
        except (JoseError, ValueError, TypeError):
            return None
        return None if attempt.is_over(self._now()) else attempt
