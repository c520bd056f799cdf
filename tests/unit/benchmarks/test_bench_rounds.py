"""Turns: everyone in every round, nobody twice in a row, few samples where few are asked for."""

import random

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.rounds import Turn, interleave, interleave_unequal, phases, shares


def test_contenders_take_turns_after_a_warm_up_each():
    assert interleave(["a", "b"], 2) == [
        Turn("a", 0, counted=False),
        Turn("b", 0, counted=False),
        Turn("a", 1, counted=True),
        Turn("b", 1, counted=True),
        Turn("a", 2, counted=True),
        Turn("b", 2, counted=True),
    ]


def test_without_a_warm_up_every_turn_counts():
    assert all(turn.counted for turn in interleave(["a"], 3, warm_up=False))


def test_who_takes_fewer_rounds_takes_the_first_ones():
    turns = interleave_unequal({"a": 3, "slow": 1})
    assert [(turn.contender, turn.round) for turn in turns] == [("a", 1), ("slow", 1), ("a", 2), ("a", 3)]
    assert interleave_unequal({}) == []


@given(st.integers(1, 50), st.integers(1, 20))
def test_samples_are_shared_out_evenly_and_whole(total, parts):
    found = shares(total, parts)
    assert sum(found) == total
    assert len(found) == min(parts, total)
    assert 1 <= min(found) <= max(found) <= min(found) + 1


@given(st.integers(1, 20), st.floats(0, 300), st.integers())
def test_samples_begin_once_in_each_equal_part_of_the_clock(count, longest, seed):
    found = sorted(phases(count, longest, random.Random(seed)))
    for index, phase in enumerate(found):
        assert index / count * longest - 1e-6 <= phase <= (index + 1) / count * longest + 1e-6


def test_the_same_seed_gives_the_same_moments():
    assert phases(5, 300, random.Random(1)) == phases(5, 300, random.Random(1))
    assert phases(5, 300, random.Random(1)) != phases(5, 300, random.Random(2))
