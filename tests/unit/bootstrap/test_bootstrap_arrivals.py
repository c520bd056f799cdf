"""Bodies that do not arrive in time: the application is ended, whatever it does with errors, and 408 is answered."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tradewind.bootstrap.arrivals import in_time


def ask(application, *messages, seconds=60.0):
    """What is sent back. After the given messages nothing comes any more."""
    given, sent = list(messages), []

    async def receive():
        if given:
            return given.pop(0)
        return await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b"", "root_path": ""}
    asyncio.run(in_time(application, seconds)(scope, receive, send))
    return sent


def piece(body, *, more):
    return {"type": "http.request", "body": body, "more_body": more}


async def whole(request):
    return PlainTextResponse(await request.body())


APPLICATION = Starlette(routes=[Route("/", whole, methods=["POST"])])


def test_a_body_in_time_is_answered():
    start, *_, end = ask(APPLICATION, piece(b"a", more=True), piece(b"b", more=False))
    assert start["status"] == 200
    assert end["body"] == b"ab"


@pytest.mark.parametrize("first", [(), (piece(b"a", more=True),)])
def test_a_body_that_does_not_come_is_answered_408_and_the_connection_ends(first):
    start, end = ask(APPLICATION, *first, seconds=0)
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert b"did not arrive in time" in end["body"]


def test_what_takes_long_after_the_body_is_not_cut():
    """No deadline is set for what is received later: `receive` would be the client's farewell."""

    async def patient(_scope, receive, send):
        await receive()
        try:
            async with asyncio.timeout(0):
                await receive()
        except TimeoutError:
            await send({"type": "http.response.start", "status": 200, "headers": []})

    (start,) = ask(patient, piece(b"", more=False), seconds=0.5)
    assert start["status"] == 200


def test_an_answer_that_has_begun_is_not_begun_again():
    async def eager(_scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()

    (start,) = ask(eager, seconds=0)
    assert start["status"] == 200


def test_other_conversations_pass():
    seen = []

    async def application(scope, _receive, _send):
        seen.append(scope["type"])

    asyncio.run(in_time(application)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]


def test_a_client_that_goes_away_is_no_failure():
    """uvicorn writes a traceback for whatever comes out of the application."""
    gone = {"type": "http.disconnect"}
    assert [message.get("status") for message in ask(APPLICATION, piece(b"a", more=True), gone)][:1] != [200]
