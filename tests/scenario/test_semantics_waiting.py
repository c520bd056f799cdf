"""The contract of waiting without a slot: deferral, rescheduling, other DAGs' runs, assets."""

import pytest

from tests.conftest import eventually
from tests.scenario.engines import Engine

pytestmark = pytest.mark.timeout(900)
DAG = "sem_waiting"


@pytest.mark.parametrize(("task", "state", "tries"), [
    ("defers_once", "success", 1),
    ("defers_twice", "success", 1),  # being resumed is no new try
    ("trigger_of_dag_file", "failed", 1),  # the triggerer cannot import from a DAG bundle
    ("deferral_times_out", "failed", 1),
    ("resumed_and_failed", "success", 2),
    ("time_delta_deferrable", "success", 1),
    ("date_time_async", "success", 1),
    ("rescheduled", "success", 1),  # being rescheduled is no new try
    ("poked", "success", 1),
    ("times_out", "failed", 1),  # a sensor's timeout takes no retry, though there are two
    ("times_out_softly", "skipped", 1),
    ("run_child_waited", "success", 1),
    ("run_child_fail", "failed", 1),
    ("run_child_deferred", "success", 1),
    ("update", "success", 1),
    ("update_and_fail", "failed", 1),
])  # fmt: skip
def test_ending(engine: Engine, task: str, state: str, tries: int) -> None:
    assert engine.task(DAG, task) == (state, tries)


@pytest.mark.parametrize(("task", "times"), [("defers_once", 1), ("defers_twice", 2)])
def test_a_deferred_task_is_resumed_with_the_event_and_its_arguments(engine: Engine, task: str, times: int) -> None:
    found = engine.xcom(DAG, task)
    assert (found["event"].lower(), found["number"]) == ("datetime", times)
    assert [one["what"] for one in engine.notes(DAG, task)] == ["execute"] + ["resume"] * times


def test_a_resumed_task_keeps_its_xcoms(engine: Engine) -> None:
    assert engine.xcom(DAG, "defers_once")["before"] == "kept"


def test_a_resumed_task_is_another_process(engine: Engine) -> None:
    engine.ended(DAG)
    assert len({one["pid"] for one in engine.notes(DAG, "defers_twice")}) == 3


def test_the_next_try_of_a_deferrable_task_begins_anew(engine: Engine) -> None:
    engine.ended(DAG)
    told = [(one["what"], one["of"]) for one in engine.notes(DAG, "resumed_and_failed")]
    assert told == [("execute", 1), ("resume", 1), ("execute", 2), ("resume", 2)]


def test_the_log_of_a_deferred_try_is_one(engine: Engine) -> None:
    """Before and after the deferral: the same try, the same log."""
    assert engine.said(DAG, "defers_once").count("::group::Pre Execute") == 2


def test_a_deferral_that_times_out_says_so(engine: Engine) -> None:
    assert "TaskDeferralTimeout" in str(engine.log(DAG, "deferral_times_out"))


def test_a_rescheduled_sensor_is_a_new_process_each_time(engine: Engine) -> None:
    engine.ended(DAG)
    pokes = engine.notes(DAG, "rescheduled", "poke")
    assert [one["of"] for one in pokes] == [1, 1, 1]
    assert len({one["pid"] for one in pokes}) == 3


def test_a_short_interval_is_no_danger_to_a_rescheduled_sensor(engine: Engine) -> None:
    """The executor's word of the last poke's end may come when the next one is already scheduled."""
    if engine.is_stock:
        pytest.skip("stock takes that word for the end of the next poke, and fails the try (a race)")
    assert engine.task(DAG, "rescheduled_quickly") == ("success", 1)
    assert len(engine.notes(DAG, "rescheduled_quickly", "poke")) == 3


def test_a_poking_sensor_stays_in_its_process(engine: Engine) -> None:
    engine.ended(DAG)
    pokes = engine.notes(DAG, "poked", "poke")
    assert len(pokes) == 3
    assert len({one["pid"] for one in pokes}) == 1


@pytest.mark.parametrize(("word", "state"), [("waited", "success"), ("fail", "failed"), ("deferred", "success")])
def test_triggered_runs_have_their_configuration_and_their_id(engine: Engine, word: str, state: str) -> None:
    engine.ended(DAG)
    run = f"{word}__{engine.runs[DAG]}"
    found = engine.rest("GET", engine.path("sem_child", run))
    assert (found["state"], found["conf"], found["run_type"]) == (state, {"word": word}, "operator_triggered")


def test_who_waits_for_a_run_ends_after_it(engine: Engine) -> None:
    waiting = engine.ended(DAG)["run_child_waited", -1]
    child = engine.rest("GET", engine.path("sem_child", f"waited__{engine.runs[DAG]}"))
    assert child["end_date"] <= waiting["end_date"]


def test_an_asset_event_starts_the_runs_of_who_waits_for_it(engine: Engine) -> None:
    """One run: the task that failed made no event. It sees who made it, with what."""
    engine.ended(DAG)

    def runs() -> list[dict[str, str]]:
        return list(engine.rest("GET", "/dags/sem_of_asset/dagRuns")["dag_runs"])

    eventually(lambda: bool(runs()) and runs()[0]["state"] == "success", seconds=90, what="the asset's run", pause=1)
    (run,) = runs()
    assert run["run_type"] == "asset_triggered"
    path = f"/dags/sem_of_asset/dagRuns/{run['dag_run_id']}/taskInstances/heard/xcomEntries/return_value"
    (heard,) = engine.rest("GET", path)["value"]
    assert heard == {"uri": "sem://thing/", "extra": {"rows": 5}, "source": "update"}
