"""The contract of hands: what people do to tasks that run or have run, through the API."""

import time
from typing import Any

import pytest

from tests.conftest import eventually
from tests.scenario.engines import Engine, gone

pytestmark = pytest.mark.timeout(900)
DAG = "sem_marks"
MARKS = {"to_fail": "failed", "to_fail_with_retries": "failed", "to_succeed": "success", "bash_to_fail": "failed"}


@pytest.fixture(scope="session")
def marked(engine: Engine) -> dict[str, Any]:
    """The notes of tasks that were marked while they ran, by task; when each was marked is in `marked_at`."""
    engine.state("sem_time_limits")
    engine.start(DAG)
    notes = {task: dict(engine.note(DAG, task, "start")) for task in MARKS}
    for task, state in MARKS.items():
        engine.rest("PATCH", f"{engine.path(DAG)}/taskInstances/{task}", Body={"new_state": state})
        notes[task]["marked_at"] = time.time()
    return notes


@pytest.mark.parametrize("task", MARKS)
def test_marking_a_running_task_ends_its_process_and_all_that_it_started(
    engine: Engine, marked: dict[str, Any], task: str
) -> None:
    """At the next heartbeat SIGTERM goes to the whole group, five seconds later SIGKILL."""
    one = marked[task]
    assert gone(one["pid"], one["at"], seconds=30)
    assert gone(one["child"], one["at"], seconds=5)


@pytest.mark.parametrize(("task", "state"), MARKS.items())
def test_a_marked_task_keeps_the_state_it_was_given(
    engine: Engine, marked: dict[str, Any], task: str, state: str
) -> None:
    """Also with retries left: nothing is tried again."""
    assert gone(marked[task]["pid"], marked[task]["at"], seconds=30)
    assert engine.task(DAG, task) == (state, 1)
    assert len(engine.notes(DAG, task, "start")) == 1


@pytest.mark.parametrize("task", ["to_fail", "to_succeed"])
def test_marking_runs_on_kill(engine: Engine, marked: dict[str, Any], task: str) -> None:
    assert gone(marked[task]["pid"], marked[task]["at"], seconds=30)
    assert engine.notes(DAG, task, "on_kill")
    assert engine.notes(DAG, task, "end") == []


def test_marking_is_told_in_the_log(engine: Engine, marked: dict[str, Any]) -> None:
    """The last line comes when the supervisor has seen the end of the process, a moment after it."""
    assert gone(marked["to_fail"]["pid"], marked["to_fail"]["at"], seconds=30)
    eventually(lambda: "Task killed!" in engine.said(DAG, "to_fail"), seconds=30, what="the last line", pause=0.5)
    said = engine.said(DAG, "to_fail")
    assert "Server indicated the task shouldn't be running anymore. Terminating process" in said


def test_a_cleared_task_runs_again_with_what_follows(engine: Engine, marked: dict[str, Any]) -> None:
    """The same run, the next try; its earlier try stays in the history."""
    for task in MARKS:
        assert gone(marked[task]["pid"], marked[task]["at"], seconds=30)
    assert engine.task(DAG, "behind_to_clear") == ("success", 1)
    body = {
        "dry_run": False, "dag_run_id": engine.runs[DAG], "task_ids": ["to_clear"], "include_downstream": True,
        "only_failed": False, "reset_dag_runs": True,
    }  # fmt: skip
    engine.rest("POST", f"/dags/{DAG}/clearTaskInstances", Body=body)

    def again() -> bool:
        found = engine.instances(DAG)
        both = [found[task, -1] for task in ("to_clear", "behind_to_clear")]
        return all((one["state"], one["try_number"]) == ("success", 2) for one in both)

    eventually(again, seconds=180, what="both to have run again", pause=1)
    path = f"{engine.path(DAG)}/taskInstances/behind_to_clear"
    assert engine.rest("GET", f"{path}/xcomEntries/return_value")["value"] == 2
    tries = engine.rest("GET", f"{path}/tries")["task_instances"]
    assert [(one["try_number"], one["state"]) for one in tries] == [(1, "success"), (2, "success")]
    assert [one["try"] for one in engine.notes(DAG, "to_clear", "start")] == [1, 2]
