"""Large pages, in a process of its own: what is in memory stays, and nothing becomes shared that was not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "airflow" / "src"
DRIVER = """
import json, mmap, os
from tradewind_airflow.preload import pages
full = mmap.mmap(-1, 16 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
full.write(os.urandom(1 << 20) * 16)
before = bytes(full)
sparse = mmap.mmap(-1, 16 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for place in range(0, 16 << 20, 1 << 20):
    sparse[place] = 1
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * mmap.PAGESIZE
resting = resident()
enlarged = pages.enlarge()
grown = resident() - resting
pid = os.fork()
if pid == 0:
    full[0:4] = b"mine"
    os._exit(0 if full[4:] == before[4:] else 1)
status = os.waitpid(pid, 0)[1]
print(json.dumps([enlarged, grown, status, bytes(full) == before, pages.enlarge() >= 0]))
"""


@pytest.fixture(scope="module")
def seen() -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", DRIVER], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_full_stretches_become_large_where_the_kernel_can(seen):
    if not seen[0]:
        pytest.skip("this kernel makes no large pages on demand")
    assert seen[0] >= 8 << 20  # of 16 MiB that begin anywhere; the kernel may leave some out


def test_stretches_with_little_in_them_stay_as_they_are(seen):
    assert seen[1] < 8 << 20, "16 MiB of holes would have become memory"


def test_what_was_there_is_there_and_a_fork_writes_to_its_own(seen):
    assert seen[2:4] == [0, True]
