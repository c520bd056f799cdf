"""The contract of tries: how often, how soon, with which code and Variables; and of callbacks."""

import datetime as dt
import itertools

import pytest

from tests.conftest import eventually
from tests.scenario.engines import Engine

pytestmark = pytest.mark.timeout(900)
DAG = "sem_retries"


def waits(engine: Engine, task: str) -> list[float]:
    """Seconds from the start of each try to that of the next."""
    engine.ended(DAG)
    starts = engine.notes(DAG, task, "start")
    assert [one["try"] for one in starts] == list(range(1, len(starts) + 1))
    return [b["at"] - a["at"] for a, b in itertools.pairwise(starts)]


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(("task", "state", "tries"), [
    ("at_once", "success", 3),
    ("after_two_seconds", "success", 2),
    ("exponential", "success", 3),
    ("exponential_with_a_ceiling", "success", 2),
    ("exhausted", "failed", 2),
    ("killed", "failed", 1),
    ("skipped", "skipped", 1),
    ("sees_change", "success", 2),
    ("clears_its_xcoms", "success", 2),
    ("callback_raises", "success", 1),
])  # fmt: skip
def test_tries(engine: Engine, task: str, state: str, tries: int) -> None:
    assert engine.task(DAG, task) == (state, tries)


def test_each_try_is_a_process_of_its_own(engine: Engine) -> None:
    engine.ended(DAG)
    assert len({one["pid"] for one in engine.notes(DAG, "at_once", "start")}) == 3


def test_retry_delay_is_kept(engine: Engine) -> None:
    assert waits(engine, "after_two_seconds")[0] >= 2


def test_exponential_delays_are_kept(engine: Engine) -> None:
    """Between once and twice the delay, doubled with each try: at least 1 s, then at least 2 s."""
    first, second = waits(engine, "exponential")
    assert first >= 1
    assert second >= 2


def test_max_retry_delay_is_a_ceiling(engine: Engine) -> None:
    """The delay itself is a minute. Looked at is when the second try was queued, not when a slot was free for it."""
    assert waits(engine, "exponential_with_a_ceiling")[0] >= 2
    path = f"{engine.path(DAG)}/taskInstances/exponential_with_a_ceiling/tries"
    one, two = engine.rest("GET", path)["task_instances"]
    assert (moment(two["scheduled_when"]) - moment(one["end_date"])).total_seconds() < 45


def test_a_variable_changed_between_two_tries_is_seen(engine: Engine) -> None:
    """In the task, and in what its DAG file reads at import."""
    result = engine.xcom(DAG, "sees_change")
    first, second = engine.notes(DAG, "sees_change", "read")
    assert (first["at_import"], first["in_task"]) == ("undefined", "undefined")
    assert (second["at_import"], second["in_task"]) == ("second", "second")
    assert (result["at_import"], result["in_task"], result["own"]) == ("second", "second", 2)


def test_a_try_begins_without_the_xcoms_of_the_last_one(engine: Engine) -> None:
    assert ("clears_its_xcoms", "left") not in engine.xcoms(DAG)
    assert ("clears_its_xcoms", "return_value") not in engine.xcoms(DAG)  # it pulled None


def test_every_try_is_in_the_history(engine: Engine) -> None:
    engine.ended(DAG)
    tries = engine.rest("GET", f"{engine.path(DAG)}/taskInstances/at_once/tries")["task_instances"]
    states = sorted((one["try_number"], one["state"]) for one in tries)
    assert states == [(1, "failed"), (2, "failed"), (3, "success")]


def callbacks(engine: Engine, task: str) -> list[tuple[str, int]]:
    engine.ended(DAG)
    told = [(one["what"], one["of"]) for one in engine.notes(DAG, task) if one["what"].startswith("on_")]
    return sorted(told, key=lambda one: one[1])  # the next try may begin while the last one's callback runs


def test_callbacks_of_a_task_that_succeeds_at_last(engine: Engine) -> None:
    assert callbacks(engine, "at_once") == [
        ("on_execute", 1), ("on_retry", 1), ("on_execute", 2), ("on_retry", 2), ("on_execute", 3), ("on_success", 3),
    ]  # fmt: skip


def test_callbacks_of_a_task_that_fails_for_good(engine: Engine) -> None:
    assert callbacks(engine, "exhausted") == [("on_execute", 1), ("on_retry", 1), ("on_execute", 2), ("on_failure", 2)]


def test_callbacks_of_a_skipped_task(engine: Engine) -> None:
    assert callbacks(engine, "skipped") == [("on_execute", 1), ("on_skipped", 1)]


def test_a_killed_task_has_no_failure_callback(engine: Engine) -> None:
    """Its process would have called it; stock calls it nowhere else when the supervisor saw the death."""
    assert callbacks(engine, "killed") == [("on_execute", 1)]


def test_callbacks_run_in_the_tasks_process_after_its_state_is_known(engine: Engine) -> None:
    engine.ended(DAG)
    *_, start, last = [one for one in engine.notes(DAG, "exhausted") if one["try"] == 2]
    assert start["pid"] == last["pid"]
    assert last["state"] == "TaskInstanceState.FAILED"
    assert last["error"] == "ValueError('try 2')"


def test_a_callback_that_raises_changes_nothing(engine: Engine) -> None:
    assert engine.task(DAG, "callback_raises") == ("success", 1)
    eventually(
        lambda: "a callback that raises" in str(engine.log(DAG, "callback_raises")),
        seconds=30,
        what="its line",
        pause=1,
    )


@pytest.mark.parametrize(("dag", "what", "reason"), [
    ("sem_dag_fails", "dag_failed", "task_failure"), ("sem_dag_succeeds", "dag_succeeded", "success"),
])  # fmt: skip
def test_callbacks_of_a_dag_run_outside_of_tasks(engine: Engine, dag: str, what: str, reason: str) -> None:
    """In the DAG processor: once, with the reason."""
    engine.ended(dag)
    note = engine.note(dag, None, what)
    assert note["reason"] == reason
