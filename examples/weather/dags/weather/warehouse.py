"""The warehouse: one DuckDB file. DuckDB allows one writer at a time, so the DAG has one active run and one load task."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS days (
    day DATE PRIMARY KEY, precipitation DOUBLE, temp_max DOUBLE, temp_min DOUBLE, wind DOUBLE, weather VARCHAR,
    week_max DOUBLE, week_min DOUBLE);
CREATE OR REPLACE VIEW months AS
    SELECT date_trunc('month', day)::DATE AS month, sum(precipitation) AS rain_mm,
           avg(temp_max) AS mean_high, avg(temp_min) AS mean_low
    FROM days GROUP BY ALL;
CREATE OR REPLACE VIEW years AS
    SELECT year(day)::INTEGER AS year, count(*)::INTEGER AS days,
           round(avg((temp_max + temp_min) / 2), 1) AS mean_temperature,
           max(temp_max) AS hottest, strftime(arg_max(day, temp_max), '%Y-%m-%d') AS hottest_day,
           min(temp_min) AS coldest, strftime(arg_min(day, temp_min), '%Y-%m-%d') AS coldest_day,
           round(sum(precipitation), 1) AS rain_mm,
           count_if(precipitation > 0)::INTEGER AS wet_days,
           count_if(weather = 'snow')::INTEGER AS snow_days
    FROM days GROUP BY ALL;
"""


def load(warehouse: Path, partitions: Sequence[Path]) -> int:
    """Put partitions into the warehouse in one transaction; answers how many days it holds then.

    Days that are there already are replaced: loading the same partitions again changes nothing.
    """
    with _connect(warehouse) as connection:
        connection.execute(_SCHEMA)
        connection.begin()
        for partition in partitions:
            connection.execute("INSERT OR REPLACE INTO days SELECT * FROM read_parquet(?)", [str(partition)])
        connection.commit()
        ((count,),) = connection.execute("SELECT count(*) FROM days").fetchall()
    return count


def years(warehouse: Path) -> list[dict[str, Any]]:
    """One row a year: the result table."""
    return _rows(warehouse, "SELECT * FROM years ORDER BY year")


def months(warehouse: Path) -> list[dict[str, Any]]:
    """One row a month: for the picture."""
    return _rows(warehouse, "SELECT * FROM months ORDER BY month")


def days(warehouse: Path) -> list[dict[str, Any]]:
    """One row a day: for the picture."""
    return _rows(warehouse, "SELECT * FROM days ORDER BY day")


def _rows(warehouse: Path, query: str) -> list[dict[str, Any]]:
    with _connect(warehouse, read_only=True) as connection:
        result = connection.execute(query)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _connect(warehouse: Path, *, read_only: bool = False) -> Any:
    import duckdb

    return duckdb.connect(str(warehouse), read_only=read_only, config={"autoinstall_known_extensions": "false"})
