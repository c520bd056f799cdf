"""Requests exactly as boto3 sends them, signed, as bytes to be sent again and again.

boto3 makes each one and is stopped just before it would be sent. A signature of AWS's holds for some minutes and may be
seen more than once, so a window of seconds needs each request only once.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse


class _Nothing:
    """The body of an answer that never came."""

    @staticmethod
    def stream(**_: Any) -> list[bytes]:
        return [b"{}"]


def captured(client: Any, calls: Sequence[Callable[[Any], object]]) -> list[bytes]:
    """The requests that these calls of the client would send."""
    found: list[bytes] = []

    def stop(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        found.append(as_bytes(request))
        return AWSResponse(request.url, 200, {}, _Nothing())

    client.meta.events.register("before-send", stop)
    try:
        for call in calls:
            call(client)
    finally:
        client.meta.events.unregister("before-send", stop)
    return found


def as_bytes(request: AWSPreparedRequest) -> bytes:
    """A prepared request as HTTP/1.1."""
    url = urlsplit(request.url)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    fields = {name: value if isinstance(value, str) else value.decode() for name, value in request.headers.items()}
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {url.netloc}", *(f"{k}: {v}" for k, v in fields.items())]
    if body and "content-length" not in {name.lower() for name in fields}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
