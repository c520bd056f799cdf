"""How long a scheduler may rest after a pass. Pure: the clock is the caller's.

Passes cost CPU that tasks need, so none should be made that finds nothing; but nobody may wait for one. Four cases,
the first that holds counts:

1. There is a backlog: more work waits at the workers than they can take up soon. New work would only wait in another
   queue, so what happens is gathered for a while, the longer the deeper the backlog is: for half the time in which the
   workers will have taken it up, at the pace at which they ended tasks lately.
2. The pass may have left work behind: it filled a batch, it had no room for more and has now, a task's process failed
   without a word (Airflow must write that down), the scheduler itself ended tasks, whose followers are now due, it
   looked at some of the DAG runs only (`looks`), or somebody wrote while the pass was made. The next pass follows at
   once.
3. Work was sent: with very many runs there may be more, so look again after `SOON_SECONDS`, or when told.
4. Nothing is going on: rest for `IDLE_SECONDS`, or until told. This is also the slow poll behind lost notifications.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

IDLE_SECONDS = 1.0
SOON_SECONDS = 0.2
GATHER_SECONDS = 1.0
_SECONDS_A_TASK = 0.05  # no task is shorter, with all that surrounds it
_PART_OF_BACKLOG = 0.5  # the other half is for tasks that end sooner than the last ones
_LATELY_SECONDS = 2.0


@dataclass(frozen=True)
class Pass:
    """What one pass did and left. `backlog`: messages that no worker has taken; `taken`: those that one has."""

    sent: int = 0
    batch: int = 16  # most that one pass sends
    made_room: bool = False  # it could send no more, and ends of tasks have made room since
    failed: bool = False  # a process ended that did not say itself how
    own_ends: bool = False  # the scheduler itself ended tasks or runs
    others_wrote: bool = False
    left_runs: bool = False
    backlog: int = 0
    taken: int = 0
    ends_a_second: float = 0.0  # of tasks, lately


@dataclass(frozen=True)
class Rest:
    """Rest until `least` is over in any case, then until told, at most until `most`. Seconds."""

    least: float
    most: float


def rest_after(done: Pass) -> Rest:
    """The rest that a pass is followed by."""
    gather = 0.0 if done.failed else gathering(done.backlog, done.taken, done.ends_a_second)
    at_once = (
        done.sent >= done.batch or done.made_room or done.failed or done.own_ends or done.others_wrote or done.left_runs
    )
    until = 0.0 if at_once else SOON_SECONDS if done.sent else IDLE_SECONDS
    return Rest(gather, max(gather, until))


def gathering(backlog: int, taken: int, ends_a_second: float = 0.0) -> float:
    """Seconds for which the workers are busy with what they have, whatever ends meanwhile."""
    if backlog <= 0 or taken <= 0:
        return 0.0
    shortest = _SECONDS_A_TASK * backlog / taken
    observed = _PART_OF_BACKLOG * backlog / ends_a_second if ends_a_second > 0 else 0.0
    return min(GATHER_SECONDS, max(shortest, observed))


class Ends:
    """How many tasks ended a second, lately."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def count(self, ended: int) -> None:
        """So many ended since the last time."""
        if ended:
            self._seen.append((self._clock(), ended))

    def a_second(self) -> float:
        """Over the last two seconds; 0.0 where none ended."""
        now = self._clock()
        while self._seen and self._seen[0][0] < now - _LATELY_SECONDS:
            self._seen.popleft()
        return sum(ended for _, ended in self._seen) / _LATELY_SECONDS
