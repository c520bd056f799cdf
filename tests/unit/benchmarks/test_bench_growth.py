"""The exponent of growth: a power law gives its own back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.growth import exponent


@given(st.floats(0.001, 1000), st.floats(-2, 3), st.sets(st.integers(1, 10_000), min_size=2, max_size=6))
def test_a_power_law_gives_its_exponent(factor, power, sizes):
    assert exponent({size: [factor * size**power] for size in sizes}) == pytest.approx(power, abs=1e-6)


def test_the_median_of_a_size_counts():
    assert exponent({1: [1.0, 1.0, 99.0], 2: [2.0]}) == pytest.approx(1.0)


def test_one_size_does_not_grow():
    with pytest.raises(ValueError, match="fewer than two sizes"):
        exponent({5: [1.0], 6: []})
