"""B4: ten DAGs of a hundred trivial tasks, in ten lines of ten each, all triggered at once.

Time is from the first run's queued time to the last one's end. There is always more to do than there are slots, and
each task that ends makes another one ready.
"""

from collections.abc import Generator

from benchmarks import workloads
from benchmarks.measuring import Benchmark, Ratio, Reading
from benchmarks.racing import AIRFLOWS, MORE_AIRFLOWS, TIME, race
from benchmarks.stage import Stage


def measure(stage: Stage) -> Generator[Reading, None, None]:
    """Turns."""
    workload = workloads.fleet(smoke=stage.options.smoke)
    yield from race(stage, "B4", workload, workload.files())


BENCHMARK = Benchmark(
    id="B4",
    title="fleet: 10 DAGs x 100 x fib(10), in lines of 10, triggered at once",
    contenders=AIRFLOWS,
    optional=MORE_AIRFLOWS,
    measure=measure,
    ratios=tuple(Ratio(("tradewind", TIME), (other, TIME)) for other in (*AIRFLOWS[1:], *MORE_AIRFLOWS)),
    notes=(
        "from the first run's queued_at to the last one's end_date, as the REST API tells them; five slots each",
        "one file a DAG; every installation parses its ten files every 30 s, at rest too",
    ),
)
