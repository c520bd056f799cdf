"""The words of a measurement: what a benchmark is, what one reading is, what was asked for.

A benchmark yields readings as they come, so that an interrupted run has still said what it saw. Readings of a warm-up
are kept in the raw numbers and counted nowhere.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.stage import Stage

SECONDS, MILLISECONDS, MEGABYTES, PERCENT, PER_SECOND = "s", "ms", "MB", "%", "/s"
BYTES, EXPONENT = "B", ""


class CannotMeasure(Exception):
    """A sentence that names what stands in the way."""


@dataclass(frozen=True)
class Reading:
    """One number. `figure` says what of, `round` counts from 0, which is the warm-up where there is one."""

    benchmark: str
    contender: str
    figure: str
    unit: str
    value: float
    round: int
    counted: bool = True


@dataclass(frozen=True)
class Ratio:
    """Two figures to be divided: (contender, figure) of ours by (contender, figure) of the other's.

    `statistic`: which of a summary's members, `median` or `p95`.
    """

    ours: tuple[str, str]
    other: tuple[str, str]
    statistic: str = "median"


@dataclass(frozen=True)
class Benchmark:
    """One row of the contract. `contenders` take part unless others are named; `optional` only when they are."""

    id: str
    title: str
    contenders: tuple[str, ...]
    measure: Callable[["Stage"], Generator[Reading, None, None]] = field(repr=False)
    ratios: tuple[Ratio, ...] = ()
    notes: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def everyone(self) -> tuple[str, ...]:
        """All contenders that it knows."""
        return self.contenders + self.optional


@dataclass(frozen=True)
class Options:
    """What the command line asked for. `data_dir`: a running service to use; `environment`: one to use in it."""

    runs: int = 5
    samples: int = 10
    default_samples: int = 2
    first_samples: int = 20
    api_seconds: float = 10.0
    times: tuple[int, ...] = (1, 2, 4, 8)
    grow_runs: int = 1
    idle_seconds: float = 300.0
    settle_seconds: float = 60.0
    smoke: bool = False
    seed: int = 1
    data_dir: Path | None = None
    environment: str | None = None
