"""Updates of a real environment: what changes, what restarts, what comes back by itself, and what is said of it."""

import hashlib
import io
import json
import shutil
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import ROOT, Service, bring_up, eventually, tradewind
from tests.scenario.insight import announced_process, environment_id, running
from tests.scenario.removing import remove

NAME = "changing"
PATIENT = """
import os, pathlib, time
from airflow.sdk import dag, task
@dag(schedule=None)
def patient():
    @task(retries=0)
    def wait(dag_run=None):
        enough = pathlib.Path(os.environ["HOME"], f"enough-{dag_run.run_id}")
        while not enough.exists():
            time.sleep(0.2)
    wait()
patient()
"""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def changing(service: Service) -> Iterator[str]:
    """An environment of this module's own."""
    bucket = service.bucket(NAME)
    shutil.copy(ROOT / "tests" / "dags" / "simple.py", bucket / "dags")
    (bucket / "dags" / "patient.py").write_text(PATIENT)
    service.create(NAME, NAME)
    assert service.wait(NAME)["Status"] == "AVAILABLE"
    yield NAME
    remove(service, NAME)


def pids(service: Service) -> dict[str, int]:
    return running(service, environment_id(service, NAME))


def worker(names: Mapping[str, int]) -> str:
    """The worker's name, whichever series is in force."""
    return next(name for name in names if name.startswith("worker-1"))


def start_patient(service: Service) -> dict[str, Any]:
    """A run whose one task waits until it is `enough`."""
    run = service.start_dag(NAME, "patient")
    found: dict[str, Any] = service.rest(NAME, "GET", f"/dags/patient/dagRuns/{run}")
    return found


def enough(service: Service, run: Mapping[str, Any]) -> None:
    """Let that task end."""
    home = service.data / "environments" / environment_id(service, NAME) / "home"
    (home / f"enough-{run['dag_run_id']}").touch()


def update(service: Service, *, seconds: float = 240, **members: Any) -> tuple[dict[str, Any], list[str]]:
    """The environment after an update, and the statuses on the way."""
    return service.update(NAME, seconds=seconds, **members)


def test_more_workers_at_most_restart_the_scheduler_alone(service: Service, changing: str) -> None:
    before = pids(service)
    found, _ = update(service, EnvironmentClass="mw1.small", MinWorkers=1, MaxWorkers=4, Schedulers=2)
    assert found["LastUpdate"]["Status"] == "SUCCESS", found["LastUpdate"]
    before = pids(service)
    found, _ = update(service, MaxWorkers=7)
    after = pids(service)
    assert {name for name in before if before[name] != after[name]} == {"scheduler-1", "scheduler-2"}
    found, _ = update(service, EnvironmentClass="mw1.micro")
    assert found["LastUpdate"]["Status"] == "SUCCESS", found["LastUpdate"]


def test_stored_members_restart_nothing(service: Service, changing: str) -> None:
    before = pids(service)
    found, seen = update(
        service, MaxWebservers=1, WeeklyMaintenanceWindowStart="MON:01:30",
        NetworkConfiguration={"SecurityGroupIds": ["sg-b"]},
    )  # fmt: skip
    assert seen == ["UPDATING", "AVAILABLE"]
    assert found["LastUpdate"]["Status"] == "SUCCESS"
    assert found["WeeklyMaintenanceWindowStart"] == "MON:01:30"
    assert found["NetworkConfiguration"] == {"SubnetIds": ["subnet-a", "subnet-b"], "SecurityGroupIds": ["sg-b"]}
    assert pids(service) == before


def test_another_execution_role_restarts_what_hands_out_its_credentials_alone(service: Service, changing: str) -> None:
    before = pids(service)
    role = f"arn:aws:iam::222222222222:role/another-{before['credentials']}"
    found, seen = update(service, ExecutionRoleArn=role)
    assert seen == ["UPDATING", "AVAILABLE"]
    assert (found["LastUpdate"]["Status"], found["ExecutionRoleArn"]) == ("SUCCESS", role)
    after = pids(service)
    assert after.pop("credentials") != before.pop("credentials")
    assert after == before


def test_fifty_updates_in_a_row(service: Service, changing: str) -> None:
    before = pids(service)
    for number in range(50):
        day = ("MON", "TUE")[number % 2]
        found, seen = update(service, WeeklyMaintenanceWindowStart=f"{day}:02:00")
        assert (seen[-1], found["WeeklyMaintenanceWindowStart"]) == ("AVAILABLE", f"{day}:02:00")
    assert pids(service) == before
    folder = service.data / "environments" / environment_id(service, NAME) / "revisions"
    assert len(list(folder.iterdir())) <= 2


def test_an_update_without_a_change_is_fine(service: Service, changing: str) -> None:
    before = pids(service)
    found, seen = update(service)
    assert seen == ["UPDATING", "AVAILABLE"]
    assert found["LastUpdate"]["Status"] == "SUCCESS"
    assert pids(service) == before, "nothing newer was there"


def test_an_option_changes_and_history_stays(service: Service, changing: str) -> None:
    run = service.run_dag(NAME, "simple")
    assert run["state"] == "success"
    before = pids(service)
    found, _ = update(service, AirflowConfigurationOptions={"core.default_task_retries": "2"})
    assert found["LastUpdate"]["Status"] == "SUCCESS", found["LastUpdate"]
    assert found["AirflowConfigurationOptions"] == {"core.default_task_retries": "2"}
    after = pids(service)
    assert after["broker"] == before["broker"]
    assert all(after[name] != before[name] for name in ("scheduler-1", "dag-processor", worker(before), "api-server"))
    assert service.rest(NAME, "GET", f"/dags/simple/dagRuns/{run['dag_run_id']}")["state"] == "success"
    assert service.run_dag(NAME, "simple")["state"] == "success"


def test_a_dry_run_says_what_would_restart_and_touches_nothing(service: Service, changing: str, tmp_path: Path) -> None:
    before = pids(service)
    held = service.client().get_environment(Name=NAME)["Environment"]
    option = "--option", "core.default_task_retries=9"
    done = tradewind("update", NAME, *option, "--dry-run", "-o", "json", data=service.data)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {"scheduler-1", worker(before), "api-server"} <= set(report["restarts"])
    assert (report["starts"], report["stops"]) == ([], [])
    bad = tmp_path / "r.txt"
    bad.write_text("cowsay==6.1\ncowsay==6.0\n")
    done = tradewind("update", NAME, "--requirements", str(bad), "--dry-run", data=service.data)
    assert done.returncode == 1
    assert "cowsay==6.1" in done.stderr
    assert pids(service) == before
    assert service.client().get_environment(Name=NAME)["Environment"] == held
    assert "tradewind-dry-run" not in {path.name for path in service.bucket(NAME).iterdir()}


def test_another_requirement_is_there_and_then_it_is_another_version(service: Service, changing: str) -> None:
    requirements = service.bucket(NAME) / "requirements.txt"
    (service.bucket(NAME) / "dags" / "cow_version.py").write_text(
        "from airflow.sdk import dag, task\n@dag(schedule=None)\ndef cow_version():\n    @task\n    def tell():\n"
        "        import cowsay\n        return cowsay.__version__\n    tell()\ncow_version()\n"
    )
    for version in ("6.0", "6.1"):
        requirements.write_text(f"cowsay=={version}\n")
        found, _ = update(service, RequirementsS3Path="requirements.txt", seconds=600)
        assert found["LastUpdate"]["Status"] == "SUCCESS", found["LastUpdate"]
        run = service.run_dag(NAME, "cow_version")
        assert run["state"] == "success"
        path = f"/dags/cow_version/dagRuns/{run['dag_run_id']}/taskInstances/tell/xcomEntries/return_value"
        assert service.rest(NAME, "GET", path)["value"] == version
        said = tradewind("logs", NAME, "requirements_install", "--lines", "1000", data=service.data).stdout
        assert "Resolved " in said
        assert f"cowsay=={version}" in said or "is there already" in said


def test_requirements_that_do_not_resolve_touch_nothing(service: Service, changing: str) -> None:
    before = pids(service)
    held = service.client().get_environment(Name=NAME)["Environment"]
    (service.bucket(NAME) / "bad.txt").write_text("cowsay==6.1\ncowsay==6.0\n")
    found, seen = update(service, RequirementsS3Path="bad.txt", MaxWebservers=1)
    assert seen == ["UPDATING", "UPDATE_FAILED"]
    error = found["LastUpdate"]["Error"]
    assert error["ErrorCode"] == "INCORRECT_CONFIGURATION"
    assert "cowsay==6.1" in error["ErrorMessage"]
    assert found.get("RequirementsS3Path") == held.get("RequirementsS3Path")
    assert pids(service) == before
    assert service.run_dag(NAME, "simple")["state"] == "success"


def test_a_dag_that_would_break_is_named_and_nothing_is_touched(service: Service, changing: str) -> None:
    """cow_at_import.py works with the requirements in force; broken.py does not, and is no reason."""
    (service.bucket(NAME) / "cow.txt").write_text("cowsay==6.1\n")
    found, _ = update(service, RequirementsS3Path="cow.txt", seconds=600)
    assert found["LastUpdate"]["Status"] == "SUCCESS", found["LastUpdate"]
    dags = service.bucket(NAME) / "dags"
    (dags / "cow_at_import.py").write_text(
        "import cowsay\nfrom airflow.sdk import dag, task\n@dag(schedule=None)\ndef cow_at_import():\n    @task\n"
        "    def tell():\n        return cowsay.__version__\n    tell()\ncow_at_import()\n"
    )
    (dags / "broken.py").write_text("from airflow.sdk import dag\nimport no_such_module\n")
    assert service.run_dag(NAME, "cow_at_import")["state"] == "success"
    before = pids(service)
    (service.bucket(NAME) / "none.txt").write_text("")
    found, seen = update(service, RequirementsS3Path="none.txt")
    assert seen == ["UPDATING", "UPDATE_FAILED"]
    message = found["LastUpdate"]["Error"]["ErrorMessage"]
    assert "the DAG file cow_at_import.py would not load, as it does now" in message
    assert "No module named 'cowsay'" in message
    assert "broken.py" not in message.partition("; last lines: ")[0]
    assert pids(service) == before
    (dags / "cow_at_import.py").unlink()
    current = service.data / "environments" / environment_id(service, NAME) / "bundle" / "current"
    eventually(lambda: not (current / "cow_at_import.py").exists(), seconds=60, what="the DAG file to be gone")
    found, _ = update(service, RequirementsS3Path="none.txt", seconds=600)
    assert found["LastUpdate"]["Status"] == "SUCCESS", found["LastUpdate"]
    (dags / "broken.py").unlink()


def zipped(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/") + ".py", text)
    return content.getvalue()


def test_plugins_and_a_startup_script_reach_tasks(service: Service, changing: str) -> None:
    bucket = service.bucket(NAME)
    plugins = zipped(my_macros="WORD = 'from the zip'\n")
    (bucket / "plugins.zip").write_bytes(plugins)
    (bucket / "startup.sh").write_text(
        "echo hello from $MWAA_AIRFLOW_COMPONENT\nexport MY_WORD=$MWAA_AIRFLOW_COMPONENT AIRFLOW_HOME=/nowhere\n"
    )
    (bucket / "dags" / "artefacts.py").write_text(
        "import os\nfrom airflow.sdk import dag, task\n@dag(schedule=None)\ndef artefacts():\n    @task\n"
        "    def tell():\n        from my_macros import WORD\n"
        "        return [WORD, os.environ['MY_WORD'], os.environ['AIRFLOW_HOME'] != '/nowhere']\n"
        "    tell()\nartefacts()\n"
    )
    digest = hashlib.sha256(plugins).hexdigest()
    found, _ = update(
        service, PluginsS3Path="plugins.zip", PluginsS3ObjectVersion=digest, StartupScriptS3Path="startup.sh"
    )
    assert found["LastUpdate"]["Status"] == "SUCCESS", found["LastUpdate"]
    assert (found["PluginsS3Path"], found["PluginsS3ObjectVersion"]) == ("plugins.zip", digest)
    run = service.run_dag(NAME, "artefacts")
    assert run["state"] == "success"
    path = f"/dags/artefacts/dagRuns/{run['dag_run_id']}/taskInstances/tell/xcomEntries/return_value"
    assert service.rest(NAME, "GET", path)["value"] == ["from the zip", "worker", True]
    log = service.data / "environments" / environment_id(service, NAME) / "logs" / "startup_script_execution_worker.log"
    assert log.read_text() == "hello from worker\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("PluginsS3Path", zipped(raises="raise RuntimeError('this plugin is bad')\n"), "this plugin is bad"),
        ("PluginsS3Path", b"no archive", "cannot use bad: it is no archive that can be read"),
        ("PluginsS3Path", zipped(**{"..__evil": ""}), "it has a part that is . or .."),
        ("StartupScriptS3Path", b"echo oh no\nexit 3\n", "it ended with status 3: oh no"),
        ("RequirementsS3Path", b"\xff\xfe", "it is not UTF-8 text"),
        ("StartupScriptS3Path", None, "there is no such key"),
    ],
)
def test_bad_artefacts_touch_nothing(
    service: Service, changing: str, name: str, content: bytes | None, words: str
) -> None:
    before = pids(service)
    bad = service.bucket(NAME) / "bad"
    bad.unlink(missing_ok=True)
    if content is not None:
        bad.write_bytes(content)
    found, seen = update(service, **{name: "bad"})
    assert seen == ["UPDATING", "UPDATE_FAILED"]
    assert words in found["LastUpdate"]["Error"]["ErrorMessage"]
    assert found.get(name) != "bad"
    assert pids(service) == before


def test_a_version_that_is_gone_is_named(service: Service, changing: str) -> None:
    (service.bucket(NAME) / "versioned.zip").write_bytes(zipped(nothing=""))
    found, seen = update(service, PluginsS3Path="versioned.zip", PluginsS3ObjectVersion="0" * 64)
    assert seen == ["UPDATING", "UPDATE_FAILED"]
    assert f"cannot read version {'0' * 64} of 'versioned.zip'" in found["LastUpdate"]["Error"]["ErrorMessage"]


def test_settings_that_do_not_start_are_found_before_anything_is_touched(service: Service, changing: str) -> None:
    before = pids(service)
    found, seen = update(service, AirflowConfigurationOptions={"database.sql_alchemy_pool_size": "many"})
    assert seen == ["UPDATING", "UPDATE_FAILED"]
    assert found["LastUpdate"]["Error"]["ErrorMessage"].startswith("cannot ")
    assert pids(service) == before


def test_settings_that_do_not_work_are_taken_back(service: Service, changing: str) -> None:
    held = service.client().get_environment(Name=NAME)["Environment"].get("AirflowConfigurationOptions")
    found, seen = update(service, AirflowConfigurationOptions={"scheduler.max_tis_per_query": "many"}, seconds=800)
    assert seen[-2:] == ["ROLLING_BACK", "UPDATE_FAILED"]
    assert found["LastUpdate"]["Status"] == "FAILED"
    assert found["LastUpdate"]["Error"]["ErrorMessage"].startswith("cannot ")
    assert found.get("AirflowConfigurationOptions") == held
    assert service.run_dag(NAME, "simple")["state"] == "success"


def test_a_running_task_does_not_hold_up_a_forced_update(service: Service, changing: str) -> None:
    start_patient(service)
    began = time.monotonic()
    found, _ = update(service, AirflowConfigurationOptions={"core.default_task_retries": "1"})
    assert found["LastUpdate"]["Status"] == "SUCCESS", found["LastUpdate"]
    assert time.monotonic() - began < 400, "it waits for ever"


def test_a_graceful_update_kills_no_task(service: Service, changing: str) -> None:
    """Tasks that run go on on their old worker, new ones run on the new one, and it has succeeded when both have."""
    client = service.client()
    run = start_patient(service)
    state = f"/dags/patient/dagRuns/{run['dag_run_id']}"
    eventually(
        lambda: any(
            task["state"] == "running" for task in service.rest(NAME, "GET", f"{state}/taskInstances")["task_instances"]
        ),
        seconds=60, what="its task",
    )  # fmt: skip
    client.update_environment(
        Name=NAME, AirflowConfigurationOptions={"core.default_task_retries": "6"}, WorkerReplacementStrategy="GRACEFUL"
    )
    eventually(
        lambda: client.get_environment(Name=NAME)["Environment"]["Status"] == "MAINTENANCE",
        seconds=240, what="the new workers",
    )  # fmt: skip
    assert service.rest(NAME, "GET", state)["state"] == "running"
    assert service.run_dag(NAME, "simple")["state"] == "success"
    assert service.rest(NAME, "GET", state)["state"] == "running", "the new worker was there beside the old one"
    enough(service, run)
    eventually(
        lambda: client.get_environment(Name=NAME)["Environment"]["Status"] == "AVAILABLE", seconds=180, what="its end"
    )
    found = client.get_environment(Name=NAME)["Environment"]
    assert found["LastUpdate"]["Status"] == "SUCCESS"
    assert found["LastUpdate"]["WorkerReplacementStrategy"] == "GRACEFUL"
    eventually(lambda: service.rest(NAME, "GET", state)["state"] == "success", seconds=30, what="the run's end")
    tries = service.rest(NAME, "GET", f"{state}/taskInstances")["task_instances"]
    assert {task["try_number"] for task in tries} == {1}


def test_an_update_in_maintenance_leaves_old_workers_no_more_time(service: Service, changing: str) -> None:
    client = service.client()
    run = start_patient(service)
    path = f"/dags/patient/dagRuns/{run['dag_run_id']}/taskInstances"
    eventually(
        lambda: any(task["state"] == "running" for task in service.rest(NAME, "GET", path)["task_instances"]),
        seconds=60, what="its task",
    )  # fmt: skip
    client.update_environment(
        Name=NAME, AirflowConfigurationOptions={"core.default_task_retries": "7"}, WorkerReplacementStrategy="GRACEFUL"
    )
    eventually(
        lambda: client.get_environment(Name=NAME)["Environment"]["Status"] == "MAINTENANCE",
        seconds=240, what="the new workers",
    )  # fmt: skip
    found, _ = update(service, MaxWebservers=1)
    assert found["LastUpdate"]["Status"] == "SUCCESS"
    assert found["AirflowConfigurationOptions"] == {"core.default_task_retries": "7"}
    service.rest(NAME, "PATCH", f"/dags/patient/dagRuns/{run['dag_run_id']}", Body={"state": "failed"})


def test_while_one_is_under_way_another_is_refused(service: Service, changing: str) -> None:
    client = service.client()
    client.update_environment(Name=NAME, AirflowConfigurationOptions={"core.default_task_retries": "3"})
    with pytest.raises(client.exceptions.ValidationException, match="its status is UPDATING"):
        client.update_environment(Name=NAME, MaxWebservers=1)
    found, _ = (
        {},
        eventually(
            lambda: client.get_environment(Name=NAME)["Environment"]["Status"] == "AVAILABLE",
            seconds=240,
            what="its end",
        ),
    )
    found = client.get_environment(Name=NAME)["Environment"]
    assert found["AirflowConfigurationOptions"] == {"core.default_task_retries": "3"}


def test_a_control_plane_that_dies_in_the_middle_goes_on_with_it(
    service: Service, changing: str, service_variables: dict[str, str]
) -> None:
    client = service.client()
    client.update_environment(Name=NAME, AirflowConfigurationOptions={"core.default_task_retries": "4"})
    time.sleep(2)
    victim = announced_process(service)
    victim.kill()
    psutil.wait_procs([victim], timeout=10)
    assert bring_up(service.data, **service_variables) == service
    eventually(
        lambda: service.client().get_environment(Name=NAME)["Environment"]["Status"] == "AVAILABLE",
        seconds=240, what="the update to end",
    )  # fmt: skip
    found = service.client().get_environment(Name=NAME)["Environment"]
    assert found["AirflowConfigurationOptions"] == {"core.default_task_retries": "4"}
    assert found["LastUpdate"]["Status"] == "SUCCESS"
    assert service.run_dag(NAME, "simple")["state"] == "success"
