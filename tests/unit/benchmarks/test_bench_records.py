"""The record of a run: complete, without a name or a path of the machine."""

import json
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import Benchmark, Options, Ratio, Reading
from benchmarks.records import default_path, document

BENCHMARK = Benchmark(
    "B7",
    "deploy",
    ("tradewind", "stock"),
    lambda stage: iter(()),
    ratios=(Ratio(("tradewind", "new"), ("stock", "new")),),
)
READINGS = [
    Reading("B7", "tradewind", "new", "s", 99.0, 0, counted=False),
    Reading("B7", "tradewind", "new", "s", 2.0, 1),
    Reading("B7", "stock", "new", "s", 200.0, 1),
    Reading("B9", "stock", "PSS", "MB", 1.0, 1),
]


def test_it_holds_every_reading_and_what_follows_from_them():
    found = document([BENCHMARK], READINGS, Options(), machine={"cores": 2}, problem="")
    (section,) = found["benchmarks"]
    assert found["machine"] == {"cores": 2}
    assert len(section["readings"]) == 3  # the warm-up too, another benchmark's not
    assert section["ratios"] == [
        {"ours": ["tradewind", "new"], "other": ["stock", "new"], "statistic": "median", "value": 0.01}
    ]
    assert json.loads(json.dumps(found)) == found


def test_it_names_no_path():
    found = document([BENCHMARK], READINGS, Options(data_dir=Path("/somewhere/else"), environment="mine"), machine={})
    assert "somewhere" not in json.dumps(found)
    assert "mine" not in json.dumps(found)


def test_a_record_is_named_by_its_time_and_benchmarks():
    assert default_path(["B6", "B7"], datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)).name == "20250102T030405Z-B6-B7.json"
