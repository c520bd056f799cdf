"""The control plane is killed after every step of a creation and of an update, and goes on with it each time."""

import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import psycopg
import pytest

from tests.conftest import ROOT, Service, bring_up
from tests.scenario.insight import announced_process, environment_id, running, superuser
from tests.scenario.test_deleting import nothing_left

NAME = "crashing"

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def crashing(service: Service, service_variables: dict[str, str]) -> Iterator[list[str]]:
    """An environment whose creation was interrupted after each of its steps: these, in order."""
    shutil.copy(ROOT / "tests" / "dags" / "simple.py", service.bucket(NAME) / "dags")
    service.create(NAME, NAME)
    id_ = environment_id(service, NAME)
    yield die_after_each_step(service, service_variables, id_, 1, lambda found: found["Status"] != "CREATING")
    service.client().delete_environment(Name=NAME)
    service.wait_gone(NAME)
    nothing_left(service, id_)


def die_after_each_step(
    service: Service,
    variables: dict[str, str],
    id_: str,
    generation: int,
    is_over: Callable[[dict[str, Any]], bool],
    *,
    seconds: float = 400,
) -> list[str]:
    """Kill the control plane as soon as another step is noted, and start it again; answers the steps."""
    query = "SELECT step FROM checkpoints WHERE environment_id = %s AND generation = %s"
    seen: list[str] = []
    deadline = time.monotonic() + seconds
    with psycopg.connect(superuser(service), autocommit=True) as connection:
        while time.monotonic() < deadline:
            noted = [step for (step,) in connection.execute(query, (id_, generation)) if step not in seen]
            if not noted:
                if is_over(service.client().get_environment(Name=NAME)["Environment"]):
                    return seen
                time.sleep(0.02)
                continue
            seen += noted
            victim = announced_process(service)
            victim.kill()
            psutil.wait_procs([victim], timeout=10)
            assert bring_up(service.data, **variables) == service
    pytest.fail(f"it did not end within {seconds} s, after {seen}")


def test_a_creation_goes_on_after_a_crash_at_any_step(service: Service, crashing: list[str]) -> None:
    assert len(crashing) >= 5, f"a step that was done but not noted is not done again: {crashing}"
    found = service.client().get_environment(Name=NAME)["Environment"]
    assert found["Status"] == "AVAILABLE", found["LastUpdate"]
    assert service.run_dag(NAME, "simple")["state"] == "success"


def test_an_update_goes_on_after_a_crash_at_any_step(
    service: Service, crashing: list[str], service_variables: dict[str, str]
) -> None:
    run = service.run_dag(NAME, "simple")
    id_ = environment_id(service, NAME)
    (service.bucket(NAME) / "startup.sh").write_text("export MINE=1\n")
    service.client().update_environment(
        Name=NAME, AirflowConfigurationOptions={"core.default_task_retries": "2"}, StartupScriptS3Path="startup.sh"
    )
    steps = die_after_each_step(service, service_variables, id_, 2, lambda found: found["Status"] != "UPDATING")
    assert len(steps) >= 4, steps
    found = service.client().get_environment(Name=NAME)["Environment"]
    assert (found["Status"], found["LastUpdate"]["Status"]) == ("AVAILABLE", "SUCCESS"), found["LastUpdate"]
    assert found["AirflowConfigurationOptions"] == {"core.default_task_retries": "2"}
    names = ["api-server", "broker", "dag-processor", "preload", "scheduler-1", "triggerer", "worker-1"]
    assert sorted(running(service, id_)) == names
    assert service.rest(NAME, "GET", f"/dags/simple/dagRuns/{run['dag_run_id']}")["state"] == "success"
    assert service.run_dag(NAME, "simple")["state"] == "success"
