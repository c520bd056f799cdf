"""What a task can see: the broker's password, and no other secret of its environment."""

import os

import pytest

from tests.conftest import Service
from tests.scenario.insight import row_of


def test_a_task_sees_no_secret_of_the_control_plane_or_the_metadata_database(
    service: Service, environment: str
) -> None:
    run = service.run_dag(environment, "inward")
    assert run["state"] == "success"
    path = f"/dags/inward/dagRuns/{run['dag_run_id']}/taskInstances/surroundings/xcomEntries/return_value"
    seen = service.rest(environment, "GET", path, QueryParameters={"deserialize": False})["value"]
    text = seen if isinstance(seen, str) else repr(seen)
    secrets = dict(row_of(service, environment)[0])
    assert secrets.pop("broker_password") in text, "the probe looked nowhere"
    for name, secret in secrets.items():
        assert secret not in text, f"a task can see the {name}"
    assert service.secret_access_key not in text


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's processes all run as that user")
def test_processes_run_as_the_environments_own_user(service: Service, environment: str) -> None:
    run = service.run_dag(environment, "inward")
    path = f"/dags/inward/dagRuns/{run['dag_run_id']}/taskInstances/surroundings/xcomEntries/return_value"
    assert service.rest(environment, "GET", path)["value"]["uid"] != 0
