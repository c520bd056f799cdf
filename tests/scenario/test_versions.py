"""Other versions of Airflow: up and down between them, back where one does not work, and nothing lost on the way."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ROOT, Service, eventually, tradewind
from tests.scenario.crashing import databases_of
from tests.scenario.insight import environment_id, running
from tests.scenario.removing import remove
from tradewind.recipe.versions import versions

NAME = "versions"
PAIR = ("3.3.1", "3.2.1")  # one version of our engine, one of stock's, with migrations between them
PICKY = """
import airflow
from airflow.sdk import dag, task
assert airflow.__version__ == "{version}", "this file is for {version}"
@dag(schedule=None)
def picky():
    @task
    def nothing(): pass
    nothing()
picky()
"""
OFTEN = """
from datetime import datetime, timedelta
from airflow.sdk import dag, task
@dag(schedule=timedelta(seconds=2), start_date=datetime(2026, 1, 1), catchup=False, is_paused_upon_creation=False)
def often():
    @task
    def nothing(): pass
    nothing()
often()
"""

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def moving(service: Service, made: str) -> str:
    """The environment, settled: a test that failed may have left it on its way back."""
    client = service.client()

    def is_settled() -> bool:
        return client.get_environment(Name=made)["Environment"]["Status"] in {"AVAILABLE", "UPDATE_FAILED"}

    eventually(is_settled, seconds=300, what="the environment to settle")
    return made


@pytest.fixture(scope="module")
def made(service: Service) -> Iterator[str]:
    """An environment of this module's own, with history, a connection and a variable."""
    shutil.copy(ROOT / "tests" / "dags" / "simple.py", service.bucket(NAME) / "dags")
    service.create(NAME, NAME, AirflowVersion=PAIR[0])
    assert service.wait(NAME, seconds=600)["Status"] == "AVAILABLE"
    service.run_dag(NAME, "simple")
    connection = {"connection_id": "kept", "conn_type": "postgres", "host": "db.example", "password": "s3cret"}
    service.rest(NAME, "POST", "/connections", Body=connection)
    service.rest(NAME, "POST", "/variables", Body={"key": "kept", "value": "secret value"})
    yield NAME
    remove(service, NAME)


def version_of(service: Service) -> str:
    return str(service.client().get_environment(Name=NAME)["Environment"]["AirflowVersion"])


def other(version: str) -> str:
    return PAIR[0] if version == PAIR[1] else PAIR[1]


def update(service: Service, *, seconds: float = 600, **members: Any) -> tuple[dict[str, Any], list[str]]:
    """The environment after an update, and the statuses on the way."""
    return service.update(NAME, seconds=seconds, **members)


def number_of_runs(service: Service, dag: str) -> int:
    return int(service.rest(NAME, "GET", f"/dags/{dag}/dagRuns")["total_entries"])


def runs(service: Service, dag: str) -> dict[str, str]:
    """States of a DAG's runs by their ids."""
    found = service.rest(NAME, "GET", f"/dags/{dag}/dagRuns", QueryParameters={"limit": 100})
    return {run["dag_run_id"]: run["state"] for run in found["dag_runs"]}


def nothing_is_left_over(service: Service) -> None:
    id_ = environment_id(service, NAME)
    eventually(lambda: len(databases_of(service, id_)) == 1, seconds=30, what="the old database to go")
    folder = service.data / "environments" / id_
    eventually(lambda: not list(folder.glob("hold-*")), seconds=30, what="what was held to go")


def test_there_and_back_history_connections_and_variables_stay(service: Service, moving: str) -> None:
    for _ in PAIR:
        before, wanted = runs(service, "simple"), other(version_of(service))
        found, seen = update(service, AirflowVersion=wanted)
        assert (found["Status"], found["AirflowVersion"]) == ("AVAILABLE", wanted), found["LastUpdate"]
        # a snapshot of so little takes two tenths of a second, and may not be seen
        assert [*dict.fromkeys(each for each in seen if each != "CREATING_SNAPSHOT")] == ["UPDATING", "AVAILABLE"]
        assert service.rest(NAME, "GET", "/version")["version"] == wanted
        assert runs(service, "simple") == before
        assert service.rest(NAME, "GET", "/variables/kept")["value"] == "secret value"
        assert service.rest(NAME, "GET", "/connections/kept")["password"] == "***"
        assert service.run_dag(NAME, "simple")["state"] == "success"
        nothing_is_left_over(service)
        kept = service.own().list_snapshots(EnvironmentName=NAME)["Snapshots"]
        assert kept[0]["Kind"] == "AUTOMATIC"
        assert kept[0]["AirflowVersion"] == other(wanted)


@pytest.mark.skipif(os.environ.get("TRADEWIND_VERSIONS") != "all", reason="make versions: half an hour")
def test_through_all_versions_and_back(service: Service, moving: str) -> None:
    """Between neighbours, and from the first to the last and back."""
    upwards = sorted(versions(), key=lambda name: [int(part) for part in name.split(".")])
    before = runs(service, "simple")
    for wanted in (*upwards, *upwards[::-1], upwards[-1], upwards[0]):
        if version_of(service) == wanted:
            continue
        began = time.monotonic()
        found, _ = update(service, AirflowVersion=wanted, seconds=900)
        assert (found["Status"], found["AirflowVersion"]) == ("AVAILABLE", wanted), found["LastUpdate"]
        print(f"to {wanted}: {time.monotonic() - began:.1f} s")
        assert service.rest(NAME, "GET", "/version")["version"] == wanted
        assert before.items() <= runs(service, "simple").items()
        assert service.rest(NAME, "GET", "/variables/kept")["value"] == "secret value"
        assert service.rest(NAME, "GET", "/connections/kept")["password"] == "***"
        assert service.run_dag(NAME, "simple")["state"] == "success"
    found, _ = update(service, AirflowVersion=PAIR[0], seconds=900)
    assert found["Status"] == "AVAILABLE", found["LastUpdate"]


def test_a_version_that_does_not_work_is_taken_back_and_no_run_is_lost(service: Service, moving: str) -> None:
    """Meanwhile the new scheduler, which never proves itself, schedules nothing, and nobody can give it orders."""
    version = version_of(service)
    often = service.bucket(NAME) / "dags" / "often.py"
    often.write_text(OFTEN)
    client = service.client()
    try:
        eventually(lambda: _known(service, "often") and len(runs(service, "often")) >= 2, seconds=90, what="its runs")
        id_ = environment_id(service, NAME)
        options = {"scheduler.max_tis_per_query": "many"}
        before = runs(service, "often")
        client.update_environment(Name=NAME, AirflowVersion=other(version), AirflowConfigurationOptions=options)
        holds = service.data / "environments" / id_
        eventually(lambda: list(holds.glob("hold-*")) != [], seconds=400, what="the hold", pause=0.05)
        refusals: set[str] = set()

        def is_over() -> bool:
            try:
                # once: `rest` would ask again until it is over
                client.invoke_rest_api(Name=NAME, Method="PATCH", Path="/dags/simple", Body={"is_paused": False})
            except ClientError as error:
                refusals.add(str(error.response.get("RestApiResponse", "")))
            return bool(client.get_environment(Name=NAME)["Environment"]["Status"] == "UPDATE_FAILED")

        eventually(is_over, seconds=600, what="the way back")
        found = client.get_environment(Name=NAME)["Environment"]
        # "is being moved to another database", or, on a busy machine, "does not answer" until it is given up
        assert refusals, "nobody was refused"
        assert (found["AirflowVersion"], found["LastUpdate"]["Status"]) == (version, "FAILED")
        assert not found.get("AirflowConfigurationOptions")
        assert found["LastUpdate"]["Error"]["ErrorMessage"].startswith("cannot ")
        assert service.rest(NAME, "GET", "/version")["version"] == version
        count = number_of_runs(service, "often")
        assert before.keys() <= runs(service, "often").keys(), "no run is lost"
        eventually(lambda: number_of_runs(service, "often") >= count + 2, seconds=60, what="it to go on")
        assert service.run_dag(NAME, "simple")["state"] == "success"
        nothing_is_left_over(service)
    finally:
        often.unlink()
        with contextlib.suppress(ClientError):  # whatever it was that failed is told
            service.rest(NAME, "PATCH", "/dags/often", Body={"is_paused": True})


def _known(service: Service, dag: str) -> bool:
    try:
        service.rest(NAME, "GET", f"/dags/{dag}")
    except ClientError:
        return False
    return True


def test_a_dag_that_would_break_is_named_and_nothing_is_touched(service: Service, moving: str) -> None:
    version = version_of(service)
    picky = service.bucket(NAME) / "dags" / "picky.py"
    picky.write_text(PICKY.replace("{version}", version))
    try:
        eventually(lambda: _known(service, "picky"), seconds=60, what="the DAG")
        before = running(service, environment_id(service, NAME))
        found, seen = update(service, AirflowVersion=other(version))
        assert seen[-1] == "UPDATE_FAILED"
        assert "ROLLING_BACK" not in seen
        message = found["LastUpdate"]["Error"]["ErrorMessage"]
        assert "the DAG file picky.py would not load" in message
        assert f"this file is for {version}" in message
        assert running(service, environment_id(service, NAME)) == before
        nothing_is_left_over(service)
    finally:
        picky.unlink()


def test_a_dry_run_of_another_version_takes_no_snapshot(service: Service, moving: str) -> None:
    version, before = version_of(service), running(service, environment_id(service, NAME))
    taken = len(service.own().list_snapshots(EnvironmentName=NAME)["Snapshots"])
    done = tradewind("update", NAME, "--airflow-version", other(version), "--dry-run", data=service.data, timeout=400)
    assert done.returncode == 0, done.stderr
    assert "would restart" in done.stdout
    assert running(service, environment_id(service, NAME)) == before
    assert len(service.own().list_snapshots(EnvironmentName=NAME)["Snapshots"]) == taken
    time.sleep(4)
    nothing_is_left_over(service)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"AirflowVersion": "2.11.2"}, "Airflow version 2.11.2 is not supported"),
        ({"AirflowVersion": "{other}", "WorkerReplacementStrategy": "GRACEFUL"}, "GRACEFUL cannot be had with another"),
    ],
)
def test_what_cannot_be_is_refused_at_once(service: Service, moving: str, members: dict[str, str], words: str) -> None:
    client = service.client()
    asked = {member: value.replace("{other}", other(version_of(service))) for member, value in members.items()}
    with pytest.raises(client.exceptions.ValidationException, match=words):
        client.update_environment(Name=NAME, **asked)
