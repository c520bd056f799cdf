"""The example's plain functions. What needs DuckDB and matplotlib is run by the DAGs themselves."""

import ast
import datetime as dt
import importlib
from pathlib import Path

import pytest

DAGS = Path(__file__).parents[3] / "examples" / "weather" / "dags"
HEAVY = {"duckdb", "matplotlib", "pandas", "numpy", "vega_datasets"}


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(DAGS))
    return lambda name: importlib.import_module(f"weather.{name}")


def a_year(year=2015, **changed):
    """CSV text of a good year; `changed` replaces the line of a day by its number."""
    first = dt.date(year, 1, 1)
    lines = ["date,precipitation,temp_max,temp_min,wind,weather"]
    for number in range((dt.date(year + 1, 1, 1) - first).days):
        day = first + dt.timedelta(days=number)
        lines.append(changed.get(f"day{number}", f"{day:%Y/%m/%d},0.0,12.8,5.0,4.7,drizzle"))
    return "\n".join(line for line in lines if line is not None) + "\n"


def test_a_good_year_has_no_problem(module):
    quality = module("checks").check(a_year(2012))
    assert (quality.rows, quality.years, quality.problems) == (366, (2012,), ())


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2015/01/03,,12.8,5.0,4.7,rain", "precipitation is empty"),
        ("2015/01/03,x,12.8,5.0,4.7,rain", "'x', which is no number"),
        ("2015/01/03,nan,12.8,5.0,4.7,rain", "not between"),
        ("2015/01/03,0,99,5.0,4.7,rain", "temp_max is 99.0"),
        ("2015/01/03,0,5,6,4.7,rain", "temp_min is above temp_max"),
        ("2015/01/03,0,5,4,4.7,frogs", "'frogs'"),
        ("2015/01/03,0,5,4,4.7", "weather is empty"),
        ("2015/01/03,0,5,4,4.7,rain,more", "more values than columns"),
        ("2015/02/30,0,5,4,4.7,rain", "'2015/02/30' is no date"),
        ("2015/01/02,0,5,4,4.7,rain", "2015-01-02 is on line 3 already"),
        (None, "2015: 1 days are missing, the first is 2015-01-03"),
    ],
)
def test_a_day_that_cannot_be_true_is_named(module, line, problem):
    assert problem in "\n".join(module("checks").check(a_year(day2=line)).problems)


def test_a_file_that_is_something_else_is_refused(module):
    for text in ("", "a,b\n1,2\n", "date,precipitation,temp_max,temp_min,wind,weather\n"):
        assert module("checks").check(text).problems


def test_a_delivery_is_whole_when_two_looks_agree(module):
    source = module("source")
    now = source.fingerprint(b"whole")
    for before in (None, source.fingerprint(b"who")):
        with pytest.raises(source.NotSettled):
            source.require_settled(now, before)
    source.require_settled(now, now)


def test_the_table_has_a_line_for_each_year(module):
    report = module("report")
    row = dict.fromkeys(report.COLUMNS, 1)
    lines = report.markdown([{**row, "year": 2014}, {**row, "year": 2015}]).splitlines()
    assert [line.split("|")[1].strip() for line in lines[-2:]] == ["2014", "2015"]


def test_an_environment_without_a_bucket_says_so(module, monkeypatch):
    storage = module("storage")
    monkeypatch.delenv(storage.VARIABLE, raising=False)
    with pytest.raises(RuntimeError, match="TRADEWIND_BUCKET_URL is not set"):
        storage.bucket()


@pytest.mark.parametrize("file", sorted(DAGS.rglob("*.py")), ids=lambda path: path.name)
def test_nothing_heavy_is_imported_when_a_file_is_read(file):
    top = ast.parse(file.read_text(encoding="utf-8")).body
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in top if isinstance(node, ast.ImportFrom)}
    assert not {name.split(".")[0] for name in names} & HEAVY
