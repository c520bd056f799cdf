"""B10: requests a second and their 99th percentile, over 16 connections, with 1,000 environments stored.

`get one`: GetEnvironment of each stored one in turn; `list a page`: ListEnvironments, 25 names, page after page.
Ours goes through everything that a client meets: TLS and proxy, signature, permission, PostgreSQL. moto's server
answers a call of the same shape and size from its memory (`benchmarks.mimic`).
"""

from collections.abc import Generator, Iterator
from contextlib import ExitStack

from benchmarks.doors import Door, door
from benchmarks.measuring import BYTES, MILLISECONDS, PER_SECOND, Benchmark, CannotMeasure, Ratio, Reading
from benchmarks.rounds import Turn, interleave
from benchmarks.stage import Stage
from benchmarks.summaries import percentile
from benchmarks.traffic import drive

CONNECTIONS, STORED, STORED_SMOKE = 16, 1_000, 5
GET, LIST = "get one", "list a page"
CONTENDERS = ("tradewind", "moto")


def measure(stage: Stage) -> Generator[Reading, None, None]:
    """Windows in turn."""
    stage.clear()
    with ExitStack() as stack:
        doors: dict[str, Door] = {}
        for contender in stage.contenders:
            stage.say(f"B10: {contender} starts")
            try:
                doors[contender] = stack.enter_context(door(stage, contender))
                doors[contender].store(STORED_SMOKE if stage.options.smoke else STORED)
            except CannotMeasure as error:
                doors.pop(contender, None)
                stage.problems.append(f"B10: {contender}: {error}")
        for turn in interleave(tuple(doors), stage.options.runs, warm_up=not stage.options.smoke):
            what = f"B10 round {turn.round}: {turn.contender}"
            stage.say(what)
            yield from stage.guarded(what, _windows(stage, turn, doors[turn.contender]))


def _windows(stage: Stage, turn: Turn, at: Door) -> Iterator[Reading]:
    for what, requests in ((GET, at.gets), (LIST, at.lists)):
        seen = drive(at.address, requests(), connections=CONNECTIONS, seconds=stage.options.api_seconds)
        answers = len(seen.latencies)
        if not answers:
            raise CannotMeasure(f"cannot measure {at.contender}: no answer came")
        for figure, unit, value in (
            ("requests", PER_SECOND, answers / seen.seconds),
            ("p50", MILLISECONDS, 1000 * percentile(seen.latencies, 50)),
            ("p99", MILLISECONDS, 1000 * percentile(seen.latencies, 99)),
            ("answer", BYTES, seen.bytes / answers),
        ):
            yield Reading("B10", turn.contender, f"{what}: {figure}", unit, value, turn.round, turn.counted)


BENCHMARK = Benchmark(
    id="B10",
    title="API: GetEnvironment and ListEnvironments with 1,000 environments stored, 16 connections",
    contenders=CONTENDERS,
    measure=measure,
    ratios=tuple(
        Ratio(("tradewind", figure), ("moto", figure))
        for figure in (f"{GET}: requests", f"{GET}: p99", f"{LIST}: requests", f"{LIST}: p99")
    ),
    notes=(
        "tradewind: TLS, proxy, signature and permission checked, PostgreSQL; every request was signed beforehand",
        "moto knows no MWAA: DescribeCluster and ListClusters of EKS, REST and JSON of the same size, from memory",
        "moto: plain HTTP, nothing checked, and it ends the connection after every answer",
        "the environments are rows in the store of a service whose reconciler has been kept from acting",
        "the asker runs on the same cores",
    ),
)
