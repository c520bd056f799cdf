"""Summaries as text: one table of figures, and one of ratios in Markdown, to be pasted as it is. Pure."""

from collections.abc import Sequence

from benchmarks.measuring import Ratio
from benchmarks.summaries import Compared, Summary, value_of

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


def ratios_table(id_: str, compared: Sequence[Compared]) -> str:
    """A row a ratio: 0.50 means half of the other's; the last columns say the same in words, and how many rounds."""
    if not compared:
        return ""
    lines = ["| id | figure | ours | other | ratio | that is | n |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for row in compared:
        (ours, figure), (other, others) = row.ratio.ours, row.ratio.other
        named = figure if row.ratio.statistic == "median" else f"{figure}, {row.ratio.statistic}"
        beside = other if figure == others else f"{other}, {others}"
        cells = (
            id_, named, f"{ours}: {_value(row.ours, row.ratio)}", f"{beside}: {_value(row.other, row.ratio)}",
            f"{row.value:.2f}", in_words(row.value, row.ours.unit), f"{row.ours.count}, {row.other.count}",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def in_words(ratio: float, unit: str) -> str:
    """Ours by the other's: `10.0 x faster`. Of time less is faster, of memory and CPU less, of requests more."""
    if unit == "":
        return ""
    less, more = {"s": ("faster", "slower"), "/s": ("fewer", "more")}.get(unit, ("less", "more"))
    if ratio <= 0:
        return less
    return f"{number(1 / ratio)} x {less}" if ratio < 1 else f"{number(ratio)} x {more}"


def _value(summary: Summary, ratio: Ratio) -> str:
    """`4.20 s (4.00 to 4.50)`: the median with its spread, another statistic alone."""
    text = f"{number(value_of(summary, ratio))} {summary.unit}".strip()
    spread = f" ({number(summary.least)} to {number(summary.greatest)})"
    return text + (spread if ratio.statistic == "median" and summary.count > 1 else "")


def number(value: float) -> str:
    """Three figures that mean something: 0.12, 1.23, 12.3, 123."""
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


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
