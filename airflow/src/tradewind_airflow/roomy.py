"""Room for Python's frames, so that a call never lands on the edge of it.

CPython (3.11 and later) keeps frames in chunks of 16 KiB. A call that does not fit into the last chunk maps another
one from the kernel, and returning from it gives that back: where a loop or a recursion happens to work at such an
edge, each of its calls costs two system calls and a page, and the code runs up to forty times slower (measured:
fib(20) at 10 of 127 depths). Which code that hits depends on nothing but how deep it was called.

A frame that is larger than a chunk gets a chunk as large as it needs, to the next power of two, and what it leaves free
is used by the calls within. So everything is called by a function whose frame pretends to be 528 KB: its chunk is
1 MiB, and half of that is free, some 2,000 frames. Memory that is never touched costs nothing.
"""

from collections.abc import Callable
from typing import Any

_SLOTS = 66_000  # of 8 bytes


def with_room(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """Call it so that what it calls, some thousand frames deep, finds room."""
    return function(*given, **named)


with_room.__code__ = with_room.__code__.replace(co_stacksize=_SLOTS)
