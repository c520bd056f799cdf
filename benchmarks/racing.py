"""The same work at every contender in turn (A B C A B C), timed by each one's own records: B1, B2, B4.

All contenders are up at once and at rest but for the one whose turn it is. Starting them anew for each turn would cost
minutes and meet cold caches; at rest each costs a few percent of one core, and every one has the others beside it.
"""

from collections.abc import Callable, Generator, Iterator, Mapping

from benchmarks.installation import Installation
from benchmarks.measuring import MILLISECONDS, SECONDS, Reading
from benchmarks.others import PLAYERS
from benchmarks.rounds import Turn, interleave
from benchmarks.runs import perform, seconds_of, watcher
from benchmarks.stage import Stage
from benchmarks.workloads import Workload

TIME = "queued to end"
AIRFLOWS = ("tradewind", "stock-local", "stock-celery")
# when they are named
MORE_AIRFLOWS = ("tradewind-stock-engine", "tradewind-no-zygotes", "tradewind-2-schedulers", "stock-celery-2")
Take = Callable[[Turn, Installation], Iterator[Reading]]


def race(
    stage: Stage, id_: str, workload: Workload, files: Mapping[str, str], *, in_a_line: bool = False
) -> Generator[Reading, None, None]:
    """Rounds of turns after a warm-up each. `files`: the DAGs that the installations must know.

    `in_a_line`: the tasks of a run follow one another, and the parts of the way from one to the next are told too.
    """

    def take(turn: Turn, installation: Installation) -> Iterator[Reading]:
        with watcher(installation) as watch:
            runs = perform(installation, workload.ids, watch, tasks=workload.tasks)
            yield _reading(id_, turn, seconds_of(installation, runs))
            for phase, seconds in watch.phases(runs).items() if in_a_line else ():
                yield Reading(id_, turn.contender, phase, MILLISECONDS, 1000 * seconds, turn.round, turn.counted)

    yield from take_turns(stage, id_, files, take, workload=workload)


def take_turns(
    stage: Stage,
    id_: str,
    files: Mapping[str, str],
    take: Take,
    *,
    workload: Workload | None = None,
    runs: int | None = None,
) -> Generator[Reading, None, None]:
    """Give every contender its turns; those that are no Airflow run the `workload`."""
    airflows = stage.side_by_side([name for name in stage.contenders if name not in PLAYERS], files)
    there = [name for name in stage.contenders if name in airflows or name in PLAYERS]
    rounds = stage.options.runs if runs is None else runs
    for turn in interleave(there, rounds, warm_up=not stage.options.smoke):
        what = f"{id_} round {turn.round}: {turn.contender}"
        stage.say(what)
        if turn.contender in airflows:
            yield from stage.guarded(what, take(turn, airflows[turn.contender]))
        elif workload is not None:
            yield from stage.guarded(what, _play(stage, id_, turn, workload))


def run_once(installation: Installation, workload: Workload) -> float:
    """Seconds from the first run's queued time to the last one's end."""
    with watcher(installation) as watch:
        return seconds_of(installation, perform(installation, workload.ids, watch, tasks=workload.tasks))


def _play(stage: Stage, id_: str, turn: Turn, workload: Workload) -> Iterator[Reading]:
    yield _reading(id_, turn, stage.player(turn.contender).seconds(workload))


def _reading(id_: str, turn: Turn, seconds: float) -> Reading:
    return Reading(id_, turn.contender, TIME, SECONDS, seconds, turn.round, turn.counted)
