"""Which running DAG runs a pass looks at, and how often while there is no hurry. Pure.

A look at one DAG run loads its task instances and judges their dependencies: forty milliseconds for a hundred tasks.
Twenty of them, stock's batch, are most of a second in which nothing is sent, and slots that run short tasks stand
still meanwhile. So

- what the database tells of task instances names their run, and only runs that were told of are looked at, as many
  between two refills of the executor as `SLICE_SECONDS` allow at the price that they had lately;
- a batch of whatever was not looked at for longest follows once a second, as in stock (time itself makes things due),
  or less often where that would take more than `SHARE` of the time;
- while the executor is full only that is done, and in slices.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

SLICE_SECONDS = 0.15
SHARE = 0.2
OFTEN_SECONDS = 1.0
_MEMORY = 0.7  # of the price until now, at each look

Run = tuple[str, str]  # dag_id, run_id


@dataclass
class Looks:
    """`most`: the batch that is configured. `told`: runs that are to be looked at, those that wait longest first."""

    most: int
    told: dict[Run, None] = field(default_factory=dict)
    _price: float = 0.0  # seconds a run
    _batch: int = 0  # runs in the last one

    def tell(self, runs: Iterable[Run]) -> None:
        """Something happened in these runs."""
        self.told.update(dict.fromkeys(runs))

    def next(self) -> list[Run]:
        """Those to look at before the next refill; they count as looked at."""
        chosen = list(self.told)[: self.slice]
        self._forget(chosen)
        return chosen

    def batched(self, runs: Collection[Run]) -> None:
        """These are looked at as a batch."""
        self._batch = len(runs)
        self._forget(runs)

    def _forget(self, runs: Iterable[Run]) -> None:
        for run in runs:
            self.told.pop(run, None)

    def took(self, runs: int, seconds: float) -> None:
        """A look at so many took so long."""
        if runs > 0:
            price = seconds / runs
            self._price = price if self._price == 0.0 else _MEMORY * self._price + (1 - _MEMORY) * price

    @property
    def slice(self) -> int:
        """How many may be looked at between two refills."""
        if self._price <= 0.0:
            return self.most
        return max(1, min(self.most, int(SLICE_SECONDS / self._price)))

    @property
    def pause(self) -> float:
        """Seconds from one batch to the next."""
        return max(OFTEN_SECONDS, self._price * self._batch / SHARE)
