"""Two schedulers at once: each task is tried once, one of them is woken by events, and the other takes its place."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.conftest import Service, eventually
from tests.scenario.insight import environment_id, program_of, superuser
from tradewind_airflow.engine.hearing import PROMPT_LOCK

NAME = "pair"
DAGS = """
import time
from airflow.sdk import dag, task

@dag(schedule=None, max_active_tasks=100)
def fan():
    for number in range(40):
        @task(task_id=f"one{number}")
        def one():
            return number
        one()

@dag(schedule=None)
def line():
    before = None
    for number in range(8):
        @task(task_id=f"link{number}", retries=1, retry_delay=1)
        def link(number=number):
            time.sleep(0 if number else 5)
            return number
        now = link()
        if before is not None:
            before >> now
        before = now

fan()
line()
"""
# Airflow's scheduler takes an advisory lock of its own for moments, with another key.
PROMPT = """
SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = %s
AND d.datname = %s
"""


# How soon a scheduler looks after tasks of another one that died: stock's is 5 min.
OPTIONS = {"scheduler.orphaned_tasks_check_interval": "10", "scheduler.scheduler_health_check_threshold": "40"}

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def pair(service: Service) -> Iterator[str]:
    bucket = service.bucket(NAME)
    (bucket / "dags" / "work.py").write_text(DAGS)
    service.create(
        NAME, NAME, EnvironmentClass="mw1.small", Schedulers=2, MaxWorkers=1, AirflowConfigurationOptions=OPTIONS
    )
    found = service.wait(NAME)
    assert found["Status"] == "AVAILABLE", found.get("LastUpdate")
    yield NAME
    service.client().delete_environment(Name=NAME)
    service.wait_gone(NAME)


def prompt_sessions(service: Service) -> list[int]:
    """Sessions that hold the lock of the scheduler that is woken."""
    database = f"env_{environment_id(service, NAME)}"
    with psycopg.connect(superuser(service, "postgres")) as connection:
        return [int(row[0]) for row in connection.execute(PROMPT, (PROMPT_LOCK, database)).fetchall()]


def instances(service: Service, dag: str, run: str) -> list[dict[str, Any]]:
    path = f"/dags/{dag}/dagRuns/{run}/taskInstances"
    found: list[dict[str, Any]] = service.rest(NAME, "GET", path, QueryParameters={"limit": 100})["task_instances"]
    return found


def states(service: Service, dag: str, run: str) -> dict[str, Any]:
    return {each["task_id"]: each["state"] for each in instances(service, dag, run)}


def test_both_run_and_one_is_woken(service: Service, pair: str) -> None:
    id_ = environment_id(service, pair)
    assert program_of(service, id_, "scheduler-1") != program_of(service, id_, "scheduler-2")
    eventually(lambda: len(prompt_sessions(service)) == 1, seconds=20, what="one scheduler to listen for all")


def test_each_task_of_a_fan_is_tried_once(service: Service, pair: str) -> None:
    run = service.run_dag(pair, "fan", seconds=400)
    assert run["state"] == "success"
    found = instances(service, "fan", run["dag_run_id"])
    assert len(found) == 40
    assert {(each["state"], each["try_number"]) for each in found} == {("success", 1)}


def test_the_one_that_is_woken_dies_and_the_line_goes_on(service: Service, pair: str) -> None:
    service.run_dag(pair, "line")  # it is known and warm
    run = service.start_dag(pair, "line")
    # Not between choosing a task and sending it: Airflow looks for such a message only after task_queued_timeout.
    eventually(lambda: states(service, "line", run).get("link0") == "running", seconds=60, what="a link", pause=0.1)
    eventually(lambda: len(prompt_sessions(service)) == 1, seconds=20, what="one scheduler to listen for all")
    (before,) = prompt_sessions(service)
    with psycopg.connect(superuser(service, "postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (before,))
    program = program_of(service, environment_id(service, pair), "scheduler-1")
    assert program is not None
    program.kill()
    ended: dict[str, Any] = {}

    def final() -> bool:
        ended.update(service.rest(pair, "GET", f"/dags/line/dagRuns/{run}"))
        return ended["state"] in {"success", "failed"}

    eventually(final, seconds=240, what="the line to end")
    assert ended["state"] == "success"
    assert {each["state"] for each in instances(service, "line", run)} == {"success"}
    eventually(lambda: len(prompt_sessions(service)) == 1, seconds=30, what="another one to listen")
    time.sleep(1.5)
    assert len(prompt_sessions(service)) == 1
    assert prompt_sessions(service) != [before]
