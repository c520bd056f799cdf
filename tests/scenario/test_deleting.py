"""Deleting leaves nothing behind, whenever it is asked for; stopping stops what was started and nothing else."""

import contextlib
import time

import pytest

from tests.conftest import Service, bring_up, eventually, tradewind
from tests.scenario.insight import environment_id, left_of
from tests.scenario.removing import nothing_left
from tradewind.settings import run_directory


@pytest.mark.timeout(600)
@pytest.mark.parametrize("pause", [0.0, 2.5, 8.0])
def test_deleting_while_creating(service: Service, pause: float) -> None:
    name = f"early-{str(pause).replace('.', '-')}"
    service.bucket("early")
    service.create(name, "early")
    id_ = environment_id(service, name)
    time.sleep(pause)
    client = service.client()  # an exception's class is its client's own
    client.delete_environment(Name=name)
    with contextlib.suppress(client.exceptions.ResourceNotFoundException):  # it is gone already
        assert client.get_environment(Name=name)["Environment"]["Status"] in {"DELETING", "DELETED"}
    service.wait_gone(name, seconds=300)
    nothing_left(service, id_)


def test_an_environment_without_dags_comes_up_and_goes_without_a_trace(service: Service) -> None:
    service.bucket("empty")
    service.create("empty", "empty")
    id_ = environment_id(service, "empty")
    found = service.wait("empty")
    assert found["Status"] == "AVAILABLE", found["LastUpdate"]
    assert service.rest("empty", "GET", "/dags")["total_entries"] == 0
    service.client().delete_environment(Name="empty")
    service.wait_gone("empty")
    nothing_left(service, id_)
    service.create("empty", "empty")  # the name is free again
    service.client().delete_environment(Name="empty")
    service.wait_gone("empty", seconds=120)


def test_what_cannot_be_had_names_the_cause_and_leaves_nothing_running(service: Service) -> None:
    bucket = service.bucket("bad")
    (bucket / "requirements.txt").write_text("six==1.17.0\nsix==1.16.0\n")
    service.create("bad", "bad", RequirementsS3Path="requirements.txt")
    id_ = environment_id(service, "bad")
    found = service.wait("bad")
    assert found["Status"] == "CREATE_FAILED"
    assert found["LastUpdate"]["Status"] == "FAILED"
    assert "six==1.17.0" in found["LastUpdate"]["Error"]["ErrorMessage"]
    folder = service.data / "environments" / id_

    def only_logs() -> bool:
        return not folder.exists() or {path.name for path in folder.iterdir()} <= {"logs"}

    eventually(only_logs, seconds=20, what="what was made to be taken back")
    service.client().delete_environment(Name="bad")
    service.wait_gone("bad")
    nothing_left(service, id_)


def test_down_stops_everything_and_the_next_up_goes_on(data_root) -> None:
    data = data_root / "brief"
    first = bring_up(data)
    assert left_of(data)
    done = tradewind("down", data=data)
    assert done.returncode == 0, done.stderr
    eventually(lambda: left_of(data) == [], seconds=60, what="every process to be gone")
    run = run_directory(data)
    assert run.parent == data or not run.exists(), "a folder of sockets elsewhere goes too"
    again = bring_up(data)
    try:
        assert again == first
    finally:
        assert tradewind("down", data=data).returncode == 0


SLEEPS = """
import time
from airflow.sdk import dag, task

@dag(schedule=None)
def sleeps():
    @task
    def long():
        time.sleep(600)
    long()

sleeps()
"""


def test_deleting_while_a_task_runs_does_not_wait_for_it(service: Service) -> None:
    (service.bucket("busy") / "dags" / "sleeps.py").write_text(SLEEPS)
    service.create("busy", "busy")
    id_ = environment_id(service, "busy")
    assert service.wait("busy")["Status"] == "AVAILABLE"
    run = service.start_dag("busy", "sleeps")
    path = f"/dags/sleeps/dagRuns/{run}/taskInstances/long"
    eventually(lambda: service.rest("busy", "GET", path)["state"] == "running", seconds=60, what="the task to run")
    service.client().delete_environment(Name="busy")
    service.wait_gone("busy", seconds=180)
    nothing_left(service, id_)
