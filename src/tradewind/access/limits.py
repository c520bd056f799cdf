"""How often somebody may be wrong: token buckets for secrets and tokens that turned out to be no good.

`Buckets` is the counting alone: a bucket for each name holds `burst` tokens and gains `per_second` of them, up to
`burst`. The clock is injected (seconds, monotonic). A full bucket is not kept: names that were quiet for
burst / per_second seconds are forgotten, and never more than `capacity` names are held.

`WrongTries` puts two of them behind each place where a secret is checked: one by the source's address, one by the
access key id that was tried. Only what was wrong costs, so nobody who signs correctly is slowed down, however much
they call. The address is asked first, and it gains tokens more slowly than a key does: a flood from one address
stops at the address and cannot empty a key's bucket, so it locks nobody out but itself. A key that many addresses
try at once is refused to those that have been wrong with it; who has used it correctly within the last hour goes on.

Keys and tokens hold at least 240 random bits: the limits are there to keep the noise and the load down.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_CAPACITY = 50_000
_KNOWN_GOOD_SECONDS = 3600.0
_V6_NETWORK = 64  # one customer's: who has one address of it has all of them


@dataclass(frozen=True)
class Rate:
    """A bucket's size, and how many tokens it gains in a second."""

    burst: int
    per_second: float


BY_SOURCE = Rate(burst=100, per_second=1.0)
BY_KEY = Rate(burst=400, per_second=5.0)


@dataclass(frozen=True)
class Wait:
    """Come again in `seconds`: whole ones, at least 1 (the value of Retry-After)."""

    seconds: int


class Buckets:
    """Token buckets by name. Safe for many threads."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic, capacity: int = _CAPACITY) -> None:
        """`clock` gives seconds that never go back; `capacity` is how many names are remembered at most."""
        self._rate = rate
        self._clock = clock
        self._capacity = capacity
        self._lock = threading.Lock()
        # Last touched at the end. All fill up in the same time, so the quiet ones are at the front.
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """How many names are held."""
        return len(self._kept)

    def wait(self, name: str) -> Wait | None:
        """None when the bucket holds a whole token; nothing is taken."""
        with self._lock:
            missing = 1.0 - self._level(name, self._clock())
        return None if missing <= 0 else Wait(max(1, math.ceil(missing / self._rate.per_second)))

    def take(self, name: str) -> None:
        """Take a token, and go below nothing for what many threads did at the same moment (never below -burst)."""
        with self._lock:
            now = self._clock()
            level = max(self._level(name, now) - 1.0, -float(self._rate.burst))
            self._kept[name] = (level, now)
            self._kept.move_to_end(name)
            self._forget(now)

    def _level(self, name: str, now: float) -> float:
        level, then = self._kept.get(name, (float(self._rate.burst), now))
        return min(float(self._rate.burst), level + (now - then) * self._rate.per_second)

    def _forget(self, now: float) -> None:
        while self._kept:
            name, (_, then) = next(iter(self._kept.items()))
            if len(self._kept) <= self._capacity and now - then < 2 * self._rate.burst / self._rate.per_second:
                return
            del self._kept[name]


class WrongTries:
    """Who was wrong too often, by address and by access key id. Safe for many threads.

    Ask `wait` before a secret is looked at, and tell `wrong` or `right` afterwards. A token costs nothing to check:
    there `wait` is asked once it is known to be wrong.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        by_source: Rate = BY_SOURCE,
        by_key: Rate = BY_KEY,
        capacity: int = _CAPACITY,
    ) -> None:
        """ValueError when one address alone could empty a key's bucket."""
        if by_source.burst >= by_key.burst or by_source.per_second >= by_key.per_second:
            raise ValueError("a source's bucket must be smaller and slower than a key's")
        self._sources = Buckets(by_source, clock, capacity)
        self._keys = Buckets(by_key, clock, capacity)
        self._known = _Known(clock, capacity)

    def wait(self, address: str | None, access_key_id: str | None = None) -> Wait | None:
        """None when the secret may be looked at; otherwise when to come again."""
        source = source_of(address)
        if refused := self._sources.wait(source):
            return refused
        if access_key_id is None or self._known.has(source, access_key_id):
            return None
        return self._keys.wait(access_key_id)

    def wrong(self, address: str | None, access_key_id: str | None = None) -> None:
        """It was wrong, expired, or not there at all."""
        self._sources.take(source_of(address))
        if access_key_id is not None:
            self._keys.take(access_key_id)

    def right(self, address: str | None, access_key_id: str) -> None:
        """It was right: this address goes on with this key, whatever others do."""
        self._known.add(source_of(address), access_key_id)


class _Known:
    """Pairs of source and key that were right, each for an hour; the longest unused goes first."""

    def __init__(self, clock: Callable[[], float], capacity: int) -> None:
        self._clock = clock
        self._capacity = capacity
        self._lock = threading.Lock()
        self._since: OrderedDict[tuple[str, str], float] = OrderedDict()

    def add(self, source: str, key: str) -> None:
        with self._lock:
            self._since[source, key] = self._clock()
            self._since.move_to_end((source, key))
            while len(self._since) > self._capacity:
                self._since.popitem(last=False)

    def has(self, source: str, key: str) -> bool:
        with self._lock:
            since = self._since.get((source, key))
        return since is not None and self._clock() - since < _KNOWN_GOOD_SECONDS


def source_of(address: str | None) -> str:
    """The name that an address is counted under: an IPv4 address, a /64 of IPv6, or one name for all else."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((parsed, _V6_NETWORK), strict=False))
    return str(parsed)
