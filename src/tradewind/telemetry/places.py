"""Which log files an environment has, and how a person's words find one.

Components write `logs/<process>.log` (`scheduler-1`, `worker-1`, `api-server`, `broker`, ...), tasks
`logs/tasks/dag_id=D/run_id=R/task_id=T[/map_index=N]/attempt=N.log`: Airflow's own names. A DAG's or a task's
name is one component of a path, never more: one that holds a slash names nothing.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_ATTEMPT = re.compile(r"attempt=(\d{1,9})\.log")
_MAP_INDEX = re.compile(r"map_index=(\d{1,9})")
_TASKS = "tasks"


class NoSuchLog(LookupError):
    """There is no such log; the message is a sentence for people."""


@dataclass(frozen=True)
class TaskLog:
    """The log of one try of one task. `written` is seconds since the epoch."""

    dag: str
    task: str
    run: str
    map_index: int | None
    attempt: int
    path: PurePosixPath
    written: float

    def describe(self) -> str:
        """In a person's words."""
        mapped = "" if self.map_index is None else f", map index {self.map_index}"
        return f"{self.dag}.{self.task}, run {self.run}{mapped}, try {self.attempt}"


def components(logs: Path) -> Sequence[str]:
    """Names of the components that have a log."""
    if not logs.is_dir():
        return ()
    return sorted(path.stem for path in logs.iterdir() if path.suffix == ".log" and not path.is_symlink())


def component_logs(names: Sequence[str]) -> Sequence[tuple[str, PurePosixPath]]:
    """Their files."""
    return [(name, PurePosixPath(f"{name}.log")) for name in names]


def find_components(logs: Path, word: str) -> Sequence[str]:
    """The components a word means: `worker-2` is one, `worker` is all of them. Raises NoSuchLog."""
    there = components(logs)
    found = [name for name in there if name == word] or [
        name for name in there if re.fullmatch(re.escape(word) + r"-\d+(\.\d+r?)?", name)
    ]
    if not found:
        known = f"there are {', '.join(there)}" if there else "it has none yet"
        raise NoSuchLog(f"there is no component {word} with a log: {known}")
    return found


def task_logs(logs: Path, dag: str, task: str, *, run: str | None = None) -> Iterator[TaskLog]:
    """Every log of a task, of one run or of all. A name that cannot be one finds nothing."""
    if not all(_is_one_name(name) for name in (dag, task, run or "any")):
        return
    above = PurePosixPath(_TASKS) / f"dag_id={dag}"
    runs = [f"run_id={run}"] if run is not None else _names(logs / above, "run_id=")
    for folder in runs:
        place = above / folder / f"task_id={task}"
        found = folder.removeprefix("run_id=")
        yield from _attempts(logs, place, (dag, task, found, None))
        for name in _names(logs / place, "map_index="):
            if match := _MAP_INDEX.fullmatch(name):
                yield from _attempts(logs, place / name, (dag, task, found, int(match[1])))


def newest_task_log(
    logs: Path,
    dag: str,
    task: str,
    *,
    run: str | None = None,
    map_index: int | None = None,
    attempt: int | None = None,
) -> TaskLog:
    """The one that was written last among those that are meant. Raises NoSuchLog, naming what there is."""
    meant = [
        log
        for log in task_logs(logs, dag, task, run=run)
        if map_index in (None, log.map_index) and attempt in (None, log.attempt)
    ]
    if meant:
        return max(meant, key=lambda log: (log.written, log.attempt, log.map_index or 0))
    raise NoSuchLog(_why_not(logs, dag, task, run))


def _attempts(logs: Path, place: PurePosixPath, of: tuple[str, str, str, int | None]) -> Iterator[TaskLog]:
    for name in _names(logs / place, "attempt="):
        if match := _ATTEMPT.fullmatch(name):
            try:
                written = (logs / place / name).lstat().st_mtime
            except OSError:
                continue
            yield TaskLog(*of, int(match[1]), place / name, written)


def _why_not(logs: Path, dag: str, task: str, run: str | None) -> str:
    dags = [name.removeprefix("dag_id=") for name in _names(logs / _TASKS, "dag_id=")]
    if dag not in dags:
        known = f"there are logs of {', '.join(dags)}" if dags else "no task has run yet"
        return f"no task of the DAG {dag} has a log: {known}"
    above = logs / _TASKS / f"dag_id={dag}"
    runs = [name.removeprefix("run_id=") for name in _names(above, "run_id=")]
    if run is not None and run not in runs:
        return f"the DAG {dag} has no logs of a run {run}: there are {', '.join(runs) or 'none'}"
    tasks = sorted(
        {name.removeprefix("task_id=") for one in runs for name in _names(above / f"run_id={one}", "task_id=")}
    )
    if task not in tasks:
        return f"the task {task} of the DAG {dag} has no log: there are logs of {', '.join(tasks) or 'none'}"
    return f"the task {task} of the DAG {dag} has no log of that try or map index"


def _names(folder: Path, prefix: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.name.startswith(prefix) and not entry.is_symlink())
    except PermissionError:
        raise
    except OSError:
        return []


def _is_one_name(name: str) -> bool:
    return bool(name) and "/" not in name and "\0" not in name
