"""A request is answered by one thread, and nobody else waits for it."""

import asyncio
import threading
from contextvars import ContextVar

import anyio.to_thread
import pytest

from tradewind_airflow.compat.one_thread import OneThread

SAID: ContextVar[str] = ContextVar("said", default="nothing")


def call(app, parts=(b"",), *, gone=False):
    """Answers the messages that were sent."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages[-1]["more_body"] = False
    received = [*([] if gone else messages), {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return received.pop(0)

    async def send(message):
        sent.append(message)

    return sent, app({"type": "http"}, receive, send)


def test_all_of_it_is_done_in_one_thread_that_is_not_the_servers():
    seen = []

    async def app(_scope, receive, send):
        seen.append(threading.get_ident())
        await asyncio.sleep(0)
        seen.append(await anyio.to_thread.run_sync(threading.get_ident))
        seen.append((await receive())["body"])
        await send({"type": "http.response.start"})
        seen.append((await receive())["type"])

    sent, answered = call(OneThread(app), (b"a", b"b"))
    asyncio.run(answered)
    assert sent == [{"type": "http.response.start"}]
    assert seen[0] == seen[1] != threading.get_ident()
    assert seen[2:] == [b"ab", "http.disconnect"]


def test_what_is_bound_in_a_piece_stays_there_as_in_a_thread_of_its_own():
    async def app(_scope, _receive, send):
        await anyio.to_thread.run_sync(SAID.set, "in the piece")
        await send({"said": SAID.get()})
        SAID.set("in the request")

    async def main():
        SAID.set("by the server")
        sent, answered = call(OneThread(app))
        await answered
        return sent, SAID.get()

    assert asyncio.run(main()) == ([{"said": "by the server"}], "by the server")


def test_a_piece_may_have_an_event_loop_of_its_own_as_in_a_thread_of_its_own():
    async def answer():
        return "from a client that is asynchronous"

    async def app(_scope, _receive, send):
        said = await anyio.to_thread.run_sync(lambda: asyncio.run(answer()))
        await asyncio.sleep(0)
        await send({"said": said})

    sent, answered = call(OneThread(app))
    asyncio.run(answered)
    assert sent == [{"said": "from a client that is asynchronous"}]


def test_an_error_is_raised_when_its_answer_was_sent():
    async def app(_scope, _receive, send):
        await send({"status": 500})
        raise ValueError("as Starlette does it")

    sent, answered = call(OneThread(app))
    with pytest.raises(ValueError, match="as Starlette"):
        asyncio.run(answered)
    assert sent == [{"status": 500}]


def test_who_has_gone_gets_no_answer():
    async def app(_scope, _receive, send):
        await send({})

    sent, answered = call(OneThread(app), gone=True)
    asyncio.run(answered)
    assert sent == []


def test_while_one_waits_others_are_answered_and_other_threads_are_anyios():
    waiting, may_go = threading.Event(), threading.Event()

    async def slow(_scope, _receive, send):
        waiting.set()
        may_go.wait(10)
        await send({"slow": True})

    async def quick(_scope, _receive, send):
        await send({"quick": True})

    async def main():
        slowly, answered = call(OneThread(slow))
        first = asyncio.create_task(answered)
        await asyncio.to_thread(waiting.wait, 10)
        quickly, answered = call(OneThread(quick))
        await answered
        in_between = list(slowly)
        elsewhere = await anyio.to_thread.run_sync(threading.get_ident)
        may_go.set()
        await first
        return quickly, in_between, slowly, elsewhere

    quickly, in_between, slowly, elsewhere = asyncio.run(main())
    assert (quickly, in_between, slowly) == ([{"quick": True}], [], [{"slow": True}])
    assert elsewhere != threading.get_ident()
