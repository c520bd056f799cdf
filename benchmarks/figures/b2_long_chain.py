"""B2: ten tasks of about half a second in a line, from the run's queued time to its end.

The work itself is the same on all sides and most of what remains: no way between tasks can make it shorter.
"""

from collections.abc import Generator

from benchmarks import workloads
from benchmarks.figures.b1_chain import CONTENDERS, NOTES, RATIOS
from benchmarks.measuring import Benchmark, Reading
from benchmarks.racing import MORE_AIRFLOWS, race
from benchmarks.stage import Stage


def measure(stage: Stage) -> Generator[Reading, None, None]:
    """Turns."""
    smoke = stage.options.smoke
    yield from race(stage, "B2", workloads.long_chain(smoke=smoke), workloads.standing(smoke=smoke))


BENCHMARK = Benchmark(
    id="B2",
    title="long chain: 10 x fib(33) in a line",
    contenders=CONTENDERS,
    optional=MORE_AIRFLOWS,
    measure=measure,
    ratios=RATIOS,
    notes=NOTES,
)
