"""B3: 200 independent trivial tasks in one DAG: time, and CPU milliseconds a task by kind of process.

CPU is the growth of the kernel's counters from just before the trigger to some seconds after the run's end, when every
task's process has been waited for; `benchmarks.attribution` says whose it is. What the contender uses at rest in those
seconds is in it. PostgreSQL's share is all of the server's but for backends that serve others.
"""

from collections.abc import Generator, Iterator

from benchmarks import workloads
from benchmarks.attribution import KINDS, attribute_growth
from benchmarks.installation import Installation
from benchmarks.looks import glance
from benchmarks.measuring import MILLISECONDS, SECONDS, Benchmark, Ratio, Reading
from benchmarks.racing import AIRFLOWS, MORE_AIRFLOWS, TIME, take_turns
from benchmarks.rounds import Turn
from benchmarks.runs import perform, rest, seconds_of, watcher
from benchmarks.stage import Stage

ALL, MACHINE = "CPU a task: all", "CPU a task: whole machine"
_REST_SECONDS = 3.0


def measure(stage: Stage) -> Generator[Reading, None, None]:
    """Turns."""
    smoke = stage.options.smoke

    def take(turn: Turn, installation: Installation) -> Iterator[Reading]:
        return _fan(stage, turn, installation)

    yield from take_turns(stage, "B3", workloads.standing(smoke=smoke), take)


def _fan(stage: Stage, turn: Turn, installation: Installation) -> Iterator[Reading]:
    workload = workloads.fan(smoke=stage.options.smoke)
    with watcher(installation) as watch:
        before = glance(stage.service, installation)
        runs = perform(installation, workload.ids, watch, tasks=workload.tasks)
        rest(1.0 if stage.options.smoke else _REST_SECONDS)
        after, foreign = glance(stage.service, installation), watch.foreign_backends()
    yield Reading("B3", turn.contender, TIME, SECONDS, seconds_of(installation, runs), turn.round, turn.counted)
    used = attribute_growth(before.members, after.members, foreign)
    figures = {f"CPU a task: {kind}": used[kind] for kind in KINDS}
    for figure, seconds in {**figures, ALL: sum(used.values()), MACHINE: after.machine - before.machine}.items():
        value = 1000 * seconds / workload.tasks
        yield Reading("B3", turn.contender, figure, MILLISECONDS, value, turn.round, turn.counted)


BENCHMARK = Benchmark(
    id="B3",
    title="fan: 200 x fib(10), independent",
    contenders=AIRFLOWS,
    optional=MORE_AIRFLOWS,
    measure=measure,
    ratios=tuple(
        Ratio(("tradewind", figure), (other, figure))
        for figure in (TIME, ALL)
        for other in (*AIRFLOWS[1:], *MORE_AIRFLOWS)
    ),
    notes=(
        "time: from the run's queued_at to its end_date, as the REST API tells them; five slots each",
        "CPU from the kernel's counters, milliseconds a task; a task's are with the slot that waited for it",
        "`service` is what Tradewind runs once for all environments of a host; it counts into its `all`",
        "`whole machine` is everything that ran meanwhile, this harness and the other contenders at rest too: a check",
    ),
)
