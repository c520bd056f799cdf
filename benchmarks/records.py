"""One run as a JSON document: every reading, what follows from them, on what machine, with which versions.

The document names no host, user or path, so that it can be put beside the code.
"""

import dataclasses
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measuring import Benchmark, Options, Reading
from benchmarks.summaries import compare, summarize

RESULTS = Path(__file__).parent / "results"


def document(
    benchmarks: Sequence[Benchmark], readings: Sequence[Reading], options: Options, **facts: Any
) -> dict[str, Any]:
    """The whole record. `facts`: machine, versions, loads, times, what went wrong."""
    asked = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in dataclasses.asdict(options).items()
        if key not in {"data_dir", "environment"}
    }
    found = []
    for benchmark in benchmarks:
        own = [reading for reading in readings if reading.benchmark == benchmark.id]
        summaries = summarize(own)
        found.append(
            {
                "id": benchmark.id,
                "title": benchmark.title,
                "notes": list(benchmark.notes),
                "figures": [dataclasses.asdict(summary) for summary in summaries],
                "ratios": [
                    {
                        "ours": list(row.ratio.ours),
                        "other": list(row.ratio.other),
                        "statistic": row.ratio.statistic,
                        "value": row.value,
                    }
                    for row in compare(summaries, benchmark.ratios)
                ],
                "readings": [dataclasses.asdict(reading) for reading in own],
            }
        )
    return {**facts, "options": asked, "benchmarks": found}


def default_path(ids: Sequence[str], now: datetime) -> Path:
    """Where a run is kept when nobody says: `results/<UTC time>-<ids>.json`."""
    return RESULTS / f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{'-'.join(ids)}.json"


def save(path: Path, record: dict[str, Any]) -> None:
    """Write it as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".new")
    scratch.write_text(json.dumps(record, indent=1) + "\n")
    scratch.replace(path)
