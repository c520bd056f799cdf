"""Asking the control plane for the role's credentials: one POST to the environment's own host, proven by a JWT.

HS256 with a key that only the control plane and this process know. Claims: `iss` "tradewind-environment", `aud`
"execution-role", `sub` the environment's id, `role` the ARN, `iat`, `exp` (60 s later), `jti` (good once).
The answer is AWS's document of container credentials, or `{"code", "message"}` with a status of 400 or more.
No proxy is used, no redirect followed, and no certificate trusted but those of the bundle.
"""

import base64
import hashlib
import hmac
import http.client
import json
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tradewind_airflow.credentials.role import Credentials, NoCredentials, read

ISSUER, AUDIENCE = "tradewind-environment", "execution-role"
LIFETIME_SECONDS = 60
_SECONDS = 10.0
_LIMIT = 65_536


@dataclass(frozen=True)
class ControlPlane:
    """Where the control plane is, and how this environment proves itself to it."""

    url: str  # https://<host of the environment>/…
    bundle: str
    environment_id: str
    role: str
    key: bytes = field(repr=False)
    clock: Callable[[], float] = time.time

    def ask(self) -> Credentials:
        """Credentials of the role. Raises NoCredentials."""
        began = self.clock()
        try:
            status, body = self._post()
        except (OSError, http.client.HTTPException) as error:
            raise NoCredentials(
                503, "ServiceUnavailable", f"cannot give credentials: the control plane does not answer: {error}"
            ) from error
        document = _parsed(body)
        if status != http.client.OK:
            code, sentence = document.get("code"), document.get("message")
            if not (isinstance(code, str) and isinstance(sentence, str)):
                code = "ServiceUnavailable"
                sentence = f"cannot give credentials: the control plane answers {status}"
            raise NoCredentials(status if status >= http.client.BAD_REQUEST else 503, code, sentence)
        try:
            return read(document, began)
        except (ValueError, KeyError) as error:
            sentence = "cannot give credentials: the control plane's answer holds none"
            raise NoCredentials(502, "ServiceUnavailable", sentence) from error

    def _post(self) -> tuple[int, bytes]:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or parts.hostname is None:
            raise OSError(f"{self.url} is no address of a control plane")
        context = ssl.create_default_context(cafile=self.bundle)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, context=context, timeout=_SECONDS)
        headers = {"Authorization": f"Bearer {self.proof()}", "Content-Length": "0"}
        try:
            connection.request("POST", parts.path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_LIMIT)
        finally:
            connection.close()

    def proof(self) -> str:
        """A JWT that is good once, for a minute."""
        issued = int(self.clock())
        return sign(
            {
                "iss": ISSUER, "aud": AUDIENCE, "sub": self.environment_id, "role": self.role,
                "iat": issued, "exp": issued + LIFETIME_SECONDS, "jti": secrets.token_urlsafe(16),
            },
            self.key,
        )  # fmt: skip


def sign(claims: Mapping[str, Any], key: bytes) -> str:
    """A JWT, HS256 (RFC 7519)."""
    parts = [{"alg": "HS256", "typ": "JWT"}, claims]
    signed = b".".join(_base64(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return (signed + b"." + _base64(hmac.new(key, signed, hashlib.sha256).digest())).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
