"""Tables: aligned, with numbers that keep three figures."""

import pytest

from benchmarks.measuring import Ratio
from benchmarks.summaries import Compared, Summary
from benchmarks.tables import figures_table, number, ratios_table


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (0.126, "0.13"), (1.5, "1.50"), (12.34, "12.3"), (123.4, "123"), (-12.34, "-12.3")],
)
def test_a_number_has_as_many_places_as_it_needs(value, text):
    assert number(value) == text


def test_every_figure_is_a_line_and_columns_are_aligned():
    rows = [
        Summary("B6", "tradewind", "first", "s", 5, 1.0, 0.5, 2.0, 2.0),
        Summary("B6", "stock", "a longer figure", "s", 5, 100.0, 90.0, 1200.0, 1200.0),
    ]
    head, first, second = figures_table(rows).splitlines()
    assert head.split() == ["contender", "figure", "n", "median", "min", "max", "p95"]
    assert first.split() == ["tradewind", "first", "5", "1.00", "0.50", "2.00", "2.00", "s"]
    assert first.index("1.00") + 4 == second.index("100") + 3


def test_a_ratio_names_both_sides():
    line = ratios_table([Compared(Ratio(("tradewind", "x"), ("stock", "y")), 0.456)])
    assert line == "tradewind: x  /  stock: y  =  0.46"


def test_no_ratios_are_no_text():
    assert ratios_table([]) == ""
