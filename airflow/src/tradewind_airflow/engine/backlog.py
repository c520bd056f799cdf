"""How much sent work no worker has taken up yet, by the broker's own count. 0 where the broker cannot be asked so.

Celery on Redis or Valkey keeps waiting messages of a queue in a list of the queue's name, one list for each priority
step that is used. Asking costs a tenth of a millisecond; it is done only while something is under way.
"""

import logging
from typing import Any

log = logging.getLogger(__name__)
_QUEUES_MOST = 20


class Backlog:
    """`app` is the Celery app whose broker is asked. `queues` grows with what was sent to."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._channel: Any = None
        self._works = True
        self.queues: set[str] = set()

    def split(self, in_flight: int) -> tuple[int, int]:
        """Of `in_flight` messages that were sent and have not ended: how many wait, how many a worker has taken."""
        waiting = min(in_flight, self._waiting()) if in_flight > 1 and self._works else 0
        return waiting, in_flight - waiting

    def _waiting(self) -> int:
        try:
            if self._channel is None:
                connection = self._app.connection_for_read()
                self._works = connection.transport.driver_type == "redis"
                self._channel = connection.default_channel if self._works else None
            # kombu's own count, over the lists of all priorities; "_" because only its transports call it
            return sum(self._channel._size(queue) for queue in sorted(self.queues)[:_QUEUES_MOST]) if self._works else 0  # noqa: SLF001
        except Exception as error:  # noqa: BLE001  (any broker's own; the count is a hint, not needed)
            log.warning("cannot count what waits at the broker: %s", error)
            self._channel = None
            return 0
