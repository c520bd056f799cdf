"""When a change in a bucket is over: pure decisions about paths, tags and time.

A file that is being copied changes between polls; a folder that is being copied gains files. So a path whose
object differs from the one in force *moves* until it has been still for `settle` seconds. Two clocks can prove
that: ours, by the same sight at two polls, and the object's own change time, which saves waiting for the second
poll. A path that went away moves too: `rm -r` before `cp -r` must not become a version without DAGs.

While anything moves, everything waits, so that a folder copied at once becomes one version; but the settled
part waits no longer than `patience` seconds for the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tradewind.bundles.buckets import Object

PATIENCE_SECONDS = 1.5
_GONE = ""


@dataclass(frozen=True)
class Change:
    """What differs from the version in force. `settled` and `moving` hold paths; `due` says to make a version now."""

    settled: frozenset[str]
    moving: frozenset[str]
    due: bool


@dataclass
class Settling:
    """Remembers since when each differing path has looked as it does."""

    patience: float = PATIENCE_SECONDS
    _since: dict[str, tuple[str, float]] = field(default_factory=dict)  # path: (tag, first seen)
    _waiting_since: float | None = None

    def judge(
        self, in_force: Mapping[str, str], found: Mapping[str, Object], *, settle: float, now: float, wall: float
    ) -> Change:
        """Compare tags in force with what is found. `now` is monotonic, `wall` seconds since 1970."""
        tags = {path: found[path].tag for path in found if in_force.get(path) != found[path].tag}
        tags |= dict.fromkeys(in_force.keys() - found.keys(), _GONE)
        seen: dict[str, tuple[str, float]] = {}
        settled: set[str] = set()
        moving: set[str] = set()
        for path, tag in tags.items():
            before = self._since.get(path)
            seen[path] = before if before is not None and before[0] == tag else (tag, now)
            still = now - seen[path][1]
            if tag != _GONE:
                still = max(still, wall - found[path].changed_ns / 1e9)
            (settled if still >= settle else moving).add(path)
        self._since = seen
        return Change(frozenset(settled), frozenset(moving), self._due(bool(settled), bool(moving), now))

    def _due(self, something_settled: bool, something_moves: bool, now: float) -> bool:
        if not something_settled:
            self._waiting_since = None
            return False
        if self._waiting_since is None:
            self._waiting_since = now
        due = not something_moves or now - self._waiting_since >= self.patience
        if due:
            self._waiting_since = None
        return due
