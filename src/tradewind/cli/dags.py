"""`dags`: list an environment's DAGs, trigger one, see how a run does, pause and unpause."""

import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import botocore.exceptions

from tradewind.cli.failures import FAILED, UNREACHABLE, USAGE, Failure, airflow_words
from tradewind.cli.output import Live, Output, document, line, live, note, paint, table
from tradewind.cli.places import service_of
from tradewind.cli.runs import FINAL, Airflow, Task

ACTIONS = ("list", "trigger", "state", "pause", "unpause")
_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0
_DONE = frozenset({"success", "failed", "upstream_failed", "skipped", "removed", "up_for_retry"})


def dags_command(
    name: str,
    action: str,
    dag: str | None,
    run: str | None,
    *,
    conf: str | None,
    wait: bool,
    data_dir: Path | None,
    output: Output,
) -> int:
    """One of the actions. Answers the exit status: 1 when a run that was waited for failed."""
    _check(action, dag, run, conf, wait=wait)
    configuration = _configuration(conf)
    airflow = Airflow(service_of(data_dir), name, patience=_PATIENCE_SECONDS if wait else 0.0)
    with _in_words(name, action, dag):
        match action, dag:
            case "trigger", str():
                return _trigger(airflow, dag, configuration, output, wait=wait)
            case "state", str():
                _state(airflow, dag, run, output)
            case (("pause" | "unpause"), str()):
                shown = airflow.pause(dag, paused=action == "pause")
                document(shown) if output is Output.JSON else line(f"{dag} is {action}d.")
            case _:
                _list(airflow, output)
    return 0


def _check(action: str, dag: str | None, run: str | None, conf: str | None, *, wait: bool) -> None:
    if action not in ACTIONS:
        raise Failure(f"cannot do {action} with DAGs: there are {', '.join(ACTIONS)}", USAGE)
    if (action == "list") != (dag is None):
        problem = "name the DAG" if dag is None else "list takes no DAG"
        raise Failure(f"cannot read the command line: {problem}; see tradewind dags --help", USAGE)
    if (run is not None and action != "state") or ((conf is not None or wait) and action != "trigger"):
        word = "a run" if run is not None else "--conf" if conf is not None else "--wait"
        raise Failure(f"cannot read the command line: {action} takes no {word.removeprefix('a ')}", USAGE)


def _configuration(conf: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(conf) if conf is not None else {}
    except ValueError as error:
        raise Failure(f"cannot read --conf: it is no JSON: {error}", USAGE) from error
    if not isinstance(found, dict):
        raise Failure("cannot read --conf: it must be a JSON object", USAGE)
    return found


class _in_words:  # noqa: N801  (reads as a clause at its one use)
    """Turns Airflow's and AWS's refusals into a sentence about this command."""

    def __init__(self, name: str, action: str, dag: str | None) -> None:
        words = {"list": f"list the DAGs of {name}", "state": f"show the state of {dag}"}
        self._what = words.get(action, f"{action} {dag}")

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, botocore.exceptions.ClientError):
            return
        response = error.response
        if "RestApiStatusCode" in response:
            code, words = response["RestApiStatusCode"], airflow_words(response.get("RestApiResponse"))
            status = UNREACHABLE if code >= 500 else FAILED  # noqa: PLR2004
            raise Failure(f"cannot {self._what}: Airflow answered {code}: {words}", status) from error
        told = response["Error"]
        raise Failure(f"cannot {self._what}: {told['Code']}: {told.get('Message', '')}") from error


def _list(airflow: Airflow, output: Output) -> None:
    dags, broken = list(airflow.dags()), airflow.import_errors()
    if output is Output.JSON:
        document({"dags": dags, "import_errors": broken})
        return
    if dags:
        table(("DAG", "PAUSED", "SCHEDULE", "TAGS"), [_row(dag) for dag in dags])
    else:
        line("There are no DAGs.")
    for one in broken:
        words = str(one["stack_trace"]).strip().splitlines()
        note(f"tradewind: {one['filename']} cannot be loaded: {words[-1] if words else 'no reason given'}")


def _row(dag: Mapping[str, Any]) -> tuple[Any, ...]:
    tags = ", ".join(sorted(tag["name"] for tag in dag.get("tags") or ()))
    schedule = dag.get("timetable_summary") or dag.get("timetable_description")
    return dag["dag_id"], "yes" if dag["is_paused"] else "no", schedule, tags


def _trigger(airflow: Airflow, dag: str, conf: Mapping[str, Any], output: Output, *, wait: bool) -> int:
    paused = airflow.is_paused(dag)
    if paused and wait:
        raise Failure(
            f"cannot wait for a run of {dag}: the DAG is paused, and a run would stay queued; unpause it first"
        )
    begun = airflow.trigger(dag, conf)
    if paused:
        note(f"{dag} is paused: the run stays queued until the DAG is unpaused")
    run = str(begun["dag_run_id"])
    if wait:
        note(f"{dag}, run {run}:")
        with live() as telling:
            begun = follow_run(airflow, dag, run, telling)
    if output is Output.JSON:
        document(begun)
    elif wait:
        line(f"{dag} run {run}: {paint(begun['state'])}")
    else:
        line(f"{dag} run {run}: {begun['state']}")
    return FAILED if wait and begun["state"] != "success" else 0


def follow_run(
    airflow: Airflow,
    dag: str,
    run: str,
    telling: Live,
    *,
    limit: float = math.inf,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Mapping[str, Any]:
    """Tell tasks as they end, try by try; answers the run when it is over. Raises Failure after `limit` seconds."""
    told: set[tuple[str, int, str]] = set()
    began = clock()
    while True:
        seen = airflow.run(dag, run)
        tasks = airflow.tasks(dag, run)
        for task in tasks:
            key = (task.name, task.tries, task.state)
            if task.state in _DONE and key not in told:
                told.add(key)
                telling.say(f"  {describe(task)}")
        if seen["state"] in FINAL:
            return seen
        if clock() - began > limit:
            raise Failure(f"cannot wait for {dag} run {run}: it is still {seen['state']} after {limit:.0f} s")
        telling.show(", ".join(task.name for task in tasks if task.state == "running"))
        sleep(_POLL_SECONDS)


def describe(task: Task) -> str:
    """One task's line."""
    seconds = f"{task.seconds:6.1f} s" if task.seconds is not None else " " * 8
    return f"{task.name:<32} {task.state:<16} try {task.tries}  {seconds}"


def _state(airflow: Airflow, dag: str, run: str | None, output: Output) -> None:
    seen = airflow.run(dag, run) if run is not None else airflow.latest_run(dag)
    if seen is None:
        document(None) if output is Output.JSON else line(f"{dag} has not run yet.")
        return
    tasks = airflow.tasks(dag, str(seen["dag_run_id"]))
    if output is Output.JSON:
        rows = [
            {"task_id": t.task, "map_index": t.map_index, "state": t.state, "try_number": t.tries, "seconds": t.seconds}
            for t in tasks
        ]
        document({"run": seen, "tasks": rows})
        return
    line(f"{dag} run {seen['dag_run_id']}: {paint(seen['state'])}")
    line()
    table(
        ("TASK", "STATE", "TRY", "SECONDS"),
        [(t.name, t.state, t.tries, None if t.seconds is None else f"{t.seconds:.1f}") for t in tasks],
    )
