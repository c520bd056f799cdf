"""B9: what an Airflow at rest costs: memory (PSS) by kind of process, and CPU percent of one core.

All contenders are at rest side by side in the same window, so that they meet the same machine; each has run one DAG
and then rested (`--settle-seconds`). Every round begins with fresh installations: a second window of the same processes
would be no second measurement. PSS is the median of five looks spread over the window, CPU the difference of the
kernel's counters at its ends.

Apart from the total of an installation: its PostgreSQL backends, and what a Tradewind service runs once for all its
environments (control plane, Caddy, the host's supervisor). PostgreSQL's own processes serve both sides and are named
once, as `server`. Memory needs root, since Tradewind's processes may not be read by anyone else.
"""

import os
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.census import attribute
from benchmarks.costs import Spent, between, between_of_survivors, memory, spent
from benchmarks.installation import Installation
from benchmarks.measuring import MEGABYTES, PERCENT, Benchmark, CannotMeasure, Ratio, Reading
from benchmarks.rounds import Turn
from benchmarks.stage import Stage
from benchmarks.summaries import median
from tradewind.domain.manifests import HOST
from tradewind.runtime.processes.launcher import Seen, everyone

_LOOKS = 5
_WARM_UP_SECONDS = 10.0
_BACKENDS = "PostgreSQL backends"
_ALL, _WITH_BACKENDS, _WITH_HOST = "all its processes", "with its backends", "with its backends and the service"
Groups = Mapping[str, tuple[Seen, ...]]


@dataclass(frozen=True)
class Window:
    """What was seen of one contender: megabytes (None: not readable) and CPU percent by group."""

    megabytes: Mapping[str, float | None]
    percent: Mapping[str, float]


def measure(stage: Stage) -> Generator[Reading, None, None]:
    """Windows of fresh installations, the first one short and not counted."""
    stage.clear()
    if os.geteuid() != 0:
        stage.say("B9: memory is not measured: Tradewind's processes are not dumpable, so reading their PSS needs root")
    for number in range(1 if stage.options.smoke else 0, stage.options.runs + 1):
        yield from stage.guarded(f"B9 round {number}", _round(stage, number, counted=number > 0))


def _round(stage: Stage, number: int, *, counted: bool) -> Iterator[Reading]:
    """Fresh installations of all, at rest."""
    seconds = stage.options.idle_seconds if counted else min(_WARM_UP_SECONDS, stage.options.idle_seconds)
    with ExitStack() as stack:
        installations = []
        for contender in stage.contenders:
            stage.say(f"B9 round {number}: {contender} starts")
            installations.append(stack.enter_context(stage.installation(contender)))
        stage.say(f"B9 round {number}: at rest")
        time.sleep(stage.options.settle_seconds if counted else min(_WARM_UP_SECONDS, stage.options.settle_seconds))
        yield from _window(stage, installations, seconds, number, counted=counted)


def _window(
    stage: Stage, installations: Sequence[Installation], seconds: float, number: int, *, counted: bool
) -> Iterator[Reading]:
    before = _look(stage, installations)
    counters, began = _counters(before), time.monotonic()
    seen: list[dict[str, list[float | None]]] = [{} for _ in installations]
    for look in range(1, _LOOKS + 1):
        time.sleep(max(0.0, began + seconds * look / _LOOKS - time.monotonic()))
        for found, groups in zip(seen, _look(stage, installations), strict=True):
            for group, members in groups.items():
                found.setdefault(group, []).append(memory(members))
    after = _look(stage, installations)
    later, ended = _counters(after), time.monotonic()
    for index, each in enumerate(installations):
        _same_programs(each, before[index], after[index])
        window = Window(
            {group: _median(values) for group, values in seen[index].items()},
            {
                group: _percent(group, counters[index].get(group, Spent({})), now, ended - began)
                for group, now in later[index].items()
            },
        )
        yield from _readings(window, Turn(each.contender, number, counted))


def _counters(looks: Sequence[Groups]) -> list[dict[str, Spent]]:
    return [{group: spent(members) for group, members in groups.items()} for groups in looks]


def _look(stage: Stage, installations: Sequence[Installation]) -> list[Groups]:
    """Processes of each by group, all from one table."""
    backends = [frozenset(each.backends()) for each in installations]
    table = everyone()
    rest = [seen for seen in table if not any(seen.pid in own for own in backends)]
    return [
        attribute(rest, _named(stage, each)) | {_BACKENDS: tuple(seen for seen in table if seen.pid in own)}
        for each, own in zip(installations, backends, strict=True)
    ]


def _named(stage: Stage, installation: Installation) -> dict[int, str]:
    """Main processes by pid. What the service runs for all begins with `service: `, the server with `server: `."""
    host = {pid: f"service: {name}" for pid, name in installation.host_programs().items()}
    named = installation.programs() | host
    if installation.contender == "tradewind":
        postgres = stage.service.programs_of(HOST)
        named |= {pid: "server: PostgreSQL" for pid, name in postgres.items() if name == "postgres"}
    return named


def _same_programs(installation: Installation, before: Groups, after: Groups) -> None:
    gone = {group for group, members in before.items() if members and group not in after}
    if gone:
        raise CannotMeasure(f"cannot measure {installation.contender} at rest: {', '.join(sorted(gone))} ended")


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known and len(known) == len(values) else None


def _percent(group: str, before: Spent, after: Spent, seconds: float) -> float:
    used = between_of_survivors(before, after) if group == _BACKENDS else between(before, after)
    return 100 * used / seconds


def _readings(window: Window, turn: Turn) -> Iterator[Reading]:
    for label, unit, values in (("PSS", MEGABYTES, window.megabytes), ("CPU", PERCENT, window.percent)):
        for group in sorted(values, key=lambda name: (":" in name, name == _BACKENDS, name)):
            value = values[group]
            if value is not None:
                contender = "server" if group.startswith("server: ") else turn.contender
                name = group.removeprefix("server: ")
                yield Reading("B9", contender, f"{label} {name}", unit, value, turn.round, turn.counted)
        for total, wanted in (
            (_ALL, [group for group in values if ":" not in group and group != _BACKENDS]),
            (_WITH_BACKENDS, [group for group in values if ":" not in group]),
            (_WITH_HOST, [group for group in values if not group.startswith("server: ")]),
        ):
            parts = [values[group] for group in wanted]
            known = [part for part in parts if part is not None]
            if len(known) == len(parts):
                yield Reading("B9", turn.contender, f"{label} {total}", unit, sum(known), turn.round, turn.counted)


BENCHMARK = Benchmark(
    id="B9",
    title="idle: memory and CPU of one environment at rest",
    contenders=("tradewind", "stock"),
    measure=measure,
    ratios=tuple(
        Ratio(("tradewind", f"{label} {total}"), ("stock", f"{label} {total}"))
        for label in ("PSS", "CPU")
        for total in (_ALL, _WITH_BACKENDS, _WITH_HOST)
    ),
    notes=(
        "PSS in MB (10^6 bytes), CPU in percent of one core, over the window",
        "the contenders rest side by side in the same window; each round has fresh ones",
        "same components and slots; stock with its simple auth manager, Tradewind with FAB's (MWAA's choice), heavier",
        "the supervisor is among Tradewind's processes; stock has none",
        "backends of PostgreSQL are listed apart; CPU of those that ended within the window is in the server's",
    ),
)
