"""B1: 40 trivial Python tasks in a line, from the run's queued time to its end.

What is measured is the way from one task to the next: the tasks do next to nothing.
"""

from collections.abc import Generator

from benchmarks import workloads
from benchmarks.measuring import Benchmark, Ratio, Reading
from benchmarks.others import PLAYERS
from benchmarks.racing import AIRFLOWS, MORE_AIRFLOWS, TIME, race
from benchmarks.stage import Stage

CONTENDERS = (*AIRFLOWS, *PLAYERS)
RATIOS = tuple(Ratio(("tradewind", TIME), (other, TIME)) for other in (*CONTENDERS[1:], *MORE_AIRFLOWS))
NOTES = (
    "Airflow's contenders: from the run's queued_at to its end_date, as the REST API tells them; five slots each",
    "tradewind is an mw1.micro environment with five slots and one scheduler, as stock has",
    "phases: medians over a run's tasks, by Airflow's stamps; a task's end is stamped before it is sent to the server",
    "all contenders are up; those whose turn it is not are at rest",
    "prefect: one process without isolation (a task is a call in the flow's process and thread), a server on SQLite",
    "dagster: a process for each op, its default; dagster-in-process: one process without isolation; both on SQLite",
    "prefect and dagster: from the run's creation to its end by their own records; imports are over",
)


def measure(stage: Stage) -> Generator[Reading, None, None]:
    """Turns."""
    smoke = stage.options.smoke
    yield from race(stage, "B1", workloads.chain(smoke=smoke), workloads.standing(smoke=smoke), in_a_line=True)


BENCHMARK = Benchmark(
    id="B1",
    title="chain: 40 x fib(10) in a line",
    contenders=CONTENDERS,
    optional=MORE_AIRFLOWS,
    measure=measure,
    ratios=RATIOS,
    notes=NOTES,
)
