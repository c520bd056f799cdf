"""Pages of a list: `Marker` and `MaxItems` in, `IsTruncated` and `Marker` out.

A marker is the last item's place in the list's order, so a page goes on in the right place also when items came or went
between. It is opaque to callers; what is no marker of ours is refused, and one that was made up is only a place.
"""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tradewind.api.calls import Call
from tradewind.iam.refusals import invalid

_USUAL = 100
Item = TypeVar("Item")


def page(call: Call, items: Sequence[Item], place: Callable[[Item], str]) -> tuple[list[Item], dict[str, Any]]:
    """The page that a call asks for, and the members that say whether there is more. Raises Refused.

    `place` must tell items apart; the page is in its order.
    """
    ordered = sorted(items, key=place)
    marker = call.get("Marker")
    start = 0 if marker is None else bisect_right(ordered, _read(marker), key=place)
    end = start + int(call.get("MaxItems") or _USUAL)
    found = list(ordered[start:end])
    if end >= len(ordered):
        return found, {"IsTruncated": False}
    return found, {"IsTruncated": True, "Marker": _written(place(found[-1]))}


def _written(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode()


def _read(marker: str) -> str:
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid("Invalid Marker.") from None
