"""An ear at PostgreSQL: a connection of its own that LISTENs, and waits for notifications without a transaction.

A notification can be lost (the connection was down, the server restarted): whoever waits here must look by himself
now and then. After a failure nothing is tried again for a moment, so that a database that is away costs nothing.

Of several ears at one database one is `prompt`: it holds a lock that PostgreSQL takes back with the connection. Two
schedulers that both wake for each change do the same work twice; so only the prompt one is woken, and the other looks
once a second. When the prompt one dies the other takes its place within that second.
"""

import contextlib
import logging
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tradewind_airflow.engine.triggers import CHANNEL, Told, install, told

log = logging.getLogger(__name__)
_AGAIN_SECONDS = 2.0
PROMPT_LOCK = 7_392_161_555  # of pg_try_advisory_lock, of the session


@dataclass
class Ear:
    """`connect` makes a DBAPI connection (psycopg2's) whose user owns the tables."""

    connect: Callable[[], Any]
    prompt: bool = False
    _connection: Any = None
    _again_at: float = 0.0

    @property
    def listening(self) -> bool:
        """Whether changes are told now."""
        return self._connection is not None

    def wait(self, seconds: float) -> list[Told]:
        """What was told by now or is told within `seconds`; returns at the first. Empty: nothing was."""
        connection = self._opened()
        if connection is None:
            time.sleep(seconds)
            return []
        try:
            news = _drained(connection)
            if not news and seconds > 0 and select.select([connection], [], [], seconds)[0]:
                news = _drained(connection)
        except Exception as error:  # noqa: BLE001  (psycopg2's, or the socket's)
            self._lost(error)
            return []
        return news

    def rest(self, seconds: float) -> list[Told]:
        """As `wait` for a prompt ear. Another one is not woken, and tries to become prompt."""
        if self.prompt or not self.listening:
            return self.wait(seconds)
        time.sleep(seconds)
        with contextlib.suppress(Exception):  # a connection that is lost is noticed, and told, by the next wait
            self._become_prompt(self._connection)
        return self.wait(0)

    def close(self) -> None:
        """Hang up."""
        connection, self._connection, self.prompt = self._connection, None, False
        if connection is not None:
            with contextlib.suppress(Exception):  # it may be broken already
                connection.close()

    def _opened(self) -> Any:
        if self._connection is None and time.monotonic() >= self._again_at:
            try:
                self._connection = self._listening()
                self._become_prompt(self._connection)
            except Exception as error:  # noqa: BLE001  (whatever the driver raises while the server is away)
                self._lost(error)
        return self._connection

    def _listening(self) -> Any:
        connection = self.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '5s'")
                install(cursor)
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _become_prompt(self, connection: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (PROMPT_LOCK,))
            self.prompt = bool(cursor.fetchone()[0])

    def _lost(self, error: Exception) -> None:
        log.warning("no notifications from the database for now: %s", " ".join(str(error).split()))
        self._again_at = time.monotonic() + _AGAIN_SECONDS
        self.close()


def _drained(connection: Any) -> list[Told]:
    connection.poll()
    news = [told(notification.payload) for notification in connection.notifies]
    connection.notifies.clear()
    return news
