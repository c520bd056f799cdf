"""The ASGI application: bodies up to 6 MB, however they are sent, and what goes to the gateway."""

import asyncio
import json

import pytest

from tests.unit.api.doubles import services
from tradewind.api import create_app
from tradewind.api.app import BODY_LIMIT

pytestmark = pytest.mark.usefixtures("told")


async def gateway(scope, receive, send):
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"gateway"})


APPLICATION = create_app(services(), gateway=gateway, is_gateway=lambda scope: (b"x-mark", b"1") in scope["headers"])


def ask(method="PUT", path="/environments/e", headers=(), parts=(b"",)):
    """Status, error type, body, and how many parts of the body were read."""
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers], "http_version": "1.1", "scheme": "https",
        "server": ("localhost", 443), "client": None, "root_path": "",
    }  # fmt: skip
    read, sent = [0], []

    async def receive():
        number = read[0]
        read[0] += 1
        if number >= len(parts):
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts[number], "more_body": number + 1 < len(parts)}

    async def send(message):
        sent.append(message)

    asyncio.run(APPLICATION(scope, receive, send))
    found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], found.get("x-amzn-errortype"), body, read[0]


def test_six_megabytes_are_read():
    # unsigned, so the chain was reached
    assert ask(parts=(b"x" * BODY_LIMIT,))[:2] == (403, "MissingAuthenticationTokenException")


@pytest.mark.parametrize("parts", [(b"x" * (BODY_LIMIT + 1),), (b"x" * BODY_LIMIT, b"x"), (b"x" * 1_000_000,) * 8])
def test_one_byte_more_is_not_however_it_is_sent(parts):
    status, kind, body, _ = ask(parts=parts)
    assert (status, kind) == (413, "RequestEntityTooLargeException")
    assert json.loads(body)["message"] == "The request body is larger than 6291456 bytes."


def test_a_body_that_never_ends_is_not_read_to_its_end():
    assert ask(parts=(b"x" * 1_000_000,) * 1000)[3] == 7


def test_a_declared_length_is_believed_before_anything_is_read():
    status, _, _, read = ask(headers=[(b"content-length", str(BODY_LIMIT + 1).encode())], parts=(b"x",) * 5)
    assert (status, read) == (413, 0)


@pytest.mark.parametrize("length", [b"", b"-1", b"many", b"\xb2", str(BODY_LIMIT).encode()])
def test_any_other_length_is_only_a_claim(length):
    assert ask(headers=[(b"content-length", length)], parts=(b"{}",))[0] == 403
    assert ask(headers=[(b"content-length", length)], parts=(b"x" * (BODY_LIMIT + 1),))[0] == 413


def test_the_door_asks_for_health_without_a_signature():
    assert ask("GET", "/healthz")[::2] == (200, b'{"status":"ok"}')
    assert ask("POST", "/healthz")[0] == 404


def test_what_is_marked_goes_to_the_gateway():
    assert ask(headers=[(b"x-mark", b"1")])[::2] == (299, b"gateway")


def test_paths_arrive_undecoded():
    """An ARN's slashes and colons are percent-encoded: decoded too early they would be another path."""
    assert ask("GET", "/tags/arn%3Aaws%3Aairflow%3Aus-east-1%3A1%3Aenvironment%2Fe")[1] != "UnknownOperationException"
    assert ask("GET", "/tags/arn:aws:airflow:us-east-1:1:environment/e/f")[1] == "UnknownOperationException"


def test_lifespan_is_answered():
    sent = []
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message["type"])

    asyncio.run(APPLICATION({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
