"""Whether a form was sent from our own page, in the browser that we gave the page to.

Two proofs, and both are needed. The browser says where a request comes from: `Sec-Fetch-Site` must be `same-origin`
and `Origin` the host's own. (Our pages send no referrer, for which a browser writes `Origin: null`: that counts
only with the other header beside it.) And the form holds a keyed hash (HMAC-SHA256) of a random value in a cookie
that no other host can set (`__Host-`) and no script can read; the environment's id is hashed too, so a field of
one environment's page is worth nothing at another's.
"""

import hashlib
import hmac
import re
import secrets

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "__Host-tradewind-form"
FIELD = "form"
_SECONDS = 12 * 3600
_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


def origin_of(request: Request) -> str:
    """The host's own origin as a browser writes it. The proxy serves HTTPS alone and passes the host on as it came."""
    return f"https://{request.headers.get('host', '').lower().removesuffix(':443')}"


def is_same_origin(request: Request) -> bool:
    """Whether the browser says that the request comes from a page of this host. One that says nothing is not."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    if origin is None or origin == "null":
        return site is not None
    return hmac.compare_digest(origin.encode(), origin_of(request).encode())


def is_from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another origin's page made it send this. Programs say nothing and are heard."""
    return request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}


def seed_of(request: Request) -> str:
    """The browser's random value: the one it has, so that several tabs go on working, or a new one."""
    return _kept(request) or secrets.token_urlsafe(32)


def plant(response: Response, seed: str) -> None:
    """Give the browser its value."""
    response.set_cookie(COOKIE, seed, max_age=_SECONDS, path="/", secure=True, httponly=True, samesite="lax")


def field(seed: str, environment: str, key: bytes) -> str:
    """What the form holds in its field `form`."""
    return hmac.new(key, f"tradewind sign-in form\0{environment}\0{seed}".encode(), hashlib.sha256).hexdigest()


def is_ours(request: Request, given: str, environment: str, key: bytes) -> bool:
    """Whether the field belongs to this browser's cookie and this environment."""
    seed = _kept(request)
    return seed is not None and hmac.compare_digest(given.encode(), field(seed, environment, key).encode())


def _kept(request: Request) -> str | None:
    kept = request.cookies.get(COOKIE, "")
    return kept if _VALUE.fullmatch(kept) else None
