"""B11: how cost grows with size: B4 at 1, 2, 4 and 8 times its DAGs, B10 at 10, 100 and 1,000 environments.

What is told is the exponent of a power law fitted through the sizes: 1 where twice the work takes twice the time. A
fleet's cost is the seconds of all its tasks, the API's the seconds of one request at full load.

Fleets: one installation at a time, with the files of the largest fleet from the start, so that all sizes meet the same
parsing; first the smallest fleet as a warm-up, then all sizes, smallest first.
"""

from collections.abc import Generator, Iterator, Sequence

from benchmarks import workloads
from benchmarks.doors import door
from benchmarks.figures.b10_api import CONNECTIONS, CONTENDERS, GET, LIST
from benchmarks.growth import exponent
from benchmarks.measuring import EXPONENT, MILLISECONDS, SECONDS, Benchmark, CannotMeasure, Ratio, Reading
from benchmarks.racing import AIRFLOWS, MORE_AIRFLOWS, run_once
from benchmarks.rounds import Turn, interleave
from benchmarks.stage import Stage
from benchmarks.traffic import drive

FLEET = "fleets: exponent of time"
API = {what: f"{what}: exponent of time" for what in (GET, LIST)}
_STORED, _STORED_SMOKE = (10, 100, 1_000), (5, 10)


def measure(stage: Stage) -> Generator[Reading, None, None]:
    """Fleets of every Airflow, then the APIs."""
    stage.clear()
    fleets = [name for name in stage.contenders if name in (*AIRFLOWS, *MORE_AIRFLOWS)]
    apis = [name for name in stage.contenders if name in CONTENDERS]
    for turn in interleave(fleets, stage.options.grow_runs, warm_up=False):
        what = f"B11 round {turn.round}: fleets of {turn.contender}"
        stage.say(what)
        yield from stage.guarded(what, _fleets(stage, turn))
    for turn in interleave(apis, stage.options.grow_runs, warm_up=False):
        what = f"B11 round {turn.round}: API of {turn.contender}"
        stage.say(what)
        yield from stage.guarded(what, _api(stage, turn))


def _fleets(stage: Stage, turn: Turn) -> Iterator[Reading]:
    smoke = stage.options.smoke
    sizes = [workloads.fleet(smoke=smoke, times=times) for times in stage.options.times]
    costs: dict[int, Sequence[float]] = {}
    with stage.engine(turn.contender, sizes[-1].files()) as installation:
        if not smoke:
            run_once(installation, sizes[0])
        for fleet in sizes:
            seconds = run_once(installation, fleet)
            costs[fleet.tasks] = [seconds]
            figure = f"fleets: {fleet.dags} DAGs of {fleet.tasks // fleet.dags} tasks"
            yield Reading("B11", turn.contender, figure, SECONDS, seconds, turn.round, turn.counted)
    yield Reading("B11", turn.contender, FLEET, EXPONENT, exponent(costs), turn.round, turn.counted)


def _api(stage: Stage, turn: Turn) -> Iterator[Reading]:
    if stage.options.data_dir is not None:
        raise CannotMeasure("cannot measure how the API grows: rows are stored in no service that somebody else uses")
    sizes = _STORED_SMOKE if stage.options.smoke else _STORED
    costs: dict[str, dict[int, Sequence[float]]] = {GET: {}, LIST: {}}
    seconds = stage.options.api_seconds
    with door(stage, turn.contender) as at:
        for size in sizes:
            at.store(size)
            for what, requests in ((GET, at.gets), (LIST, at.lists)):
                drive(at.address, requests(), connections=CONNECTIONS, seconds=min(2.0, seconds))  # caches fill
                seen = drive(at.address, requests(), connections=CONNECTIONS, seconds=seconds)
                costs[what][size] = [seen.seconds / len(seen.latencies)]
                figure = f"{what}: a request with {size} stored"
                yield Reading("B11", turn.contender, figure, MILLISECONDS, 1000 * costs[what][size][0], turn.round)
    for what, found in costs.items():
        yield Reading("B11", turn.contender, API[what], EXPONENT, exponent(found), turn.round, turn.counted)


BENCHMARK = Benchmark(
    id="B11",
    title="grow: B4 at 1, 2, 4, 8 times the DAGs, B10 at 10, 100, 1,000 environments",
    contenders=(*AIRFLOWS, "moto"),
    optional=MORE_AIRFLOWS,
    measure=measure,
    ratios=(
        *(Ratio(("tradewind", FLEET), (other, FLEET)) for other in (*AIRFLOWS[1:], *MORE_AIRFLOWS)),
        *(Ratio(("tradewind", figure), ("moto", figure)) for figure in API.values()),
    ),
    notes=(
        "the exponent of a power law fitted through the sizes (least squares of logarithms)",
        "fleets: one installation at a time, with the files of the largest fleet; a warm-up of the first size",
        "API: seconds of one request at full load (16 connections)",
    ),
)
