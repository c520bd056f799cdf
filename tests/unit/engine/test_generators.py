"""Generators that are made without a seed draw other numbers in each fork; those with a seed do not."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

from tradewind_airflow.engine import generators

SOURCE = Path(__file__).parents[3] / "airflow" / "src"
FORKS = """
import json, os, random
from tradewind_airflow.engine import generators
with generators.remembering():
    unseeded, seeded, system = random.Random(), random.Random(3), random.SystemRandom()
later = random.Random()
def drawn():
    reading, writing = os.pipe()
    if os.fork() == 0:
        generators.draw_anew()
        os.write(writing, json.dumps([unseeded.random(), seeded.random(), later.random()]).encode())
        os._exit(0)
    os.wait()
    return json.loads(os.read(reading, 1000))
print(json.dumps([drawn(), drawn()]))
"""


def test_a_fork_draws_its_own_numbers_where_no_seed_was_given():
    done = subprocess.run(
        [sys.executable, "-c", FORKS], env={"PYTHONPATH": str(SOURCE), **os.environ}, capture_output=True, check=True
    )
    one, other = json.loads(done.stdout)
    assert one[0] != other[0]
    assert one[1] == other[1] == random.Random(3).random(), "it has a seed: it repeats itself"
    assert one[2] == other[2], "nobody remembered it"


def test_afterwards_a_generator_is_made_as_ever():
    seed = random.Random.seed
    with generators.remembering():
        assert random.Random.seed is not seed
    assert random.Random.seed is seed
