"""How much of the log people who were not identified may fill.

Whoever can reach the door can be refused without end. Each source address has so many such records a minute, all
of them together so many more; what is beyond is counted, and the count becomes one record when its minute is over.
So nothing is lost but detail, and the log grows by a bounded amount. An IPv6 address counts by its /64, which is
what one customer of a provider has; beyond a number of sources at once, the others share one count.

Calls of identified callers do not come here: they are all recorded. The clock is the caller's.
"""

import ipaddress
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=60)
EACH = 60
TOGETHER = 600
SOURCES = 1_000
OTHERS = "others"
_IPV6_NETWORK = 64


@dataclass(frozen=True)
class Withheld:
    """So many refusals of one source were counted and not recorded each."""

    source: str
    count: int
    first: datetime
    last: datetime


@dataclass
class _Window:
    begun: datetime
    recorded: int = 0
    withheld: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def withhold(self, now: datetime) -> None:
        self.withheld += 1
        self.first = self.first or now
        self.last = now


class Withholding:
    """Safe for any number of threads. Memory is bounded by `sources`."""

    def __init__(self, each: int = EACH, together: int = TOGETHER, sources: int = SOURCES) -> None:
        self._each, self._together, self._sources = each, together, sources
        self._windows: dict[str, _Window] = {}
        self._all: _Window | None = None
        self._lock = threading.Lock()

    def admit(self, address: str, now: datetime) -> bool:
        """Whether this refusal gets a record of its own; otherwise it was counted."""
        with self._lock:
            if self._all is None or now - self._all.begun >= WINDOW:
                self._all = _Window(now)
            source = source_of(address)
            if source not in self._windows and len(self._windows) >= self._sources:
                source = OTHERS
            window = self._windows.setdefault(source, _Window(now))
            if window.recorded >= self._each or self._all.recorded >= self._together:
                window.withhold(now)
                return False
            window.recorded += 1
            self._all.recorded += 1
            return True

    def settle(self, now: datetime, *, is_end: bool = False) -> tuple[Withheld, ...]:
        """Close the windows that are over (all of them at the end), and answer what was withheld in them."""
        with self._lock:
            over = [source for source, window in self._windows.items() if is_end or now - window.begun >= WINDOW]
            return tuple(found for source in over if (found := _counted(source, self._windows.pop(source))))

    def put_back(self, withheld: tuple[Withheld, ...]) -> None:
        """Count again what could not be recorded."""
        with self._lock:
            for each in withheld:
                window = self._windows.setdefault(each.source, _Window(each.last, recorded=self._each))
                window.withheld += each.count
                window.first = min(each.first, window.first or each.first)
                window.last = max(each.last, window.last or each.last)


def _counted(source: str, window: _Window) -> Withheld | None:
    if not window.withheld or window.first is None or window.last is None:
        return None
    return Withheld(source, window.withheld, window.first, window.last)


def source_of(address: str) -> str:
    """What an address counts by: itself, or its /64."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return OTHERS
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), _IPV6_NETWORK), strict=False))
