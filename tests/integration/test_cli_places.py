"""Data directories that cannot be used: `up` says why in one sentence, and leaves nothing behind."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import tradewind

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
Mount = Callable[[str], Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """A small file system in memory, with mount's options."""
    place = tmp_path / "place"
    place.mkdir()
    mounted = []

    def make(options: str) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield make
    for one in mounted:
        subprocess.run(["umount", one], check=True)


def _fill(file: int) -> None:
    for _ in range(64):
        os.write(file, b"\0" * 65_536)


def refused(data: Path, words: str) -> None:
    done = tradewind("up", "--detach", data=data)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, "one sentence"
    assert "Traceback" not in done.stderr


@needs_root
def test_a_read_only_place(mount: Mount) -> None:
    place = mount("ro")
    refused(place / "data", "Read-only file system")
    refused(place, "Read-only file system")


@needs_root
def test_a_full_disk(mount: Mount) -> None:
    place = mount("size=64m")
    refused(place / "data", "MB are free there")


@needs_root
def test_a_disk_without_a_single_byte(mount: Mount) -> None:
    place = mount("size=1m")
    data = place / "data"
    data.mkdir()
    filler = os.open(place / "filler", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space left"):
        _fill(filler)
    os.close(filler)
    refused(data, "No space left on device")


def test_a_folder_of_somebody_elses_things(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "letters.txt").write_text("dear")
    refused(tmp_path, "it holds other things")
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_file(tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.write_text("")
    refused(place, "cannot use the data directory")
