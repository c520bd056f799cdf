"""Which zygotes a worker has: the nursery's decisions. Pure: it is told of requests and answers, and says what to do.

A file gets a zygote with its second task within `OFTEN_SECONDS`; a single task gains nothing by one, and a file whose
tasks come seldom, or run for long, would only have it made and thrown away each time. There are at most `FEW`, where
the machine has memory to spare `MOST`; a further file gets one only in the place of one that has begun no task in
`REST_SECONDS`: with more files in turns than zygotes each would be thrown away before it is used.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

FEW = 12
MOST = 64
REST_SECONDS = 5.0
OFTEN_SECONDS = 10.0
PARSE_SECONDS_MOST = 120.0
_REMEMBERED_MOST = 1000

ConnectionT = TypeVar("ConnectionT")
ControlT = TypeVar("ControlT")
RememberedT = TypeVar("RememberedT", str, float)


class Answer(enum.Enum):
    """What is to be done with a request."""

    LATER = "later"  # nothing yet
    MAKE = "make"  # fork a zygote; the connection waits for it
    WAIT = "wait"  # one is at it
    JOIN = "join"  # hand the connection to it
    REFUSED = "refused"


@dataclass
class Entry(Generic[ConnectionT, ControlT]):
    """A zygote. `waiting`: connections that it will get when it has parsed its file."""

    control: ControlT
    used_at: float
    began_at: float
    is_ready: bool = False
    waiting: list[ConnectionT] = field(default_factory=list)


class Roster(Generic[ConnectionT, ControlT]):
    """Of one worker. Keys are files with their environments."""

    def __init__(self, clock: Callable[[], float], has_memory: Callable[[], bool] = lambda: True) -> None:
        self._clock, self._has_memory = clock, has_memory
        self.entries: dict[Hashable, Entry[ConnectionT, ControlT]] = {}
        self._seen: dict[Hashable, float] = {}
        self._refused: dict[Hashable, str] = {}

    def ask(self, key: Hashable, *, at_once: bool = False) -> Answer:
        """A slot has a task of this file, and no zygote of it."""
        now = self._clock()
        entry = self.entries.get(key)
        if entry is not None:
            entry.used_at = now
            return Answer.JOIN if entry.is_ready else Answer.WAIT
        if key in self._refused:
            return Answer.REFUSED
        last = self._seen.pop(key, float("-inf"))
        _remember(self._seen, key, now)
        if not at_once and now - last > OFTEN_SECONDS:
            return Answer.LATER
        if self._is_full() and self.to_end() is None:
            return Answer.LATER
        return Answer.MAKE

    def to_end(self) -> Hashable | None:
        """The file whose zygote makes room for another, if there are too many: the one longest not used."""
        ready = [(key, entry) for key, entry in self.entries.items() if entry.is_ready]
        if not ready or not self._is_full():
            return None
        key, entry = min(ready, key=lambda item: item[1].used_at)
        return key if self._clock() - entry.used_at >= REST_SECONDS else None

    def _is_full(self) -> bool:
        count = len(self.entries)
        return count >= MOST or (count >= FEW and not self._has_memory())

    def used(self, key: Hashable) -> None:
        """Its zygote has begun a task: slots that are connected to it ask no more."""
        self.entries[key].used_at = self._clock()

    def made(self, key: Hashable, control: ControlT, connection: ConnectionT) -> None:
        """A zygote was forked for this file, and the connection waits for it."""
        now = self._clock()
        self.entries[key] = Entry(control, now, now, waiting=[connection])

    def parsed(self, key: Hashable) -> list[ConnectionT]:
        """It may be inherited. Returns the connections that have waited."""
        entry = self.entries[key]
        entry.is_ready = True
        waiting, entry.waiting = entry.waiting, []
        return waiting

    def refuse(self, key: Hashable, reason: str) -> list[ConnectionT]:
        """It must not be inherited. Returns the connections that have waited."""
        _remember(self._refused, key, reason)
        return self.forget(key)

    def reason(self, key: Hashable) -> str:
        """Why it was refused."""
        return self._refused.get(key, "")

    def forget(self, key: Hashable) -> list[ConnectionT]:
        """Its zygote is gone. Returns the connections that have waited."""
        entry = self.entries.pop(key, None)
        return [] if entry is None else entry.waiting

    def overdue(self) -> list[Hashable]:
        """Files whose parse takes too long."""
        limit = self._clock() - PARSE_SECONDS_MOST
        return [key for key, entry in self.entries.items() if not entry.is_ready and entry.began_at <= limit]


def _remember(among: dict[Hashable, RememberedT], key: Hashable, what: RememberedT) -> None:
    among[key] = what
    if len(among) > _REMEMBERED_MOST:
        del among[next(iter(among))]
