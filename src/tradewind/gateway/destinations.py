"""Where a browser goes after signing in: a path of the environment's own host, or its front page.

`next` comes from the address bar, so anybody can choose it in a link. Airflow sends a path or its own host's whole
URL; both end here as a path that starts with exactly one `/`. What a browser or a proxy might read as another site
(`//host`, a backslash, another scheme, a tab or line end that a URL parser drops, any of these percent-encoded, once or
more, dot segments that leave `//` behind) leads to the front page instead. Nothing is repaired: what is not plainly
right is not used.
"""

import re
from urllib.parse import unquote_to_bytes

FRONT_PAGE = "/"
LONGEST = 2048
_PLAIN = re.compile(r"/[!-\[\]-~]*")  # printable ASCII, without blanks and backslashes
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ROUNDS = 5  # of decoding: what is encoded more often than that is a trick


def destination(wanted: str | None, origin: str) -> str:
    """The path to go to. `origin` is the host's own, as a browser writes it: `https://host[:port]`."""
    path = wanted or FRONT_PAGE
    if path.lower().startswith(f"{origin}/"):
        path = path[len(origin) :]
    return path if _is_own_path(path) else FRONT_PAGE


def _is_own_path(path: str) -> bool:
    if len(path) > LONGEST or not _PLAIN.fullmatch(path):
        return False
    for _ in range(_ROUNDS):
        if _CONTROL.search(path) or path[1:2] in {"/", "\\"} or _has_dot_segment(path):
            return False
        decoded = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
        if decoded == path:
            return True
        path = decoded
    return False


def _has_dot_segment(path: str) -> bool:
    segments = re.split(r"[/\\]", re.split(r"[?#]", path, maxsplit=1)[0])
    return "." in segments or ".." in segments
