"""The benchmark harness works: its smallest size, on the shared environment. No figure is judged here."""

import os
import subprocess
import sys

from tests.conftest import ROOT, Service


def test_the_smallest_size_runs_and_leaves_the_environment_as_it_was(service: Service, environment: str) -> None:
    asked = ["B7", "B9"] if os.geteuid() == 0 else ["B7"]  # memory of closed processes is for root to read
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "run.py"), *asked, "--smoke",
         "--data-dir", service.data_dir, "--environment", environment],
        capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert service.client().get_environment(Name=environment)["Environment"]["Status"] == "AVAILABLE"
