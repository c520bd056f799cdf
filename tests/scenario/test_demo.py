"""What a newcomer runs first: the example's pipeline from nothing to its result, twice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, tradewind

pytestmark = pytest.mark.timeout(1500)


def run(data: Path) -> str:
    """What `make demo` prints, on a data directory of its own."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "weather" / "demo.py")],
        env={**os.environ, "TRADEWIND_DATA_DIR": str(data), "TRADEWIND_DEBUG": "1"},
        capture_output=True, text=True, timeout=600, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_runs_and_runs_again(data_root: Path) -> None:
    data = data_root / "demo"
    try:
        first = run(data)
        assert "MEAN °C" in first
        assert "https://" in first
        assert "The environment demo is there already" in run(data)
    finally:
        done = tradewind("down", data=data)
        assert done.returncode == 0, done.stderr
