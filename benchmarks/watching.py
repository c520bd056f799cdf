"""Waiting for something to become true, at the same pace for every contender."""

import time
from collections.abc import Callable

from benchmarks.measuring import CannotMeasure

PACE = 0.1  # seconds between two looks: the error of every time that is measured by looking


def seconds_until(look: Callable[[], bool], *, limit: float, what: str, since: float | None = None) -> float:
    """Seconds (from `since`, monotonic, or from now) until `look` says True. Raises CannotMeasure after `limit`."""
    began = time.monotonic() if since is None else since
    while True:
        if look():
            return time.monotonic() - began
        if time.monotonic() - began > limit:
            raise CannotMeasure(f"cannot measure: waited {limit:.0f} s in vain for {what}")
        time.sleep(PACE)
