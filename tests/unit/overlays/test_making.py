"""An overlay in the making: seeds go in and out again, and what is left is compiled."""

import importlib.metadata
import shutil
import subprocess
import sys

import pytest

from tradewind_airflow import overlays
from tradewind_airflow.overlays import making


def test_seeds_stand_for_the_runtimes_packages_and_go_again(tmp_path):
    overlay = tmp_path / "overlay"
    making.seed(overlay)
    version = importlib.metadata.version("pytest")
    assert importlib.metadata.distribution("pytest").version == version
    found = next(iter(importlib.metadata.distributions(name="pytest", path=[str(overlay)])))
    assert (found.version, found.read_text("RECORD")) == (version, None)
    (overlay / "cow.py").write_text("WORD = 'moo'\n")
    (overlay / "cow-1.dist-info").mkdir()
    (overlay / "cow-1.dist-info" / "INSTALLER").write_text("uv")
    (overlay / ".lock").touch()
    making.finish(overlay)
    assert sorted(path.name for path in overlay.iterdir()) == ["__pycache__", "cow-1.dist-info", "cow.py"]


def test_what_is_compiled_counts_whatever_the_modification_time(tmp_path):
    (tmp_path / "cow.py").write_text("WORD = 'moo'\nWHERE = (lambda: 0).__code__.co_filename\n")
    making.finish(tmp_path)
    moved = shutil.copytree(tmp_path, tmp_path.with_name("moved"), copy_function=shutil.copyfile)
    (moved / "cow.py").write_text("raise SystemExit('it was read')\n")
    program = "import cow; print(cow.WORD, cow.WHERE)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=moved, capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout == f"moo {moved / 'cow.py'}\n"


def test_a_seeded_folder_is_not_seeded_again(tmp_path):
    making.seed(tmp_path)
    for found in making.seeds(tmp_path):
        shutil.rmtree(found)
    making.seed(tmp_path)
    assert not list(making.seeds(tmp_path))


@pytest.mark.parametrize("named", [True, False])
def test_what_it_names_is_looked_at_last(monkeypatch, tmp_path, named):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("TRADEWIND_OVERLAY", raising=False)
    before = list(sys.path)
    if named:
        monkeypatch.setenv("TRADEWIND_OVERLAY", str(tmp_path))
    overlays.see()
    overlays.see()
    assert sys.path == [*before, str(tmp_path)] if named else before
