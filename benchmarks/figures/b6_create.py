"""B6: how long until there is an Airflow that has run something.

Tradewind: a fresh data directory (no runtime, no template database), the service up, then CreateEnvironment to
AVAILABLE and on to the end of a DAG run that is triggered right after. Then the same for a second environment of that
version, while the first is at rest beside it. Both begin with the API call; starting the service is a figure itself.

Stock: `airflow standalone` on a fresh home, its virtualenv already there (beside our second environment), and the same
with its virtualenv built first (`stock-install`, beside our first environment, which builds one too).
"""

import time
from collections.abc import Generator, Iterator
from functools import partial

from benchmarks import dags
from benchmarks.environment import READY, Environment, await_available
from benchmarks.measuring import SECONDS, Benchmark, Ratio, Reading
from benchmarks.rounds import Turn, interleave
from benchmarks.service import Service, fresh_service
from benchmarks.stage import Stage
from benchmarks.stock import virtualenv
from benchmarks.stock.standalone import seconds_to_first_run

_FIRST_RUN = "to the end of a first run"
_ENVIRONMENTS = ("first environment", "second environment")


def measure(stage: Stage) -> Generator[Reading, None, None]:
    """Every contender in its turn."""
    stage.clear()
    for turn in interleave(stage.contenders, stage.options.runs, warm_up=not stage.options.smoke):
        what = f"B6 round {turn.round}: {turn.contender}"
        stage.say(what)
        yield from stage.guarded(what, _SIDES[turn.contender](stage, turn))


def _tradewind(stage: Stage, turn: Turn) -> Iterator[Reading]:
    began = time.monotonic()
    with fresh_service(stage.scratch / f"create-{turn.round}") as service:
        yield _reading(turn, "service up", time.monotonic() - began)
        for which in _ENVIRONMENTS:
            yield from _create(service, which, partial(_reading, turn))


def _create(service: Service, which: str, reading: "partial[Reading]") -> Iterator[Reading]:
    name = which.replace(" ", "-")
    file = service.bucket(name) / "dags" / f"{READY}.py"
    file.write_text(dags.triggered(READY))
    file.chmod(0o644)
    began = time.monotonic()
    service.create(name, name)
    yield reading(f"{which}: AVAILABLE", await_available(service, name, began))
    Environment(service, name).run(READY)
    yield reading(f"{which}: {_FIRST_RUN}", time.monotonic() - began)


def _standalone(stage: Stage, turn: Turn) -> Iterator[Reading]:
    yield _reading(turn, _FIRST_RUN, seconds_to_first_run(stage.stock()))


def _install(stage: Stage, turn: Turn) -> Iterator[Reading]:
    folder = stage.scratch / f"install-{turn.round}"
    began = time.monotonic()
    try:
        virtualenv.build(folder)
        yield _reading(turn, "virtualenv built", time.monotonic() - began)
        yield _reading(turn, _FIRST_RUN, seconds_to_first_run(folder, since=began))
    finally:
        virtualenv.discard(folder)


def _reading(turn: Turn, figure: str, value: float) -> Reading:
    return Reading("B6", turn.contender, figure, SECONDS, value, turn.round, turn.counted)


_SIDES = {"tradewind": _tradewind, "stock": _standalone, "stock-install": _install}
BENCHMARK = Benchmark(
    id="B6",
    title="create: CreateEnvironment to AVAILABLE, and to the end of a first DAG run",
    contenders=tuple(_SIDES),
    measure=measure,
    ratios=(
        Ratio(("tradewind", f"second environment: {_FIRST_RUN}"), ("stock", _FIRST_RUN)),
        Ratio(("tradewind", f"first environment: {_FIRST_RUN}"), ("stock-install", _FIRST_RUN)),
        Ratio(("tradewind", f"first environment: {_FIRST_RUN}"), ("stock", _FIRST_RUN)),
    ),
    notes=(
        "the installer's package cache is warm for both sides (the warm-up fills it)",
        "the first environment of a data directory builds the runtime and the template database; the second has both",
        "the first environment is at rest beside the second while that is made",
        "stock is `airflow standalone` with SQLite and LocalExecutor as it comes, its virtualenv there beforehand",
        "stock-install builds the virtualenv first, as our first environment does",
    ),
)
