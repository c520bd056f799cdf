"""Airflow's amazon provider as a client, unmodified: with exported variables from outside, as a DAG from inside."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.conftest import eventually

SCRIPT = Path(__file__).with_name("provider_clients.py")
RUN = "contract-provider"


@pytest.fixture
def simple(service, environment):
    """The DAG that is triggered, ready to run; runs of ours are taken away."""

    def known():
        try:
            service.rest(environment, "PATCH", "/dags/simple", Body={"is_paused": False})
        except ClientError:  # a client's own exceptions are another client's not
            return False
        return True

    eventually(known, seconds=60, what="the DAG to be known")
    yield "simple"
    service.rest(environment, "PATCH", "/dags/simple", Body={"is_paused": True})


@pytest.fixture
def connection(service, environment):
    """How a DAG inside reaches the service that it runs in."""
    extra = {
        "region_name": service.region,
        "endpoint_url": service.endpoint_url,
        "verify": service.ca_bundle,
        "config_kwargs": {"inject_host_prefix": False},
    }
    body = {
        "connection_id": "mwaa", "conn_type": "aws", "login": service.access_key_id,
        "password": service.secret_access_key, "extra": json.dumps(extra),
    }  # fmt: skip
    service.rest(environment, "POST", "/connections", Body=body)
    yield
    service.rest(environment, "DELETE", "/connections/mwaa")


def interpreter(service):
    """The Python of the shared environment's runtime: whichever is complete has the provider."""
    return next(path for path in (service.data / "runtimes").glob("*/bin/python") if path.exists())


def test_with_nothing_but_the_exported_variables(service, environment, simple, tmp_path):
    answer = tmp_path / "answer.json"
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run(
        [interpreter(service), SCRIPT, environment, simple, RUN, answer],
        env=variables | service.variables() | {"AIRFLOW_CONN_AWS_DEFAULT": "aws://"},
        capture_output=True, text=True, timeout=200, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        found = json.loads(answer.read_text())
        assert found["plain"]["RestApiResponse"]["version"] == "3.3.1"
        assert found["local"]["RestApiStatusCode"] == 200
        assert len(found["local"]["RestApiResponse"]["dags"]) == 1
        assert found["error"] == {"code": "RestApiClientException", "status": 404}
        assert found["triggered"]["RestApiResponse"]["dag_run_id"] == RUN
        run = found["run"]["RestApiResponse"]
        assert (run["state"], run["conf"], run["note"]) == ("success", {"from": "outside"}, "by us")
    finally:
        service.rest(environment, "DELETE", f"/dags/simple/dagRuns/{RUN}")


@pytest.mark.usefixtures("simple", "connection")
def test_from_inside_as_a_dag(service, environment):
    run = service.run_dag(environment, "mwaa_clients", seconds=200)
    path = f"/dags/mwaa_clients/dagRuns/{run['dag_run_id']}"
    tasks = service.rest(environment, "GET", f"{path}/taskInstances")["task_instances"]
    assert {task["task_id"]: task["state"] for task in tasks} == dict.fromkeys(
        ("ask", "trigger", "run", "one"), "success"
    )
    assert run["state"] == "success"
    said = service.rest(environment, "GET", f"{path}/taskInstances/ask/xcomEntries/return_value")["value"]
    said = json.loads(said) if isinstance(said, str) else said
    assert said == {"plain": "simple", "local": "simple"}
