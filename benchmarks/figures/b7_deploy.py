"""B7: how long until a deployed DAG file counts.

A new file: from the moment it lies in the bucket (the DAG folder at stock) until `POST /dags/ID/dagRuns` succeeds.
A changed file: until a task that the change adds is in `GET /dags/ID/tasks`, which needs a parse and what comes after
it; the DAG has a run of the earlier version by then. Both are asked every 0.1 s, through each side's own door.

Each round has a fresh installation of each contender in turn, never two at once: none disturbs another. A sample
starts at a moment of its own: right after the one before it, it would always meet the same moment of the folder
listing's clock. `stock` with its defaults lists every 300 s, so it takes few samples, one a round, and no warm-up.
"""

import random
import time
import uuid
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from benchmarks import dags
from benchmarks.installation import Installation
from benchmarks.measuring import SECONDS, Benchmark, Ratio, Reading
from benchmarks.rounds import Turn, interleave_unequal, phases, shares
from benchmarks.stage import Stage
from benchmarks.watching import seconds_until

NEW, CHANGED = "new file: can be triggered", "changed file: its new task is there"


@dataclass(frozen=True)
class Pace:
    """How long a contender's clocks may take: what a sample waits at random before, and how long it is watched.

    A change comes when the last write is longer ago than stock's `min_serialized_dag_update_interval` (30 s), as it
    mostly is when people change a file: in stock's favour.
    """

    new_within: float
    change_after: float
    limit: float


_QUICK = Pace(new_within=3, change_after=2, limit=120)
_PACES = {"tradewind": _QUICK, "stock-fast": _QUICK, "stock": Pace(new_within=300, change_after=31, limit=480)}
_CHANGE_SPREAD = 3.0


def measure(stage: Stage) -> Generator[Reading, None, None]:
    """Rounds of fresh installations, some samples in each."""
    stage.clear()
    options = stage.options
    quick = shares(options.samples, options.runs)
    slow = [1] * options.default_samples
    samples = {name: slow if name == "stock" else quick for name in stage.contenders}
    chance = random.Random(options.seed)
    waits = {
        name: phases(sum(counts), 0.0 if options.smoke else _PACES[name].new_within, chance)
        for name, counts in samples.items()
    }
    for turn in interleave_unequal({name: len(counts) for name, counts in samples.items()}):
        count = samples[turn.contender][turn.round - 1]
        pauses = [waits[turn.contender].pop() for _ in range(count)]
        what = f"B7 round {turn.round}: {turn.contender}"
        stage.say(f"{what}, {count} samples")
        yield from stage.guarded(what, _round(stage, turn, pauses, chance))


def _round(stage: Stage, turn: Turn, pauses: Sequence[float], chance: random.Random) -> Iterator[Reading]:
    """A fresh installation and its samples, one that does not count before them."""
    smoke = stage.options.smoke
    with stage.installation(turn.contender) as installation:
        if turn.contender != "stock" and not smoke:
            yield from _sample(installation, Turn(turn.contender, turn.round, counted=False), 0.0, 0.0)
        for pause in pauses:
            after = 0.0 if smoke else _PACES[turn.contender].change_after + chance.random() * _CHANGE_SPREAD
            yield from _sample(installation, turn, pause, after)


def _sample(installation: Installation, turn: Turn, pause: float, change_after: float) -> Iterator[Reading]:
    """One new file, then a change of it."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    limit = _PACES[turn.contender].limit
    try:
        time.sleep(pause)
        installation.put(f"{name}.py", dags.paused(name, "first"))
        new = seconds_until(lambda: _triggers(installation, name), limit=limit, what=f"{name} to be known")
        yield Reading("B7", turn.contender, NEW, SECONDS, new, turn.round, turn.counted)
        time.sleep(change_after)
        installation.put(f"{name}.py", dags.paused(name, "first", "added"))
        changed = seconds_until(lambda: _has_task(installation, name), limit=limit, what=f"{name} to change")
        yield Reading("B7", turn.contender, CHANGED, SECONDS, changed, turn.round, turn.counted)
    finally:
        installation.remove(f"{name}.py")


def _triggers(installation: Installation, dag: str) -> bool:
    return installation.call("POST", f"/dags/{dag}/dagRuns", {"logical_date": None}).is_fine


def _has_task(installation: Installation, dag: str) -> bool:
    answer = installation.call("GET", f"/dags/{dag}/tasks")
    return answer.is_fine and any(task["task_id"] == "added" for task in answer.document["tasks"])


BENCHMARK = Benchmark(
    id="B7",
    title="deploy: a new DAG file until it can be triggered, a changed one until its new task is there",
    contenders=("tradewind", "stock", "stock-fast"),
    measure=measure,
    ratios=tuple(
        Ratio(("tradewind", figure), (other, figure)) for figure in (NEW, CHANGED) for other in ("stock-fast", "stock")
    ),
    notes=(
        "stock lists its DAG folder every 300 s (default), so its samples are few and begin spread over those 300 s",
        "stock-fast: refresh_interval=1, bundle_refresh_check_interval=1, min_serialized_dag_update_interval=0",
        "files appear whole, by a rename; Tradewind still waits half a second for them to be still",
        "a changed file counts when the REST API lists the added task; both sides need a parse for it",
    ),
)
