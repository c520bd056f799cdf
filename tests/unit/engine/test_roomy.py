"""A recursion is as fast at every depth: no call lands on the edge of a chunk of frames."""

import json
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[3] / "airflow" / "src"
PAGES_AT_EACH_DEPTH = """
import json, resource, sys
from tradewind_airflow.roomy import with_room

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def below(depth, function):
    if depth:
        return below(depth - 1, function)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    fib(15)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

with_room(below, 400, fib)  # its memory is there
print(json.dumps([max(call(depth) for depth in range(300)) for call in (
    lambda depth: below(depth, fib), lambda depth: with_room(below, depth, fib))]))
"""


def test_calls_find_room_at_every_depth():
    done = subprocess.run(
        [sys.executable, "-c", PAGES_AT_EACH_DEPTH], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, check=True
    )
    without, with_room = json.loads(done.stdout)
    assert with_room < 20, "a page for each call at the edge"
    assert without > 100, "this Python has no edges any more: with_room is not needed"


def test_it_is_a_call_like_any_other():
    code = (
        "from tradewind_airflow.roomy import with_room\n"
        "assert with_room(int, '11', base=2) == 3\n"
        "try:\n    with_room(int, 'x')\nexcept ValueError as error:\n"
        "    import traceback\n    assert 'with_room' in traceback.format_exc()\nelse:\n    raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(SOURCE)}, check=True)
