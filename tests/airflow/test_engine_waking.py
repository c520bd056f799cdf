"""What wakes the scheduler: notifications of a real environment's database, and the executor that waits for them."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.airflow.conftest import eventually
from tradewind_airflow.engine.hearing import PROMPT_LOCK
from tradewind_airflow.engine.triggers import CHANNEL, TRIGGERS, Told, told

CHAIN = """
from airflow.sdk import dag, task

@dag(schedule=None, is_paused_upon_creation=False)
def chain():
    before = None
    for number in range(6):
        @task(task_id=f"link{number}")
        def link():
            return number
        now = link()
        if before is not None:
            before >> now
        before = now

chain()
"""


LISTENING = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    f" AND (classid::bigint << 32 | objid::bigint) = {PROMPT_LOCK}"
)


class Listener:
    """Everything that is told while it listens."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def heard(self, *, for_: float = 0.3) -> list[Told]:
        return [told(each.payload) for each in self._connection.notifies(timeout=for_)]


@pytest.fixture
def listener(stage) -> Iterator[Listener]:
    url = stage.postgres.url("postgres", stage.postgres.password, stage.database)
    with psycopg.connect(url, autocommit=True, application_name="a test") as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        yield Listener(connection)


@contextlib.contextmanager
def changed(stage, what: str, back: str) -> Iterator[None]:
    stage.postgres.query(what, stage.database)
    try:
        yield
    finally:
        stage.postgres.query(back, stage.database)


@pytest.fixture
def client(stage):
    return stage.client()


@pytest.fixture(scope="module", autouse=True)
def _chain(stage) -> None:
    """The DAG is there, whichever test comes first and whatever another module has deployed before."""
    stage.deploy({"chain.py": CHAIN})
    client, end = stage.client(), time.monotonic() + 120
    while (answer := client.get("/api/v2/dags/chain")).status_code != 200 or answer.json()["is_stale"]:
        assert time.monotonic() < end, "chain is not known"
        time.sleep(0.1)
    while not stage.postgres.query(LISTENING, stage.database)[0][0]:
        assert time.monotonic() < end, "the scheduler does not listen"
        time.sleep(0.1)


def test_every_trigger_is_there_and_each_once(stage):
    found = stage.postgres.query(
        "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND t.tgname LIKE 'tradewind_wake%'",
        stage.database,
    )
    assert sorted(found) == sorted((trigger.table, trigger.name) for trigger in TRIGGERS)


def test_a_run_is_told_of_by_those_who_write_and_the_scheduler_is_silent_on_its_way(stage, client, listener):
    listener.heard(for_=2)
    run = stage.trigger(client, "chain")
    assert run["state"] == "success"
    news = listener.heard(for_=1)
    assert Told("tradewind-api-server", "dag_run") in news, "the run was triggered through the API"
    ends = [each for each in news if each.table == "task_instance"]
    end = Told("tradewind-api-server", "task_instance", ("chain", run["dag_run_id"]))
    assert set(ends) == {end}, "scheduling and queueing tell nobody"
    assert len(ends) == 6, "one for each end"
    assert {each.table for each in news if each.writer == "tradewind-scheduler"} <= {"dag_run"}


def test_a_chain_does_not_wait_a_second_between_two_tasks(stage, client):
    """The measure is in benchmarks; here only that the loop's second is not there: stock needs at least 6 of them."""
    stage.trigger(client, "chain")  # everything is warm
    run = stage.trigger(client, "chain")["dag_run_id"]
    tasks = client.get(f"/api/v2/dags/chain/dagRuns/{run}/taskInstances").json()["task_instances"]
    waits = stage.postgres.query(
        "SELECT extract(epoch FROM t.scheduled_dttm - lag(t.end_date) OVER (ORDER BY t.start_date))"
        f" FROM task_instance t WHERE t.run_id = '{run}'",
        stage.database,
    )
    found = sorted(float(wait) for (wait,) in waits if wait is not None)
    assert len(tasks) == 6
    assert found[len(found) // 2] < 0.6, f"seconds from the end of a task to the next one's scheduling: {found}"


def test_what_changes_nothing_for_the_scheduler_tells_nobody(stage, client, listener):
    listener.heard(for_=2)
    with changed(
        stage,
        "UPDATE dag SET last_parsed_time = now(), is_paused = is_paused WHERE dag_id = 'chain'",
        "UPDATE task_instance SET last_heartbeat_at = now(), state = state WHERE dag_id = 'chain'",
    ):
        pass
    assert [each for each in listener.heard(for_=0.5) if each.writer == ""] == []


CHANGES = {
    "dag": ("UPDATE dag SET is_paused = true WHERE dag_id = 'chain'",
            "UPDATE dag SET is_paused = false WHERE dag_id = 'chain'"),
    "slot_pool": ("UPDATE slot_pool SET slots = slots + 1", "UPDATE slot_pool SET slots = slots - 1"),
}  # fmt: skip


@pytest.mark.parametrize("table", CHANGES)
def test_a_pause_and_a_greater_pool_are_told(stage, client, listener, table):
    listener.heard(for_=1)
    change, back = CHANGES[table]
    with changed(stage, f"SET application_name = 'a person'; {change}", back):
        eventually(
            lambda: Told("a person", table) in listener.heard(for_=0.5), seconds=30, what="the change to be told"
        )


def test_an_idle_scheduler_makes_about_one_pass_a_second(stage, client, listener):
    """Its own writes, its heartbeats among them, do not wake it: a loop that wakes itself would spin."""
    time.sleep(2)
    listener.heard(for_=0.1)
    count = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    before = stage.postgres.query(count, stage.database)[0][0]
    time.sleep(6)
    commits = (stage.postgres.query(count, stage.database)[0][0] - before) / 6
    assert commits < 60, f"{commits:.0f} transactions a second at rest"
    assert [each for each in listener.heard(for_=0.1) if each.writer == "tradewind-scheduler"] == []


def test_a_lost_listener_comes_back_and_nothing_stands_still_meanwhile(stage, client):
    """As after a restart of PostgreSQL: all of the scheduler's sessions are ended, the listening one too."""
    ended = stage.postgres.query(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'tradewind-scheduler'"
        f" AND query LIKE '%pg_try_advisory_lock%' OR query = 'LISTEN {CHANNEL}'",
        stage.database,
    )[0][0]
    assert ended >= 1, "there was no listening session"
    assert stage.trigger(client, "chain")["state"] == "success"
    end = time.monotonic() + 15
    while not stage.postgres.query(LISTENING, stage.database)[0][0]:
        assert time.monotonic() < end, "the scheduler listens no longer"
        time.sleep(0.3)


def test_the_steps_that_are_left_out_are_those_of_this_airflow(stage):
    done = stage.run("-c", "from tradewind_airflow.compat import dag_run_steps; print(dag_run_steps.install())")
    assert done.stdout.split()[-1:] == ["True"], done.stderr


def test_what_a_worker_keeps_ready_fits_this_airflow(stage):
    code = (
        "from tradewind_airflow.engine import warmth; warmth.prepare()\n"
        "from airflow.sdk.execution_time import comms\n"
        "print(comms.TypeAdapter(comms.ToTask) is comms.TypeAdapter(comms.ToTask))\n"
        "import importlib.util as u; print([m for m in warmth.MODULES if u.find_spec(m) is None])\n"
    )
    done = stage.run("-c", code)
    assert done.stdout.splitlines()[-2:] == ["True", "[]"], done.stdout + done.stderr
