"""Request bodies that arrive slowly: a limit on the time from a request's head to the last byte of its body.

The proxy limits how long a head may take, but has no such limit for the body of one route alone (one for all would
cut long uploads to Airflow). A client that sends a byte a second would hold a connection and what was read so far for
as long as it likes, before anybody knows who it is. What takes longer than allowed is answered 408 and closed.
Time after the last byte does not count: commands run for minutes.

A client that goes away before its body is whole ends the request, and nothing else: it is no failure of ours, and its
traceback would let anybody push everything else out of the service's log.
"""

import asyncio

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = 60.0  # 6 MB in it is 100 kB a second
_BODY = b'{"message":"The request did not arrive in time."}'


class _Late(BaseException):
    """Ends the application wherever it waits for the body; its handlers of errors are not asked."""


def in_time(application: ASGIApp, seconds: float = SECONDS) -> ASGIApp:
    """The application, with a limit on each request's arrival."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + seconds
        is_whole = has_begun = False

        async def arriving() -> Message:
            nonlocal is_whole
            if is_whole:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise _Late from None
            is_whole = not message.get("more_body", False)
            return message

        async def sending(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await application(scope, arriving, sending)
        except _Late:
            if not has_begun:
                await _refuse(send)
        except ClientDisconnect:
            return

    return limited


async def _refuse(send: Send) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_BODY)).encode()),
        (b"x-amzn-errortype", b"RequestTimeoutException"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 408, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY})
