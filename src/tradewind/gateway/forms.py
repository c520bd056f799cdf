"""Reading a form of ours: one media type, a limited size, each field once."""

from collections.abc import Mapping
from urllib.parse import parse_qs, parse_qsl

from starlette.requests import Request

LIMIT = 20_000
_FIELDS = 16


async def read_form(request: Request) -> Mapping[str, str] | None:
    """The fields; None when it is too large, not URL-encoded UTF-8, or names a field twice."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return None
    body = await read_body(request)
    return None if body is None else fields_of(body)


async def read_body(request: Request) -> bytes | None:
    """The body; None when it is longer than the limit."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LIMIT:
            return None
    return body


def fields_of(body: bytes) -> Mapping[str, str] | None:
    """The fields of an URL-encoded text, each at most once."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    except ValueError:
        return None
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


async def read_token(request: Request) -> str | None:
    """The field `token` of a login, read as leniently as MWAA's clients need; None when there is none."""
    body = await read_body(request)
    if body is None:
        return None
    return parse_qs(body.decode("utf-8", "replace")).get("token", [None])[0]
