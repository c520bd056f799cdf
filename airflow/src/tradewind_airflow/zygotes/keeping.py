"""Which zygote a Celery slot keeps: the one of the file whose tasks it runs one after another.

A file is parsed ahead when the slot gets its second task in a row, beside that task, which starts as ever; nothing
waits for a parse that is not proven. The next tasks of that file start from the zygote, until another file's come. A
file that was refused (not closed, broken, too large) is not tried again by this slot.

`is_eager`: already the first task waits for the parse, and starts from the zygote if it was closed.
"""

from __future__ import annotations

import json
import select
import time
from typing import TYPE_CHECKING, Protocol

import structlog

from tradewind_airflow.zygotes.zygote import MESSAGE_MOST

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from tradewind_airflow.zygotes.parsed import File

log = structlog.get_logger(logger_name=__name__)
_REFUSED_MOST = 200
PARSE_SECONDS_MOST = 120.0


class Asked(Protocol):
    """Who makes zygotes (`nursery.Nursery`)."""

    def ask(self, file: File) -> socket.socket | None:
        """Connection to a zygote that begins to parse."""


class Keeper:
    """One a slot. `ceiling`: most bytes that a zygote may occupy."""

    def __init__(
        self, nursery: Asked, ceiling: int, *, is_eager: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._nursery, self._ceiling, self._clock = nursery, ceiling, clock
        self._is_eager = is_eager
        self._last: File | None = None
        self._kept: tuple[File, socket.socket] | None = None
        self._is_ready = False
        self._asked_at = 0.0
        self._refused: dict[File, None] = {}

    def ready(self, file: File) -> socket.socket | None:
        """Connection to this file's zygote if there is one that has parsed it."""
        if self._kept is not None and self._is_ready and _is_over(self._kept[1]):
            self.drop()
        if self._is_eager:
            self._make_eagerly(file)
        if self._kept is None or self._kept[0] != file:
            return None
        if not self._is_ready:
            self._hear()
        return self._kept[1] if self._kept is not None and self._is_ready else None

    def begun(self, file: File) -> None:
        """A task of this file was started, from a zygote or not."""
        in_a_row, self._last = file == self._last, file
        if in_a_row:
            self._make(file)
        elif self._kept is not None and self._kept[0] != file:
            self.drop()

    def _make(self, file: File) -> None:
        if self._kept is not None and self._kept[0] != file:
            self.drop()
        if self._kept is None and file not in self._refused:
            connection = self._nursery.ask(file)
            self._asked_at = self._clock()
            self._kept, self._is_ready = ((file, connection) if connection is not None else None), False

    def _make_eagerly(self, file: File) -> None:
        self._make(file)
        if self._kept is not None and not self._is_ready:
            select.select([self._kept[1]], [], [], PARSE_SECONDS_MOST)

    def drop(self) -> None:
        """Let the zygote end."""
        if self._kept is not None:
            self._kept[1].close()
        self._kept, self._is_ready = None, False

    def _hear(self) -> None:
        assert self._kept is not None  # noqa: S101
        file, connection = self._kept
        connection.setblocking(False)
        try:
            message = connection.recv(MESSAGE_MOST)
        except BlockingIOError:
            if self._clock() - self._asked_at < PARSE_SECONDS_MOST:
                return  # it still parses
            message = json.dumps({"refused": f"it is not parsed after {PARSE_SECONDS_MOST:.0f} s"}).encode()
        except OSError:
            message = b""
        finally:
            connection.setblocking(True)
        said = json.loads(message) if message else {"refused": "its zygote ended"}
        if said.get("resident", 0) > self._ceiling:
            said = {"refused": f"its zygote occupies {said['resident']} bytes, more than {self._ceiling}"}
        if "refused" in said:
            log.info("Tasks of this DAG file parse it themselves", **file._asdict(), reason=said["refused"])
            self._refused[file] = None
            if len(self._refused) > _REFUSED_MOST:
                del self._refused[next(iter(self._refused))]
            self.drop()
        else:
            self._is_ready = True


def _is_over(connection: socket.socket) -> bool:
    """Whether the zygote ended meanwhile. It says nothing between two tasks."""
    connection.setblocking(False)
    try:
        return not connection.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.setblocking(True)
