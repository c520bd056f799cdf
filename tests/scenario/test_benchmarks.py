"""The benchmark harness works: its smallest size, on the shared environment. No figure is judged here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Service


@pytest.mark.timeout(480)
def test_the_smallest_size_runs_and_leaves_the_environment_as_it_was(
    service: Service, environment: str, tmp_path: Path
) -> None:
    # memory of closed processes is for root to read
    asked = ["B1", "B3", "B5", "B7", "B10", *(["B9"] if os.geteuid() == 0 else [])]
    record = tmp_path / "record.json"
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "run.py"), *asked, "--smoke", "--json", str(record),
         "--data-dir", service.data_dir, "--environment", environment],
        capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert service.client().get_environment(Name=environment)["Environment"]["Status"] == "AVAILABLE"
    figures = {
        (section["id"], figure["figure"]): figure["median"]
        for section in json.loads(record.read_text())["benchmarks"]
        for figure in section["figures"]
    }
    assert set(asked) == {id_ for id_, _ in figures}
    # whoever forks a task must wait for it, or its time is in no counter and the figures say too little
    assert figures["B3", "CPU a task: task process"] > 0
