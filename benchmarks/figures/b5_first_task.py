"""B5: from the moment just before a trigger is sent until the task starts, by the task instance's `start_date`.

The trigger goes through each side's own door (InvokeRestApi here, the REST API there). Contenders take turns, a sample
each. A sample begins at a moment of its own after the last one, so that it does not always meet the same moment of
a scheduler's loop, which sleeps for a second at stock.
"""

import random
import time
from collections.abc import Generator, Iterator
from datetime import UTC, datetime

from benchmarks import workloads
from benchmarks.installation import Installation
from benchmarks.measuring import SECONDS, Benchmark, Ratio, Reading
from benchmarks.racing import AIRFLOWS, MORE_AIRFLOWS, take_turns
from benchmarks.rounds import Turn, phases
from benchmarks.runs import perform, start_of, watcher
from benchmarks.stage import Stage

FIGURE = "trigger to start"
_SPREAD_SECONDS = 2.0


def measure(stage: Stage) -> Generator[Reading, None, None]:
    """Turns of one sample each."""
    options = stage.options
    samples = options.first_samples
    chance = random.Random(options.seed)
    pauses = {name: phases(samples + 1, _SPREAD_SECONDS, chance) for name in stage.contenders}

    def take(turn: Turn, installation: Installation) -> Iterator[Reading]:
        time.sleep(0.0 if options.smoke else pauses[turn.contender][turn.round])
        seconds = _sample(installation)
        yield Reading("B5", turn.contender, FIGURE, SECONDS, seconds, turn.round, turn.counted)

    yield from take_turns(stage, "B5", workloads.standing(smoke=options.smoke), take, runs=samples)


def _sample(installation: Installation) -> float:
    workload = workloads.single()
    with watcher(installation) as watch:
        began = datetime.now(UTC)
        (run,) = perform(installation, workload.ids, watch, tasks=workload.tasks)
    return (start_of(installation, run) - began).total_seconds()


BENCHMARK = Benchmark(
    id="B5",
    title="first task: trigger to the task's start",
    contenders=AIRFLOWS,
    optional=MORE_AIRFLOWS,
    measure=measure,
    ratios=tuple(
        Ratio(("tradewind", FIGURE), (other, FIGURE), statistic)
        for statistic in ("median", "p95")
        for other in (*AIRFLOWS[1:], *MORE_AIRFLOWS)
    ),
    notes=(
        "from just before the trigger's request is sent, by this machine's clock, to the task instance's start_date",
        "the trigger goes through InvokeRestApi (signature, proxy, control plane) here, straight to the API at stock",
    ),
)
