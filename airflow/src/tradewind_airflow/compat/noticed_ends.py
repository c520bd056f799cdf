"""The triggerer's main process notices that its child has ended, instead of waiting ten seconds for a word from it.

To end, it signals the child and waits for what the child's sockets tell. The last is that they are closed,
a moment before the child has ended: where the process that asks then is quicker, nothing is left to wake it, and it
waits until it would send the next signal (seen: 11 s for the end of an idle triggerer). Here it never waits longer
than a tenth of a second for sockets that are not there.
"""

import functools
from typing import Any

_WITHOUT_SOCKETS_SECONDS = 0.1


def install() -> bool:
    """Put the limit in. False where Airflow waits in another way."""
    from airflow.sdk.execution_time.supervisor import WatchedSubprocess

    wait = getattr(WatchedSubprocess, "_service_subprocess", None)
    if wait is None:
        return False

    @functools.wraps(wait)
    def within_reason(self: Any, max_wait_time: float, *given: Any, **named: Any) -> Any:
        if not self.selector.get_map():
            max_wait_time = min(max_wait_time, _WITHOUT_SOCKETS_SECONDS)
        return wait(self, max_wait_time, *given, **named)

    WatchedSubprocess._service_subprocess = within_reason  # noqa: SLF001
    return True
