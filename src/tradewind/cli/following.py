"""Following an environment on its way: to AVAILABLE or to a failure, and to its end.

Asking is cheap (one signed request on this machine), so it is done a few times a second. The service may be
started anew meanwhile; a minute without an answer is waited out. Time is injected.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tradewind.cli.failures import UNREACHABLE, Failure, explain
from tradewind.cli.output import Live
from tradewind.cli.progress import Progress, Teller
from tradewind.cli.service import Seen

_POLL_SECONDS = 0.3
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Watch:
    """Looks again and again. `look` is a GetEnvironment that answers None for an environment that is gone."""

    look: Callable[[], Seen | None]
    live: Live
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def until(self, ended: Callable[[Seen | None], bool], *, after: Progress | None = None) -> Seen | None:
        """Tell every step until it has ended; answers what was seen last. Steps of `after` are not told again."""
        teller = Teller(self.live.say, self.live.show, after or Progress())
        lost: float | None = None
        while True:
            try:
                seen = self.look()
                lost = None
            except Exception as error:
                if explain(error).status != UNREACHABLE:
                    raise
                lost = self.clock() if lost is None else lost
                if self.clock() - lost > _PATIENCE_SECONDS:
                    raise
                self.live.show("the service does not answer just now")
                self.sleep(1.0)
                continue
            if seen is not None:
                teller.tell(seen.progress)
            if ended(seen):
                return seen
            self.sleep(_POLL_SECONDS)


def until_created(watch: Watch, name: str) -> Seen:
    """Return when it is AVAILABLE. Raises Failure with the sentence of why it is not."""
    seen = watch.until(lambda seen: seen is None or seen.status not in {"CREATING", "PENDING"})
    if seen is None:
        raise Failure(f"cannot create {name}: it was deleted meanwhile")
    if seen.status != "AVAILABLE":
        raise Failure(f"cannot create {name}: {seen.failure or f'it is {seen.status}'}")
    return seen


def until_updated(watch: Watch, name: str, before: Progress) -> Seen:
    """Return when it is AVAILABLE again. Raises Failure with the sentence of why the update is not in force."""
    moving = {"UPDATING", "ROLLING_BACK", "CREATING_SNAPSHOT", "MAINTENANCE"}
    seen = watch.until(lambda seen: seen is None or seen.status not in moving, after=before)
    if seen is None or seen.status == "DELETING":
        raise Failure(f"cannot update {name}: it was deleted meanwhile")
    if seen.status != "AVAILABLE":
        raise Failure(f"cannot update {name}: {seen.failure or f'it is {seen.status}'}")
    return seen


def until_tried(watch: Watch, name: str, number: int, before: Progress) -> Mapping[str, Any]:
    """Return the report of a dry run. Raises Failure with the sentence of why the update would not work."""
    seen = watch.until(lambda seen: seen is None or _is_over(seen, number), after=before)
    if seen is None or seen.trial.get("number") != number:
        raise Failure(f"cannot try the update of {name}: something else was asked for meanwhile")
    if seen.trial["state"] != "DONE":
        raise Failure(f"cannot update {name}: {seen.trial['error'] or 'something else was asked for meanwhile'}")
    report: Mapping[str, Any] = seen.trial["report"]
    return report


def _is_over(seen: Seen, number: int) -> bool:
    return seen.status == "DELETING" or seen.trial.get("number") != number or seen.trial["state"] != "PENDING"


def until_deleted(watch: Watch, name: str, id_: str, before: Progress) -> None:
    """Return when nothing is left of it; a new one of that name is none of it."""
    seen = watch.until(lambda seen: seen is None or seen.id != id_ or seen.status != "DELETING", after=before)
    if seen is not None and seen.id == id_:
        raise Failure(f"cannot delete {name}: it is {seen.status}")
