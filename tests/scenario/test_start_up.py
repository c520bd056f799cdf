"""Start-up scripts that install: `pip` in them, and what reaches the processes of which kind of component."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.conftest import Service
from tests.scenario.insight import environment_id
from tests.scenario.removing import remove

NAME = "installing"
SCRIPT = """
set -e
pip install --upgrade --user --no-cache-dir pip "cowsay==6.1" requests
python -c 'import cowsay'
if [ "$MWAA_AIRFLOW_COMPONENT" = worker ]; then
    python3 -m pip install apache-airflow-providers-sqlite
fi
pip3 list
"""
DAG = """
import subprocess
import cowsay
from airflow.sdk import dag, task
@dag(schedule=None)
def installed():
    @task
    def tell():
        from airflow.providers.sqlite.hooks.sqlite import SqliteHook
        said = subprocess.run(["cowsay", "-t", "moo"], capture_output=True, text=True, check=True).stdout
        return [cowsay.__file__, SqliteHook.conn_name_attr, "moo" in said]
    tell()
installed()
"""
PLUGIN = """
import cowsay
from airflow.plugins_manager import AirflowPlugin
class Cow(AirflowPlugin):
    name = "cow"
"""

pytestmark = pytest.mark.timeout(900)


def plugins() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("cow.py", PLUGIN)
    return content.getvalue()


@pytest.fixture(scope="module")
def installing(service: Service) -> Iterator[Mapping[str, str]]:
    """An environment that was made with a script that installs; the logs of its creation."""
    bucket = service.bucket(NAME)
    (bucket / "dags" / "installed.py").write_text(DAG)
    (bucket / "startup.sh").write_text(SCRIPT)
    (bucket / "plugins.zip").write_bytes(plugins())
    service.create(NAME, NAME, StartupScriptS3Path="startup.sh", PluginsS3Path="plugins.zip")
    found = service.wait(NAME, seconds=600)
    assert found["Status"] == "AVAILABLE", found["LastUpdate"]
    yield {kind: log(service, f"startup_script_execution_{kind}") for kind in ("worker", "scheduler", "webserver")}
    remove(service, NAME)


def update(service: Service, script: str) -> dict[str, Any]:
    """The environment after an update to another script."""
    (service.bucket(NAME) / "another.sh").write_text(script)
    return service.update(NAME, StartupScriptS3Path="another.sh")[0]


def log(service: Service, name: str) -> str:
    return (service.data / "environments" / environment_id(service, NAME) / "logs" / f"{name}.log").read_text()


def test_what_a_script_installs_is_there_for_tasks_and_plugins(service: Service, installing: Mapping[str, str]) -> None:
    run = service.run_dag(NAME, "installed")
    assert run["state"] == "success"
    path = f"/dags/installed/dagRuns/{run['dag_run_id']}/taskInstances/tell/xcomEntries/return_value"
    file, attribute, said = service.rest(NAME, "GET", path)["value"]
    folder = service.data / "environments" / environment_id(service, NAME) / "overlays"
    assert file.startswith(f"{folder}/")
    assert (attribute, said) == ("sqlite_conn_id", True)
    assert [plugin["name"] for plugin in service.rest(NAME, "GET", "/plugins")["plugins"]] == ["cow"]
    assert service.rest(NAME, "GET", "/plugins/importErrors")["import_errors"] == []
    assert len(list(folder.iterdir())) == 2, "scheduler and webserver share theirs"


def test_its_log_says_what_was_installed_and_what_was_there(service: Service, installing: Mapping[str, str]) -> None:
    said = installing["worker"]
    assert "cowsay" in said
    assert "+ apache-airflow-providers-sqlite==" in said
    assert "+ requests==" not in said
    assert "apache-airflow-core " in said, "the list holds what the runtime has"
    assert "providers-sqlite" not in installing["scheduler"]


def test_processes_are_forks_of_the_preloaded_parent_all_the_same(
    service: Service, installing: Mapping[str, str]
) -> None:
    for name in ("api-server", "scheduler-1", "dag-processor", "triggerer", "worker-1"):
        assert "starts without the preloaded parent" not in log(service, name)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("pip install cowsay==0.0.99\n", "there is no version of cowsay==0.0.99"),
        ("set -e\npip install sqlalchemy==1.4.0\necho never\n", "sqlalchemy==1.4.0"),
        ("pip download cowsay\n", "pip: cannot download: in a start-up script it knows install,"),
        ("pip uninstall -y requests\n", "cannot uninstall requests: it is the runtime's"),
        ("ln -s /etc/shadow $TRADEWIND_OVERLAY/cow\n", "'cow' in it is a link or a special file"),
        ("mkdir $TRADEWIND_OVERLAY/a; mkfifo $TRADEWIND_OVERLAY/a/b\n", "'a/b' in it is a link or a special file"),
    ],
)
def test_what_cannot_be_installed_is_said_and_touches_nothing(
    service: Service, installing: Mapping[str, str], script: str, words: str
) -> None:
    held = service.client().get_environment(Name=NAME)["Environment"]["StartupScriptS3Path"]
    found = update(service, script)
    assert found["Status"] == "UPDATE_FAILED"
    assert words in found["LastUpdate"]["Error"]["ErrorMessage"]
    assert found["StartupScriptS3Path"] == held


def test_what_was_installed_works_on_after_a_refusal(service: Service, installing: Mapping[str, str]) -> None:
    assert update(service, "pip install cowsay==0.0.98\n")["Status"] == "UPDATE_FAILED"
    assert service.run_dag(NAME, "installed")["state"] == "success"


def test_a_dag_that_needs_what_would_be_gone_refuses_the_update(
    service: Service, installing: Mapping[str, str]
) -> None:
    found = update(service, "echo nothing\n")
    assert found["Status"] == "UPDATE_FAILED"
    message = found["LastUpdate"]["Error"]["ErrorMessage"]
    assert "the DAG file installed.py would not load, as it does now" in message or "the plugin cow.py" in message
