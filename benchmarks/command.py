"""The command line: what to measure, of whom, how often; then the tables and the record.

Prints what it does to standard error and the tables to standard output, and keeps every number in a JSON file. Ctrl-C
stops everything that was started and keeps what had been seen. Ends with status 1 when something could not be measured.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from benchmarks import machine, records
from benchmarks.figures import BENCHMARKS, PLANNED
from benchmarks.measuring import Benchmark, CannotMeasure, Options, Reading
from benchmarks.stage import Stage
from benchmarks.summaries import compare, summarize
from benchmarks.tables import figures_table, ratios_table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for."""
    asked = parser().parse_args(arguments)
    try:
        benchmarks, contenders = choose(asked.benchmarks, asked.contenders or ("tradewind" if asked.smoke else None))
    except CannotMeasure as error:
        print(error, file=sys.stderr)
        return 2
    options = options_of(asked)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    started, facts = datetime.now(UTC), {"machine": machine.facts(), "versions": machine.software()}
    loads = [machine.load()]
    if machine.busy(loads[0][0], os.cpu_count() or 1) and not options.smoke:
        say(f"the machine is busy (load {loads[0][0]:.1f}): these times will mean little")
    readings: list[Reading] = []
    problems = _measure(benchmarks, contenders, options, readings)
    loads.append(machine.load())
    record = records.document(
        benchmarks, readings, options, started=started.isoformat(), ended=datetime.now(UTC).isoformat(),
        load_averages=loads, problems=problems, **facts,
    )  # fmt: skip
    _tell(benchmarks, readings)
    if asked.json is not None or not options.smoke:
        path = asked.json or records.default_path([benchmark.id for benchmark in benchmarks], started)
        records.save(path, record)
        say(f"raw numbers: {path}")
    for problem in problems:
        say(problem)
    return 1 if problems else 0


def choose(ids: Sequence[str], named: str | None) -> tuple[list[Benchmark], dict[str, tuple[str, ...]]]:
    """Benchmarks, and the contenders of each. Raises CannotMeasure for one that is not there."""
    found: list[Benchmark] = []
    for id_ in ids or BENCHMARKS:
        if id_ not in BENCHMARKS:
            known = f"there are {', '.join(BENCHMARKS)}"
            raise CannotMeasure(
                f"cannot measure {id_}: it is {'not built yet' if id_ in PLANNED else 'unknown'}; {known}"
            )
        found.append(BENCHMARKS[id_])
    if named is None:
        return found, {benchmark.id: benchmark.contenders for benchmark in found}
    wanted = tuple(dict.fromkeys(name.strip() for name in named.split(",") if name.strip()))
    everyone = {name for benchmark in found for name in benchmark.everyone}
    for name in wanted:
        if name not in everyone:
            raise CannotMeasure(f"cannot measure {name}: the contenders are {', '.join(sorted(everyone))}")
    return found, {benchmark.id: tuple(name for name in wanted if name in benchmark.everyone) for benchmark in found}


def options_of(asked: argparse.Namespace) -> Options:
    """Options; `--smoke` is the smallest of everything."""
    options = Options(
        runs=asked.runs, samples=asked.samples, default_samples=asked.default_samples, idle_seconds=asked.idle_seconds,
        settle_seconds=asked.settle_seconds, first_samples=asked.first_samples, api_seconds=asked.api_seconds,
        times=asked.times, grow_runs=asked.grow_runs, seed=asked.seed, data_dir=asked.data_dir,
        environment=asked.environment,
    )  # fmt: skip
    if not asked.smoke:
        return options
    return replace(
        options, smoke=True, runs=1, samples=1, default_samples=1, first_samples=1, api_seconds=1.0, times=(1, 2),
        grow_runs=1, idle_seconds=3.0, settle_seconds=0.0,
    )  # fmt: skip


def say(sentence: str) -> None:
    """Progress."""
    print(f"{time.strftime('%H:%M:%S')}  {sentence}", file=sys.stderr, flush=True)


def _measure(
    benchmarks: Sequence[Benchmark], contenders: dict[str, tuple[str, ...]], options: Options, readings: list[Reading]
) -> list[str]:
    """Fill in `readings`; answer what went wrong."""
    # other users must be able to pass through where the service runs as root
    scratch = Path(tempfile.mkdtemp(prefix="tradewind-bench-", dir="/var/tmp" if os.geteuid() == 0 else None))
    scratch.chmod(0o711 if os.geteuid() == 0 else 0o700)
    stack = ExitStack()
    stage = Stage(options, scratch, stack, (), say)
    try:
        with stack:
            stack.callback(shutil.rmtree, scratch, ignore_errors=True)
            try:
                for benchmark in benchmarks:
                    stage.contenders = contenders[benchmark.id]
                    _read(benchmark, stage, readings)
            finally:
                stage.clear()
    except KeyboardInterrupt:
        stage.problems.append("interrupted: what was seen until then is kept")
    except CannotMeasure as error:
        stage.problems.append(str(error))
    except Exception as error:  # noqa: BLE001  (hours of numbers are not lost to one of them)
        traceback.print_exc()
        stage.problems.append(f"cannot measure: internal error: {error!r}")
    return stage.problems


def _read(benchmark: Benchmark, stage: Stage, readings: list[Reading]) -> None:
    # closed before the stage is: what a turn has at work ends before what it stands on
    with closing(benchmark.measure(stage)) as measured:
        for reading in measured:
            readings.append(reading)
            if benchmark.id != "B9":
                say(f"  {reading.contender}: {reading.figure} {reading.value:.2f} {reading.unit}")


def _tell(benchmarks: Sequence[Benchmark], readings: Sequence[Reading]) -> None:
    for benchmark in benchmarks:
        summaries = summarize(reading for reading in readings if reading.benchmark == benchmark.id)
        if not summaries:
            continue
        print(f"\n{benchmark.id}  {benchmark.title}\n\n{figures_table(summaries)}")
        ratios = ratios_table(benchmark.id, compare(summaries, benchmark.ratios))
        if ratios:
            print(f"\n{ratios}")
        print("".join(f"\n- {note}" for note in benchmark.notes))


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    arguments = argparse.ArgumentParser(
        prog="benchmarks/run.py",
        description="Measure Tradewind beside stock Airflow and others. The method: docs/benchmarks.md",
    )
    arguments.add_argument("benchmarks", nargs="*", metavar="ID", help=f"of {', '.join(BENCHMARKS)}; default: all")
    arguments.add_argument("--contenders", metavar="A,B", help="default: those of each benchmark")
    arguments.add_argument("--runs", type=_count, default=5, help="counted rounds (default 5)")
    arguments.add_argument(
        "--samples", type=_count, default=10, help="B7: samples, spread over the rounds (default 10)"
    )
    arguments.add_argument(
        "--default-samples", type=_count, default=2, help="B7: samples of stock's default settings (default 2)"
    )
    arguments.add_argument("--first-samples", type=_count, default=20, help="B5: samples (default 20)")
    arguments.add_argument("--api-seconds", type=float, default=10.0, help="B10: length of a window (default 10)")
    arguments.add_argument(
        "--times", type=_times, default=(1, 2, 4, 8), metavar="N,N", help="B11: how many times B4's DAGs (1,2,4,8)"
    )
    arguments.add_argument("--grow-runs", type=_count, default=1, help="B11: rounds (default 1: each takes hours)")
    arguments.add_argument("--idle-seconds", type=float, default=300.0, help="B9: length of a window (default 300)")
    arguments.add_argument("--settle-seconds", type=float, default=60.0, help="B9: rest before a window (default 60)")
    arguments.add_argument("--seed", type=int, default=1, help="B5, B7: of the moments at which samples begin")
    arguments.add_argument("--smoke", action="store_true", help="the smallest size: proves that the harness works")
    arguments.add_argument(
        "--data-dir", type=Path, help="use the service that runs there, and leave it running (not B6)"
    )
    arguments.add_argument("--environment", help="use this environment of that service, and leave it")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="where the raw numbers go (default: results/)")
    return arguments


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


def _times(text: str) -> tuple[int, ...]:
    numbers = tuple(sorted({_count(part) for part in text.split(",")}))
    if len(numbers) < 2:
        raise argparse.ArgumentTypeError(f"{text} names fewer than two sizes")
    return numbers


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM):  # a second one would leave running what is just being stopped
        signal.signal(number, lambda *_: say("everything is being stopped already"))
    say("stopping everything in order ...")
    raise KeyboardInterrupt
