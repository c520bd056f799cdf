"""Generators of random numbers that every fork has, and that must not draw the same in each.

Python's own, and OpenSSL's, see to it at a fork. A library's `random.Random()`, made without a seed while it was
imported, does not: it would give the same numbers to all tasks (the masks of aiohttp's websockets, say); nor does
numpy's global one. One with a seed is meant to repeat itself, and is left alone.
"""

import contextlib
import random
import sys
from collections.abc import Iterator

_made: list[random.Random] = []  # for as long as the process lives, as what is imported


@contextlib.contextmanager
def remembering() -> Iterator[None]:
    """Within: those that are made without a seed are remembered."""
    seed = random.Random.seed

    def remembered(generator: random.Random, a: object = None, *given: object, **named: object) -> None:
        if a is None:
            remember(generator)
        seed(generator, a, *given, **named)  # type: ignore[arg-type]

    random.Random.seed = remembered  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        random.Random.seed = seed  # type: ignore[method-assign]


def remember(generator: random.Random) -> None:
    """It was made without a seed. One from outside of the process holds no state, and is not kept."""
    if not isinstance(generator, random.SystemRandom):
        _made.append(generator)


def draw_anew() -> None:
    """In a fork."""
    for generator in _made:
        generator.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None and "numpy.random" in sys.modules:
        numpy.random.seed()
