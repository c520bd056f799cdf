"""The control plane is killed after steps of a creation, an update and so on, and goes on with it each time.

After every step of a creation and of an update, and after a seeded sample of those of the others; `make chaos` has
all. PostgreSQL and the environment's supervisor are killed at drawn moments.
"""

import shutil
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.conftest import ROOT, Service, bring_up, eventually
from tests.scenario import crashing as crashes
from tests.scenario.insight import announced_process, environment_id, running, superuser
from tests.scenario.removing import nothing_left, remove

NAME = "crashing"
PROCESSES = ["api-server", "broker", "credentials", "dag-processor", "preload", "scheduler-1", "triggerer", "worker-1"]

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def crashing(service: Service, service_variables: dict[str, str]) -> Iterator[list[str]]:
    """An environment whose creation was interrupted after each of its steps: these, in order."""
    shutil.copy(ROOT / "tests" / "dags" / "simple.py", service.bucket(NAME) / "dags")
    service.create(NAME, NAME)
    id_ = environment_id(service, NAME)
    yield crashes.die_after_steps(service, service_variables, NAME, id_, 1)
    remove(service, NAME)


def generation(service: Service) -> int:
    """That of the next update."""
    with psycopg.connect(superuser(service)) as connection:
        query = "SELECT generation FROM environments WHERE name = %s AND gone_at IS NULL"
        row = connection.execute(query, (NAME,)).fetchone()
    assert row is not None
    return int(row[0]) + 1


def works(service: Service, id_: str) -> None:
    """Everything runs once, in one database, and runs DAGs."""
    assert sorted(running(service, id_)) == PROCESSES
    eventually(lambda: len(crashes.databases_of(service, id_)) == 1, seconds=30, what="old databases to be gone")
    folder = service.data / "environments" / id_
    eventually(lambda: not list(folder.glob("hold-*")), seconds=30, what="what held the databases to be gone")
    assert service.run_dag(NAME, "simple")["state"] == "success"


def test_a_creation_goes_on_after_a_crash_at_any_step(service: Service, crashing: list[str]) -> None:
    assert len(crashing) >= 5, f"a step that was done but not noted is not done again: {crashing}"
    found = crashes.status(service, NAME)  # another test may have sent an update that cannot be
    assert found in {"AVAILABLE", "UPDATE_FAILED"}, crashes.last_update(service, NAME)
    assert service.run_dag(NAME, "simple")["state"] == "success"


def test_an_update_goes_on_after_a_crash_at_any_step(
    service: Service, crashing: list[str], service_variables: dict[str, str]
) -> None:
    run = service.run_dag(NAME, "simple")
    id_, number = environment_id(service, NAME), generation(service)
    (service.bucket(NAME) / "startup.sh").write_text("export MINE=1\n")
    service.client().update_environment(
        Name=NAME,
        AirflowConfigurationOptions={"core.default_task_retries": str(number)},
        StartupScriptS3Path="startup.sh",
    )
    steps = crashes.die_after_steps(service, service_variables, NAME, id_, number)
    assert len(steps) >= 4, steps
    found = service.client().get_environment(Name=NAME)["Environment"]
    assert (found["Status"], found["LastUpdate"]["Status"]) == ("AVAILABLE", "SUCCESS"), found["LastUpdate"]
    assert found["AirflowConfigurationOptions"] == {"core.default_task_retries": str(number)}
    works(service, id_)
    assert service.rest(NAME, "GET", f"/dags/simple/dagRuns/{run['dag_run_id']}")["state"] == "success"


def test_a_change_of_the_version_goes_on_after_crashes(
    service: Service, crashing: list[str], service_variables: dict[str, str]
) -> None:
    run = service.run_dag(NAME, "simple")
    id_, number = environment_id(service, NAME), generation(service)
    before = service.client().get_environment(Name=NAME)["Environment"]["AirflowVersion"]
    wanted = "3.3.2" if before == "3.3.1" else "3.3.1"
    service.client().update_environment(Name=NAME, AirflowVersion=wanted)
    steps = crashes.die_after_steps(
        service, service_variables, NAME, id_, number, deaths=crashes.sample(7, 11, 4), seconds=1200
    )
    assert {"snapshot", "cut over", "migration"} & set(steps), steps
    found = service.client().get_environment(Name=NAME)["Environment"]
    assert (found["Status"], found["AirflowVersion"]) == ("AVAILABLE", wanted), found["LastUpdate"]
    works(service, id_)
    assert service.rest(NAME, "GET", f"/dags/simple/dagRuns/{run['dag_run_id']}")["state"] == "success"


def test_the_way_back_goes_on_after_crashes(
    service: Service, crashing: list[str], service_variables: dict[str, str]
) -> None:
    run = service.run_dag(NAME, "simple")
    id_ = environment_id(service, NAME)
    before = service.client().get_environment(Name=NAME)["Environment"]
    wanted = "3.3.2" if before["AirflowVersion"] == "3.3.1" else "3.3.1"
    options = {"scheduler.max_tis_per_query": "many"}
    service.client().update_environment(Name=NAME, AirflowVersion=wanted, AirflowConfigurationOptions=options)
    eventually(
        lambda: crashes.status(service, NAME) in {"ROLLING_BACK", "UPDATE_FAILED"}, seconds=600, what="the way back"
    )
    for _ in range(6 if crashes.ALL else 2):
        if crashes.status(service, NAME) != "ROLLING_BACK":
            break
        time.sleep(0.7)
        crashes.kill(announced_process(service))
        assert bring_up(service.data, **service_variables) == service
    eventually(lambda: crashes.status(service, NAME) == "UPDATE_FAILED", seconds=300, what="its end")
    found = service.client().get_environment(Name=NAME)["Environment"]
    assert found["AirflowVersion"] == before["AirflowVersion"]
    assert found.get("AirflowConfigurationOptions") == before.get("AirflowConfigurationOptions")
    works(service, id_)
    assert service.rest(NAME, "GET", f"/dags/simple/dagRuns/{run['dag_run_id']}")["state"] == "success"


@pytest.mark.parametrize("seed", range(6) if crashes.ALL else range(2))
def test_an_update_ends_well_when_what_it_stands_on_dies(service: Service, crashing: list[str], seed: int) -> None:
    """PostgreSQL and the supervisor, at moments that the seed draws: the update is no worse for it."""
    id_, number = environment_id(service, NAME), generation(service)
    options = {"core.default_task_retries": str(number)}
    service.client().update_environment(Name=NAME, AirflowConfigurationOptions=options)
    crashes.disturbed(service, NAME, id_, ["postgres", "supervisor", "postgres"], seed=seed)
    found = service.client().get_environment(Name=NAME)["Environment"]
    assert (found["Status"], found["LastUpdate"]["Status"]) == ("AVAILABLE", "SUCCESS"), found["LastUpdate"]
    assert found["AirflowConfigurationOptions"] == options
    eventually(lambda: sorted(running(service, id_)) == PROCESSES, seconds=120, what="all to be up again")
    assert service.run_dag(NAME, "simple", seconds=240)["state"] == "success"


def test_a_copy_and_its_deletion_go_on_after_crashes(
    service: Service, crashing: list[str], service_variables: dict[str, str]
) -> None:
    service.own().fork_environment(Name=NAME, NewName="crashing-copy")
    id_ = environment_id(service, "crashing-copy")
    crashes.die_after_steps(service, service_variables, "crashing-copy", id_, 1, deaths=crashes.sample(3, 9, 2))
    assert crashes.status(service, "crashing-copy") == "AVAILABLE", crashes.last_update(service, "crashing-copy")
    assert service.rest("crashing-copy", "GET", "/dags/simple")["is_paused"]
    service.client().delete_environment(Name="crashing-copy")
    crashes.die_after_steps(service, service_variables, "crashing-copy", id_, 2, deaths=crashes.sample(3, 4, 2))
    service.wait_gone("crashing-copy")
    nothing_left(service, id_)
