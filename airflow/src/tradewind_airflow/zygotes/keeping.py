"""Which zygotes a Celery slot is connected to.

A slot asks for a file's zygote when it gets a task of that file and has none. One that has parsed the file answers at
once; for one that still parses nobody waits: the task starts as ever. The connection is kept for the next tasks of the
file. A file that was refused is not asked for again.

`is_eager`: already the first task waits for the parse, and starts from the zygote if it was closed.
"""

from __future__ import annotations

import json
import select
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from tradewind_airflow.zygotes.roster import PARSE_SECONDS_MOST
from tradewind_airflow.zygotes.zygote import MESSAGE_MOST

if TYPE_CHECKING:
    import socket

    from tradewind_airflow.zygotes.parsed import File

log = structlog.get_logger(logger_name=__name__)
_REFUSED_MOST = 200
CONNECTIONS_MOST = 64
PATIENCE_SECONDS = 0.005  # in which a zygote that is there has answered


class Asked(Protocol):
    """Who brings slots and zygotes together (`nursery.Nursery`)."""

    def ask(self, file: File, *, at_once: bool = False) -> socket.socket | None:
        """Connection on which the answer will come."""


class Keeper:
    """One a slot."""

    def __init__(self, nursery: Asked, *, is_eager: bool = False) -> None:
        self._nursery, self._is_eager = nursery, is_eager
        self._asked: dict[File, socket.socket] = {}
        self._ready: dict[File, socket.socket] = {}
        self._refused: dict[File, None] = {}

    def ready(self, file: File) -> socket.socket | None:
        """Connection to this file's zygote, if there is one that has parsed it."""
        if file in self._ready and _heard(self._ready[file]) is not None:  # it says nothing between tasks but its end
            self.drop(file)
        if file not in self._ready:
            self._ask(file)
        if file in self._asked:
            patience = PARSE_SECONDS_MOST if self._is_eager else PATIENCE_SECONDS
            select.select([self._asked[file]], [], [], patience)
            self._answered(file)
        if file in self._ready:
            self._ready[file] = self._ready.pop(file)  # the last one used is the last one
        return self._ready.get(file)

    def drop(self, file: File) -> None:
        """Let go of this file's zygote."""
        for among in (self._asked, self._ready):
            connection = among.pop(file, None)
            if connection is not None:
                connection.close()

    def _ask(self, file: File) -> None:
        if file in self._refused or file in self._asked:
            return
        connection = self._nursery.ask(file, at_once=self._is_eager)
        if connection is not None:
            self._asked[file] = connection
        for oldest in list(self._asked)[:-CONNECTIONS_MOST]:
            self.drop(oldest)

    def _answered(self, file: File) -> None:
        said = _heard(self._asked[file])
        if said is None:
            return
        connection = self._asked.pop(file)
        if "parsed" in said and _heard(connection) is None:  # and it is still there
            self._ready[file] = connection
            for oldest in list(self._ready)[:-CONNECTIONS_MOST]:
                self.drop(oldest)
            return
        connection.close()
        if "refused" in said:
            log.info("Tasks of this DAG file parse it themselves", **file._asdict(), reason=said["refused"])
            self._refused[file] = None
            if len(self._refused) > _REFUSED_MOST:
                del self._refused[next(iter(self._refused))]


def _heard(connection: socket.socket) -> dict[str, Any] | None:
    """The next message if there is one, empty for the end of the connection, None if there is nothing yet."""
    connection.setblocking(False)
    try:
        message = connection.recv(MESSAGE_MOST)
    except BlockingIOError:
        return None
    except OSError:
        message = b""
    finally:
        connection.setblocking(True)
    return dict(json.loads(message)) if message else {}
