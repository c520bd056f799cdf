"""Limits for wrong secrets as answers of HTTP: whose address it is, and 429 with Retry-After."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tradewind.access.limits import Wait, WrongTries

SENTENCE = "Too many attempts that failed. Try again later."


def address_of(request: Request) -> str | None:
    """The client's address: the proxy tells it, and takes away what clients say about it themselves."""
    return request.client.host if request.client else None


def too_many(wait: Wait) -> Response:
    """429 for programs."""
    return JSONResponse(
        {"message": SENTENCE}, 429, headers={"Cache-Control": "no-store", "Retry-After": str(wait.seconds)}
    )


def one_more_wrong(tries: WrongTries, request: Request) -> Response | None:
    """Count a token that turned out to be wrong; 429 where its address has sent too many."""
    if wait := tries.wait(address_of(request)):
        return too_many(wait)
    tries.wrong(address_of(request))
    return None
