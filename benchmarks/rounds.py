"""In which order contenders take their turns: A B A B, so that a machine that grows slower slows both. Pure.

The first turn of each is its warm-up: it fills caches (packages, pages, bytecode) and is not counted.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """One contender's turn."""

    contender: str
    round: int
    counted: bool


def interleave(contenders: Sequence[str], runs: int, *, warm_up: bool = True) -> list[Turn]:
    """Round for round, every contender once in each. Counted rounds start at 1; round 0 is the warm-up."""
    turns = [Turn(name, 0, counted=False) for name in contenders] if warm_up else []
    return turns + [Turn(name, number, counted=True) for number in range(1, runs + 1) for name in contenders]


def interleave_unequal(rounds: Mapping[str, int]) -> list[Turn]:
    """The same without a warm-up where some contenders take fewer rounds: they take the first ones."""
    longest = max(rounds.values(), default=0)
    return [
        Turn(name, number, counted=True)
        for number in range(1, longest + 1)
        for name, count in rounds.items()
        if number <= count
    ]


def shares(total: int, parts: int) -> list[int]:
    """`total` in `parts` whole numbers that differ by one at most, the greater first; none is zero."""
    parts = max(1, min(parts, total))
    return [total // parts + (1 if part < total % parts else 0) for part in range(parts)]


def phases(count: int, longest: float, chance: random.Random) -> list[float]:
    """Seconds to wait before each of `count` samples, spread evenly over 0 to `longest`, shuffled.

    What is measured may follow a clock of its own (a folder listed every 300 s): samples that start right after the
    last one ended would always meet the same moment of it.
    """
    spread = [(index + chance.random()) / count * longest for index in range(count)]
    chance.shuffle(spread)
    return spread
