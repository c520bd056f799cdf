"""Is this CSV file Seattle's weather, every day of it, with values that can be true?"""

import csv
import datetime as dt
import io
from dataclasses import dataclass

COLUMNS = ("date", "precipitation", "temp_max", "temp_min", "wind", "weather")
RANGES = {  # what Seattle has ever seen, with room to spare
    "precipitation": (0.0, 200.0),  # mm a day
    "temp_max": (-20.0, 45.0),  # degrees Celsius
    "temp_min": (-25.0, 35.0),
    "wind": (0.0, 40.0),  # m/s
}
KINDS = frozenset({"drizzle", "fog", "rain", "snow", "sun"})


@dataclass(frozen=True)
class Quality:
    """What a check found. No problems means that the file may be used."""

    rows: int
    years: tuple[int, ...]
    problems: tuple[str, ...]


def check(text: str) -> Quality:
    """Columns, nulls, numbers, ranges, kinds of weather, duplicates, and that no day of any year is missing."""
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        return Quality(0, (), (f"the columns are {reader.fieldnames}, not {list(COLUMNS)}",))
    problems: list[str] = []
    days: dict[dt.date, int] = {}
    rows = 0
    for line, row in enumerate(reader, start=2):
        rows += 1
        problems += (f"line {line}: {problem}" for problem in _check_row(row))
        try:
            day = dt.datetime.strptime(row["date"] or "", "%Y/%m/%d").date()
        except ValueError:
            problems.append(f"line {line}: {row['date']!r} is no date")
            continue
        if day in days:
            problems.append(f"line {line}: {day} is on line {days[day]} already")
        days.setdefault(day, line)
    years = tuple(sorted({day.year for day in days}))
    if not years:
        problems.append("there is no day in it")
    for year in years:
        missing = _days_of(year) - days.keys()
        if missing:
            problems.append(f"{year}: {len(missing)} days are missing, the first is {min(missing)}")
    return Quality(rows, years, tuple(problems))


def _check_row(row: dict[str | None, str | None]) -> list[str]:
    problems = []
    if None in row:
        problems.append("there are more values than columns")
    empty = [name for name in COLUMNS if not (row.get(name) or "").strip()]
    if empty:
        return [*problems, f"{', '.join(empty)} is empty"]
    numbers = {}
    for name, (lowest, highest) in RANGES.items():
        try:
            numbers[name] = float(row[name] or "")
        except ValueError:
            problems.append(f"{name} is {row[name]!r}, which is no number")
            continue
        if not lowest <= numbers[name] <= highest:  # a NaN fails here too
            problems.append(f"{name} is {numbers[name]}, which is not between {lowest} and {highest}")
    if {"temp_min", "temp_max"} <= numbers.keys() and numbers["temp_min"] > numbers["temp_max"]:
        problems.append("temp_min is above temp_max")
    if row["weather"] not in KINDS:
        problems.append(f"weather is {row['weather']!r}, which is not one of {', '.join(sorted(KINDS))}")
    return problems


def _days_of(year: int) -> set[dt.date]:
    first, next_first = dt.date(year, 1, 1), dt.date(year + 1, 1, 1)
    return {first + dt.timedelta(days=number) for number in range((next_first - first).days)}
