"""Tables: aligned, with numbers that keep three figures."""

import pytest

from benchmarks.measuring import Ratio
from benchmarks.summaries import Compared, Summary
from benchmarks.tables import figures_table, in_words, number, ratios_table


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


OURS = Summary("B1", "tradewind", "time", "s", 5, 4.5, 4.0, 5.0, 4.9)
OTHER = Summary("B1", "stock", "time", "s", 4, 45.0, 44.0, 46.0, 50.0)


def test_a_ratio_is_a_row_of_markdown_with_both_sides():
    *_, row = ratios_table("B1", [Compared(Ratio(("tradewind", "time"), ("stock", "time")), 0.1, OURS, OTHER)]).split(
        "\n"
    )
    assert row == (
        "| B1 | time | tradewind: 4.50 s (4.00 to 5.00) | stock: 45.0 s (44.0 to 46.0) | 0.10 | 10.0 x faster | 5, 4 |"
    )


def test_another_statistic_or_figure_is_named():
    other = Summary("B1", "stock", "first", "s", 4, 45.0, 44.0, 46.0, 49.0)
    ratio = Ratio(("tradewind", "time"), ("stock", "first"), "p95")
    *_, row = ratios_table("B1", [Compared(ratio, 0.1, OURS, other)]).split("\n")
    assert row == "| B1 | time, p95 | tradewind: 4.90 s | stock, first: 49.0 s | 0.10 | 10.0 x faster | 5, 4 |"


@pytest.mark.parametrize(
    ("ratio", "unit", "words"),
    [
        (0.5, "s", "2.00 x faster"), (2.0, "s", "2.00 x slower"), (1.0, "s", "1.00 x slower"),
        (0.25, "ms", "4.00 x less"), (3.0, "MB", "3.00 x more"), (0.0, "%", "less"),
        (3.0, "/s", "3.00 x more"), (0.5, "/s", "2.00 x fewer"), (0.9, "", ""),
    ],
)  # fmt: skip
def test_a_ratio_in_words_goes_by_what_is_better(ratio, unit, words):
    assert in_words(ratio, unit) == words


def test_no_ratios_are_no_text():
    assert ratios_table("B1", []) == ""
