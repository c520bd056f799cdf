"""Summaries as text: one table of figures, one of ratios. Pure."""

from collections.abc import Sequence

from benchmarks.summaries import Compared, Summary

_HEAD = ("contender", "figure", "n", "median", "min", "max", "p95", "")


def figures_table(summaries: Sequence[Summary]) -> str:
    """A line a figure."""
    rows = [
        (
            row.contender, row.figure, str(row.count), number(row.median), number(row.least), number(row.greatest),
            number(row.p95), row.unit,
        )
        for row in summaries
    ]  # fmt: skip
    return _aligned([_HEAD, *rows], numeric=range(2, 7))


def ratios_table(compared: Sequence[Compared]) -> str:
    """A line a ratio: 0.50 means half of the other's."""
    rows = [
        (f"{_named(row.ratio.ours)}", "/", f"{_named(row.ratio.other)}", "=", f"{row.value:.2f}") for row in compared
    ]
    return _aligned(rows, numeric=range(4, 5)) if rows else ""


def number(value: float) -> str:
    """Three figures that mean something: 0.12, 1.23, 12.3, 123."""
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def _named(side: tuple[str, str]) -> str:
    return f"{side[0]}: {side[1]}"


def _aligned(rows: Sequence[tuple[str, ...]], *, numeric: range) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
