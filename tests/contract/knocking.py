"""Requests as no well-behaved client sends them: signed rightly (or not), then written to the socket byte for byte.

AWS's clients check parameters before they send, and every HTTP library tidies paths. So requests are signed with
botocore's own signer and then sent over a TLS socket of our own, with nothing in between that could normalise them.
"""

import contextlib
import json
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

LONG = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def error(self) -> str | None:
        """AWS's error type."""
        return self.headers.get("x-amzn-errortype")

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The sentence, where botocore looks for it."""
        document = self.document
        return document.get("message") or document.get("Message") or ""


@dataclass(frozen=True)
class Signed:
    """A request with its signature: parts may be replaced before it is sent."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Knocker:
    """Signs and sends to one service's endpoint. `service` is what `up --output json` printed."""

    def __init__(self, service: Any) -> None:
        self.service = service
        parts = urlsplit(service.endpoint_url)
        self.host = parts.netloc
        self.address = ("127.0.0.1", parts.port or 443)
        self.trust = ssl.create_default_context(cafile=service.ca_bundle)

    def sign(
        self,
        method: str,
        path: str,
        body: bytes | str | dict | None = b"",
        *,
        host: str | None = None,
        key: str | None = None,
        secret: str | None = None,
        token: str | None = None,
        region: str | None = None,
        name: str = "airflow",
        moment: datetime | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Signed:
        """Sign as AWS's clients do, with the right secret unless another is given."""
        content = _content(body)
        where = host or self.host
        request = AWSRequest(method=method, url=f"https://{where}{path}", data=content, headers={"Host": where})
        for header, value in headers:
            request.headers[header] = value
        known = Credentials(key or self.service.access_key_id, secret or self.service.secret_access_key, token)
        signer = _AtMoment(known, name, region or self.service.region, moment)
        signer.add_auth(request)
        return Signed(method, path, tuple(request.headers.items()), content)

    def send(self, signed: Signed, *, version: str = "HTTP/1.1", server_name: str | None = None) -> Answer:
        """Write the request to the socket as it is."""
        length = [] if any(name.lower() == "content-length" for name, _ in signed.headers) else [len(signed.body)]
        lines = [f"{signed.method} {signed.path} {version}"]
        lines += [f"{name}: {value}" for name, value in signed.headers]
        lines += [f"Content-Length: {number}" for number in length if signed.body or signed.method != "GET"]
        head = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")
        return self.write(head + signed.body, method=signed.method, server_name=server_name)

    def write(self, raw: bytes, *, method: str = "GET", server_name: str | None = None) -> Answer:
        """Raw bytes over TLS, and the answer to them."""
        with (
            socket.create_connection(self.address, timeout=LONG) as plain,
            self.trust.wrap_socket(plain, server_hostname=server_name or self.host.partition(":")[0]) as stream,
        ):
            # the answer may come before the end of a body that is too long
            with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                stream.sendall(raw)
            with HTTPResponse(stream, method=method) as response:
                response.begin()
                headers = {name.lower(): value for name, value in response.getheaders()}
                return Answer(response.status, headers, response.read())

    def __call__(self, method: str, path: str, body: bytes | str | dict | None = b"", **how: Any) -> Answer:
        """Sign and send."""
        return self.send(self.sign(method, path, body, **how))


class _AtMoment(SigV4Auth):
    """botocore's signer with a clock that can be set."""

    def __init__(self, credentials: Any, name: str, region: str, moment: datetime | None) -> None:
        super().__init__(credentials, name, region)
        self.moment = moment

    def add_auth(self, request: Any) -> None:
        if self.moment is None:
            super().add_auth(request)
            return
        request.context["timestamp"] = self.moment.strftime("%Y%m%dT%H%M%SZ")
        self._modify_request_before_signing(request)
        signature = self.signature(self.string_to_sign(request, self.canonical_request(request)), request)
        self._inject_signature_to_request(request, signature)


def _content(body: bytes | str | dict | None) -> bytes:
    match body:
        case None:
            return b""
        case bytes():
            return body
        case str():
            return body.encode()
    return json.dumps(body).encode()
