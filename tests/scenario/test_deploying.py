"""`cp` deploys: new, changed, deleted and broken DAG files of a directory bucket, as a user sees them."""

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import Service, eventually
from tests.scenario.insight import environment_id

SOURCE = """
from airflow.sdk import dag, task

@dag(schedule=None)
def {name}():
    @task
    def say():
        return {value!r}
    say()

{name}()
"""
# The promise is 5 s from the moment the file is whole. What is printed tells whether it was kept; what is asserted
# leaves room for a DAG processor that a test before this one has killed and that a busy machine is still starting.
PROMISED = 5.0
ALLOWED = 90.0


def known(service: Service, environment: str, dag: str) -> bool:
    try:
        return not service.rest(environment, "GET", f"/dags/{dag}")["is_stale"]
    except service.client().exceptions.ClientError:
        return False


def said(service: Service, environment: str, dag: str) -> object:
    run = service.run_dag(environment, dag)
    assert run["state"] == "success"
    path = f"/dags/{dag}/dagRuns/{run['dag_run_id']}/taskInstances/say/xcomEntries/return_value"
    return service.rest(environment, "GET", path)["value"]


@pytest.fixture
def dags(service: Service, environment: str) -> Iterator[Path]:
    """The bucket's folder. Afterwards, for whoever has to find out why a file was not taken up: where it got to."""
    yield service.data / "buckets" / "shared" / "dags"
    home = service.data / "environments" / environment_id(service, environment)
    print("in force:", *(home / "bundle").glob("current"), (home / "bundle" / "current").readlink())
    for version in sorted((home / "bundle" / "versions").iterdir(), key=lambda path: path.stat().st_mtime)[-3:]:
        print(version.name, time.time() - version.stat().st_mtime, sorted(path.name for path in version.iterdir()))
    for log in (service.data / "logs" / "control-plane.log", home / "logs" / "dag-processor.log"):
        print(f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-30:], sep="\n")
    for each in psutil.process_iter(["name", "status", "cmdline", "create_time"]):
        if "dag-processor" in " ".join(each.info["cmdline"] or ()):
            print(each.pid, each.info["status"], each.info["create_time"])


def test_a_new_file_a_changed_file_and_a_deleted_file(service: Service, environment: str, dags: Path) -> None:
    file = dags / "deployed.py"
    started = time.monotonic()
    file.write_text(SOURCE.format(name="deployed", value="first"))
    eventually(lambda: known(service, environment, "deployed"), seconds=ALLOWED, what="the new DAG", pause=0.1)
    print(f"new file known after {time.monotonic() - started:.1f} s (promised: {PROMISED} s)")
    assert said(service, environment, "deployed") == "first"

    before = service.rest(environment, "GET", "/dags/deployed")["bundle_version"]
    file.write_text(SOURCE.format(name="deployed", value="second"))
    eventually(
        lambda: service.rest(environment, "GET", "/dags/deployed")["bundle_version"] != before,
        seconds=ALLOWED, what="the changed file", pause=0.1,
    )  # fmt: skip
    assert said(service, environment, "deployed") == "second"

    file.unlink()
    eventually(lambda: not known(service, environment, "deployed"), seconds=ALLOWED, what="the DAG to go away")


def test_a_broken_file_is_an_import_error_and_leaves_the_others_alone(
    service: Service, environment: str, dags: Path
) -> None:
    broken = dags / "broken.py"
    # without these two words Airflow does not look into a file at all
    broken.write_text("from airflow.sdk import dag\nimport nothing_of_this_name\n")
    try:

        def shown() -> bool:
            errors = service.rest(environment, "GET", "/importErrors")["import_errors"]
            return any(
                e["filename"].endswith("broken.py") and "nothing_of_this_name" in e["stack_trace"] for e in errors
            )

        eventually(shown, seconds=ALLOWED, what="the import error")
        eventually(lambda: known(service, environment, "simple"), seconds=ALLOWED, what="the others")
        assert service.run_dag(environment, "simple")["state"] == "success"
    finally:
        broken.unlink()

    def healed() -> bool:
        return not service.rest(environment, "GET", "/importErrors")["import_errors"]

    eventually(healed, seconds=ALLOWED, what="the import error to go away")
