"""The contract of limits: pools, priorities, how many at once, time limits of tasks and runs, the past."""

import itertools

import pytest

from tests.conftest import eventually
from tests.scenario.engines import Engine, gone

pytestmark = pytest.mark.timeout(900)


def spans(engine: Engine, prefix: str, count: int) -> list[tuple[float, float, str]]:
    """Start and end of the `count` tasks of `sem_pools` with this prefix, in order of their start."""
    engine.state("sem_time_limits")  # `sem_pools` itself never ends: a task waits for a pool that is not there
    eventually(lambda: len(ended(engine, prefix)) >= count, seconds=120, what=f"{count} tasks {prefix} to end")
    found = ended(engine, prefix)
    assert len(found) == count
    return found


def ended(engine: Engine, prefix: str) -> list[tuple[float, float, str]]:
    open_, found = {}, []
    for one in engine.notes("sem_pools"):
        if one["task"].startswith(prefix):
            key = (one["task"], one["map"])
            if one["what"] == "start":
                open_[key] = one["at"]
            else:
                found.append((open_[key], one["at"], one["task"]))
    return sorted(found)


def assert_one_after_another(found: list[tuple[float, float, str]]) -> None:
    for (_, ended, _), (started, _, _) in itertools.pairwise(found):
        assert ended <= started


def test_a_pool_of_one_slot_never_has_two_running(engine: Engine) -> None:
    found = spans(engine, "weight_", 4)
    assert_one_after_another(found)


def test_the_heavier_goes_first(engine: Engine) -> None:
    weights = [int(task.split("_")[1]) for _, _, task in spans(engine, "weight_", 4)]
    assert weights == [50, 20, 5, 1]


def test_a_task_of_two_slots_fills_a_pool_of_two(engine: Engine) -> None:
    found = spans(engine, "takes_two_", 2)
    assert_one_after_another(found)


def test_max_active_tis_per_dag_is_kept(engine: Engine) -> None:
    found = spans(engine, "one_at_a_time", 3)
    assert_one_after_another(found)


def test_a_task_of_a_pool_that_is_not_there_waits(engine: Engine) -> None:
    """No failure: it stays scheduled until somebody makes the pool."""
    spans(engine, "", 9)
    assert engine.instances("sem_pools")["nowhere", -1]["state"] == "scheduled"
    assert engine.notes("sem_pools", "nowhere") == []


@pytest.mark.parametrize(("task", "state", "tries"), [
    ("sleeps", "failed", 1),
    ("sleeps_once", "success", 2),
    ("waits_for_a_child", "failed", 1),
    ("catches_everything", "failed", 1),  # `except Exception` does not stop the time limit
    ("leaves_a_child", "failed", 1),
    ("bash", "failed", 1),
])  # fmt: skip
def test_execution_timeout(engine: Engine, task: str, state: str, tries: int) -> None:
    assert engine.task("sem_time_limits", task) == (state, tries)


def test_execution_timeout_is_told(engine: Engine) -> None:
    assert "AirflowTaskTimeout" in str(engine.log("sem_time_limits", "sleeps"))
    assert engine.notes("sem_time_limits", "sleeps", "end") == []


def test_execution_timeout_runs_on_kill(engine: Engine) -> None:
    engine.ended("sem_time_limits")
    assert engine.note("sem_time_limits", "leaves_a_child", "on_kill")


def test_execution_timeout_ends_the_shell_of_a_bash_task(engine: Engine) -> None:
    """BashOperator's on_kill ends the group of its shell."""
    engine.ended("sem_time_limits")
    shell = engine.note("sem_time_limits", "bash", "start")
    assert gone(shell["child"], shell["at"], seconds=5)


def test_execution_timeout_leaves_a_child_that_on_kill_does_not_end(engine: Engine) -> None:
    """It is an exception in the task, no signal to its group: a child that nobody ends lives on."""
    engine.ended("sem_time_limits")
    left = engine.note("sem_time_limits", "leaves_a_child", "start")
    assert gone(left["pid"], left["at"], seconds=30)
    assert not gone(left["child"], left["at"])


def test_depends_on_past_waits_for_the_last_run(engine: Engine) -> None:
    """The first run's task failed: the second's does not start. Marked as success, it does."""
    assert engine.state("sem_past", "first") == "failed"
    engine.state("sem_time_limits")
    second = engine.instances("sem_past", "second")["once_only", -1]
    assert second["state"] is None
    assert engine.notes("sem_past", run="second") == []
    engine.rest("PATCH", engine.path("sem_past", "first") + "/taskInstances/once_only", Body={"new_state": "success"})
    assert engine.state("sem_past", "second") == "success"
    assert len(engine.notes("sem_past", run="second")) == 1


def test_a_run_that_outlasts_its_timeout_fails(engine: Engine) -> None:
    """dagrun_timeout: the run fails, its unfinished tasks are skipped, the running one's whole group is ended."""
    engine.state("sem_time_limits")
    engine.start("sem_run_limit")
    assert engine.state("sem_run_limit") == "failed"
    started = engine.note("sem_run_limit", "outlasts", "start")
    assert gone(started["pid"], started["at"], seconds=30)
    assert gone(started["child"], started["at"], seconds=5)
    assert engine.task("sem_run_limit", "outlasts")[0] == "skipped"
    assert engine.task("sem_run_limit", "behind") == ("skipped", 0)
    assert engine.note("sem_run_limit", None, "dag_failed")["reason"] == "timed_out"
