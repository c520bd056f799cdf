"""`logs`: an environment's component or task logs, from the data directory."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tradewind.bootstrap.announcement import recall
from tradewind.cli.failures import UNREACHABLE, USAGE, Failure, explain
from tradewind.cli.output import Output, document, line, note
from tradewind.cli.places import service_of, settings_of
from tradewind.cli.showing import existing
from tradewind.domain.identifiers import EnvironmentId
from tradewind.settings import Settings
from tradewind.telemetry import (
    NoSuchLog,
    component_logs,
    components,
    find_components,
    follow,
    newest_task_log,
    render,
    tail,
)

_POLL_SECONDS = 0.3
_WORDS_OF_A_TASK = 2


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    words: Sequence[str]
    follow: bool
    lines: int
    run: str | None
    attempt: int | None
    map_index: int | None


def show_logs(name: str, wanted: Wanted, data_dir: Path | None, output: Output) -> None:
    """Print the end of the logs that are meant, and go on if asked to. Raises Failure."""
    _check(wanted)
    settings = settings_of(data_dir)
    id_, failure = _identify(name, settings, data_dir)
    logs = settings.layout.environment(id_).logs
    if failure and not components(logs):
        raise Failure(f"cannot show a log of {name}: it has none, since its creation failed early: {failure}")
    try:
        sources = _sources(logs, wanted)
        several = len(sources) > 1
        cursors = []
        for source, path in sources:
            lines, cursor = tail(logs, path, wanted.lines)
            for text in lines:
                _print(source, text, output, prefixed=several)
            cursors.append((source, cursor))
        if wanted.follow:
            for source, text in follow(cursors, _wait):
                _print(source, text, output, prefixed=several)
    except NoSuchLog as error:
        raise Failure(f"cannot show the log: {error}") from error
    except PermissionError as error:
        raise Failure(f"cannot read the logs of {name}: they belong to the user who runs the service") from error


def _check(wanted: Wanted) -> None:
    if len(wanted.words) > _WORDS_OF_A_TASK:
        raise Failure("cannot read the command line: name a component, or a DAG and one of its tasks", USAGE)
    of_a_task = (wanted.run, wanted.attempt, wanted.map_index) != (None, None, None)
    if of_a_task and len(wanted.words) != _WORDS_OF_A_TASK:
        raise Failure("cannot read the command line: --run, --try and --map-index are for a DAG and its task", USAGE)


def _identify(name: str, settings: Settings, data_dir: Path | None) -> tuple[EnvironmentId, str]:
    """The environment's id, and what its change failed with; while the service is down an id itself will do."""
    try:
        return _ask(name, settings, data_dir)
    except Exception as error:
        failure = explain(error)
        if failure.status != UNREACHABLE:
            raise
        there = _ids(settings)
        if name in there:
            return EnvironmentId(name), ""
        known = f"; while it is down, name one by its id: {', '.join(there)}" if there else ""
        raise Failure(failure.sentence + known, failure.status) from error


def _ask(name: str, settings: Settings, data_dir: Path | None) -> tuple[EnvironmentId, str]:
    service = service_of(data_dir)
    if service.endpoint.data_dir != settings.data_dir:
        raise Failure(
            f"cannot show the logs of {name}: they lie in the data directory of the service at "
            f"{service.endpoint.url}; name it with --data-dir"
        )
    seen = existing(service, name)
    return EnvironmentId(seen.id), seen.failure


def _ids(settings: Settings) -> list[str]:
    folder = settings.layout.environments
    if recall(settings.layout) is None and not folder.is_dir():
        return []
    try:
        return sorted(path.name for path in folder.iterdir() if _is_id(path.name))
    except OSError:
        return []


def _is_id(text: str) -> bool:
    try:
        EnvironmentId(text)
    except ValueError:
        return False
    return True


def _sources(logs: Path, wanted: Wanted) -> Sequence[tuple[str, PurePosixPath]]:
    match wanted.words:
        case (dag, task):
            found = newest_task_log(logs, dag, task, run=wanted.run, map_index=wanted.map_index, attempt=wanted.attempt)
            note(f"({found.describe()})")
            return [(found.task, found.path)]
        case (component,):
            return component_logs(find_components(logs, component))
        case _:
            everything = components(logs)
            if not everything:
                raise NoSuchLog("none of its components has written anything yet")
            return component_logs(everything)


def _print(source: str, text: str, output: Output, *, prefixed: bool) -> None:
    if output is Output.JSON:
        document({"source": source, "line": text})
        return
    shown = render(text)
    for one in shown.split("\n") if shown or not text else ():
        line(f"{source:<14} | {one}" if prefixed else one)


def _wait() -> bool:
    time.sleep(_POLL_SECONDS)
    return True
