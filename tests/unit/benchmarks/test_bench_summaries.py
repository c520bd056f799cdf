"""Medians, percentiles, ratios: what the tables say is what was read."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.measuring import Ratio, Reading
from benchmarks.summaries import compare, median, percentile, summarize

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)


def reading(contender, figure, value, *, benchmark="B6", counted=True):
    return Reading(benchmark, contender, figure, "s", value, 1 if counted else 0, counted)


@given(VALUES)
def test_the_median_is_the_standard_librarys(values):
    assert median(values) == pytest.approx(statistics.median(values))


@given(VALUES, st.floats(0.001, 100))
def test_a_percentile_is_a_value_that_was_seen_and_enough_are_not_above_it(values, percent):
    found = percentile(values, percent)
    below = sum(value <= found for value in values)
    assert found in values
    assert below >= len(values) * percent / 100 - 1e-9
    strictly_below = sum(value < found for value in values)
    assert strictly_below < len(values) * percent / 100 + 1e-9


def test_the_95th_percentile_of_ten_is_the_greatest_and_of_twenty_the_one_before():
    assert percentile(list(range(1, 11)), 95) == 10
    assert percentile(list(range(1, 21)), 95) == 19


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_there_is_no_such_percentile(percent):
    with pytest.raises(ValueError, match="no percentile"):
        percentile([1.0], percent)


def test_there_is_no_median_and_no_percentile_of_nothing():
    with pytest.raises(ValueError, match="of nothing"):
        median([])
    with pytest.raises(ValueError, match="of nothing"):
        percentile([], 50)


def test_warm_ups_are_not_counted_and_contenders_are_kept_apart():
    found = summarize(
        [
            reading("a", "time", 100.0, counted=False),
            reading("b", "time", 7.0),
            reading("a", "time", 1.0),
            reading("a", "time", 4.0),
            reading("a", "other", 9.0),
        ]
    )
    assert [(row.contender, row.figure, row.count, row.median, row.least, row.greatest) for row in found] == [
        ("b", "time", 1, 7.0, 7.0, 7.0),
        ("a", "time", 2, 2.5, 1.0, 4.0),
        ("a", "other", 1, 9.0, 9.0, 9.0),
    ]


def test_a_ratio_divides_ours_by_the_others():
    summaries = summarize([reading("ours", "x", 2.0), reading("other", "y", 8.0)])
    (found,) = compare(summaries, [Ratio(("ours", "x"), ("other", "y"))])
    assert found.value == 0.25


def test_a_ratio_of_what_was_not_measured_or_is_zero_is_left_out():
    summaries = summarize([reading("ours", "x", 2.0), reading("other", "zero", 0.0)])
    asked = [
        Ratio(("ours", "x"), ("other", "zero")),
        Ratio(("ours", "x"), ("other", "missing")),
        Ratio(("ours", "missing"), ("ours", "x")),
    ]
    assert compare(summaries, asked) == []


def test_a_ratio_may_be_of_another_statistic():
    summaries = summarize([*(reading("ours", "x", value) for value in (1.0, 1.0, 9.0)), reading("other", "x", 3.0)])
    middle, far = compare(
        summaries, [Ratio(("ours", "x"), ("other", "x")), Ratio(("ours", "x"), ("other", "x"), "p95")]
    )
    assert (middle.value, far.value) == (pytest.approx(1 / 3), 3.0)
    assert (far.ours.contender, far.other.contender) == ("ours", "other")
