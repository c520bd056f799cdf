"""Snapshots and copies of a real environment, through our own API with an unchanged boto3."""

import shutil
import time
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT, Service, eventually, tradewind
from tests.scenario.insight import environment_id, running
from tests.scenario.removing import nothing_left, remove

NAME = "saved"

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def saved(service: Service) -> Iterator[str]:
    """An environment of this module's own, with a plugin, and history, a connection and a variable in it."""
    shutil.copy(ROOT / "tests" / "dags" / "simple.py", service.bucket(NAME) / "dags")
    service.create(NAME, NAME)
    assert service.wait(NAME)["Status"] == "AVAILABLE"
    service.run_dag(NAME, "simple")
    connection = {
        "connection_id": "production", "conn_type": "postgres", "host": "db.example", "login": "me",
        "password": "s3cret", "extra": '{"sslmode": "require"}',
    }  # fmt: skip
    service.rest(NAME, "POST", "/connections", Body=connection)
    service.rest(NAME, "POST", "/variables", Body={"key": "kept", "value": "secret value"})
    yield NAME
    remove(service, NAME)


def take(service: Service) -> str:
    """A snapshot that is there."""
    client = service.own()
    id_ = str(client.create_snapshot(Name=NAME)["SnapshotId"])

    def is_taken() -> bool:
        found = client.get_snapshot(SnapshotId=id_)["Snapshot"]
        assert found["State"] != "FAILED", found
        return bool(found["State"] == "AVAILABLE")

    eventually(is_taken, seconds=60, what="the snapshot")
    return id_


def test_taking_one_disturbs_nothing(service: Service, saved: str) -> None:
    before = running(service, environment_id(service, NAME))
    id_ = take(service)
    (found,) = [
        each for each in service.own().list_snapshots(EnvironmentName=NAME)["Snapshots"] if each["SnapshotId"] == id_
    ]
    assert (found["Kind"], found["EnvironmentName"]) == ("MANUAL", NAME)
    assert found["Bytes"] > 10_000
    assert running(service, environment_id(service, NAME)) == before
    folder = service.data / "snapshots" / id_
    assert (folder.stat().st_mode & 0o777, folder.parent.stat().st_mode & 0o777) == (0o700, 0o700)
    service.own().delete_snapshot(SnapshotId=id_)
    eventually(lambda: not folder.exists(), seconds=30, what="its files to go")


def test_an_environment_is_brought_back(service: Service, saved: str) -> None:
    """Database and settings are those of the snapshot; what was done since is in one that the restore takes."""
    client = service.client()
    version = client.get_environment(Name=NAME)["Environment"].get("AirflowConfigurationOptions")
    id_ = take(service)
    runs = service.rest(NAME, "GET", "/dags/simple/dagRuns")["total_entries"]
    service.rest(NAME, "POST", "/variables", Body={"key": f"later-{time.time_ns()}", "value": "x"})
    service.run_dag(NAME, "simple")
    client.update_environment(Name=NAME, AirflowConfigurationOptions={"core.default_task_retries": "2"})
    assert service.settle(NAME)[0]["Status"] == "AVAILABLE"
    service.own().restore_snapshot(SnapshotId=id_)
    found, _ = service.settle(NAME)
    assert (found["Status"], found["LastUpdate"]["Status"]) == ("AVAILABLE", "SUCCESS"), found["LastUpdate"]
    assert found.get("AirflowConfigurationOptions") == version
    assert [each["key"] for each in service.rest(NAME, "GET", "/variables")["variables"]] == ["kept"]
    assert service.rest(NAME, "GET", "/dags/simple/dagRuns")["total_entries"] == runs
    assert service.rest(NAME, "GET", "/connections/production")["login"] == "me"
    assert service.run_dag(NAME, "simple")["state"] == "success"
    kinds = [each["Kind"] for each in service.own().list_snapshots(EnvironmentName=NAME)["Snapshots"]]
    assert "AUTOMATIC" in kinds


def test_a_copy_has_everything_and_does_nothing(service: Service, saved: str) -> None:
    done = tradewind("fork", NAME, "saved-copy", data=service.data)
    assert done.returncode == 0, done.stderr
    try:
        assert service.rest("saved-copy", "GET", "/variables/kept")["value"] == "secret value"
        connection = service.rest("saved-copy", "GET", "/connections/production")
        assert (connection["host"], connection["login"]) == ("db.example", "me")
        assert (connection["password"], connection["extra"]) == (None, None)
        assert service.rest("saved-copy", "GET", "/dags/simple")["is_paused"]
        assert service.rest("saved-copy", "GET", "/dags/simple/dagRuns")["total_entries"] >= 1
        assert service.rest(NAME, "GET", "/connections/production")["password"] == "***", "the first one keeps its own"
        assert service.run_dag("saved-copy", "simple")["state"] == "success"
        kinds = [each["Kind"] for each in service.own().list_snapshots()["Snapshots"]]
        assert "FORK" not in kinds, "what it was made of is not kept"
    finally:
        id_ = environment_id(service, "saved-copy")
        service.client().delete_environment(Name="saved-copy")
        service.wait_gone("saved-copy")
    nothing_left(service, id_)
    assert service.run_dag(NAME, "simple")["state"] == "success"


def test_a_snapshot_outlives_its_environment(service: Service) -> None:
    shutil.copy(ROOT / "tests" / "dags" / "simple.py", service.bucket("mortal") / "dags")
    service.create("mortal", "mortal")
    assert service.wait("mortal")["Status"] == "AVAILABLE"
    service.rest("mortal", "POST", "/variables", Body={"key": "kept", "value": "secret value"})
    done = tradewind("snapshot", "create", "mortal", "-o", "json", data=service.data)
    assert done.returncode == 0, done.stderr
    (found,) = service.own().list_snapshots(EnvironmentName="mortal")["Snapshots"]
    service.client().delete_environment(Name="mortal")
    service.wait_gone("mortal")
    refused = tradewind("snapshot", "restore", found["SnapshotId"], data=service.data)
    assert refused.returncode != 0
    assert "is not there any more" in refused.stderr
    done = tradewind(
        "snapshot", "restore", found["SnapshotId"], "--as", "reborn", "--connections", "keep",
        data=service.data,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert service.rest("reborn", "GET", "/variables/kept")["value"] == "secret value"
    assert service.rest("reborn", "GET", "/dags/simple")["is_paused"], "whatever becomes of connections"
    done = tradewind("snapshot", "delete", found["SnapshotId"], data=service.data)
    assert done.returncode == 0, done.stderr
    service.client().delete_environment(Name="reborn")
    service.wait_gone("reborn")
