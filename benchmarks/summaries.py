"""Readings to figures: pure arithmetic.

The median of an even number of values is the mean of the two in the middle. The 95th percentile is by nearest rank:
of ten values it is the greatest, and never a value that nobody saw.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.measuring import Ratio, Reading


@dataclass(frozen=True)
class Summary:
    """One figure of one contender over all counted rounds."""

    benchmark: str
    contender: str
    figure: str
    unit: str
    count: int
    median: float
    least: float
    greatest: float
    p95: float


@dataclass(frozen=True)
class Compared:
    """How many times the other's figure ours is: below 1 means less (time, memory)."""

    ratio: Ratio
    value: float
    ours: Summary
    other: Summary


def median(values: Sequence[float]) -> float:
    """The middle. Raises ValueError when there are none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("there is no median of nothing")
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all are not above. Raises ValueError when there are none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("there is no percentile of nothing")
    if not 0 < percent <= 100:
        raise ValueError(f"{percent} is no percentile")
    return ordered[max(1, math.ceil(len(ordered) * percent / 100)) - 1]


def summarize(readings: Iterable[Reading]) -> list[Summary]:
    """One summary for each benchmark, contender and figure, in the order in which they were first seen."""
    values: dict[tuple[str, str, str, str], list[float]] = {}
    for reading in readings:
        if reading.counted:
            key = (reading.benchmark, reading.contender, reading.figure, reading.unit)
            values.setdefault(key, []).append(reading.value)
    return [
        Summary(*key, len(seen), median(seen), min(seen), max(seen), percentile(seen, 95))
        for key, seen in values.items()
    ]


def compare(summaries: Iterable[Summary], ratios: Iterable[Ratio]) -> list[Compared]:
    """Ratios of medians. One whose figures were not both measured, or whose other is zero, is left out."""
    found = {(summary.contender, summary.figure): summary for summary in summaries}
    return [
        Compared(ratio, value_of(found[ratio.ours], ratio) / value_of(found[ratio.other], ratio),
                 found[ratio.ours], found[ratio.other])
        for ratio in ratios
        if ratio.ours in found and ratio.other in found and value_of(found[ratio.other], ratio)
    ]  # fmt: skip


def value_of(summary: Summary, ratio: Ratio) -> float:
    """The member of a summary that a ratio is of."""
    return summary.p95 if ratio.statistic == "p95" else summary.median
