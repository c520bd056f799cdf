"""What the user's code can read: a task and the top of a DAG file look at everything that is within their reach."""

import json
import time
from typing import Any

import pytest

LOOK = '''
import json, os, pathlib

ASKED = (
    ("core", "fernet_key"), ("database", "sql_alchemy_conn"), ("database", "sql_alchemy_conn_async"),
    ("api_auth", "jwt_secret"), ("api", "secret_key"), ("tradewind", "assertion_secret"),
    ("celery", "broker_url"), ("celery", "result_backend"),
)

def texts():
    """Every text within reach, by where it was found."""
    from airflow.configuration import conf
    from airflow.sdk.configuration import conf as sdk_conf
    for name, value in os.environ.items():
        yield f"environment {name}", value
    for source in (conf, sdk_conf):
        for section, key in ASKED:
            yield f"{section}.{key}", str(source.get(section, key, fallback=None))
        yield "configuration", json.dumps(source.as_dict(display_sensitive=True, raw=True), default=str)
    config = pathlib.Path(os.environ["AIRFLOW_CONFIG"])
    for folder in {pathlib.Path(os.environ["AIRFLOW_HOME"]), config.parent}:
        for path in folder.rglob("*"):
            if path.is_file() and path.suffix != ".json":
                yield str(path), path.read_text(errors="replace")
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        for name in ("environ", "cmdline"):
            try:
                yield f"{process}/{name}", (process / name).read_text(errors="replace")
            except OSError:
                pass

def look():
    return sorted(texts())
'''

DAG = """
import json, pathlib
from airflow.sdk import dag, task
from look import look

FOLDER = pathlib.Path({folder!r})
if not (FOLDER / "parse.json").exists():
    (FOLDER / "parse.json").write_text(json.dumps(look()))

@dag(schedule=None, is_paused_upon_creation=False)
def spy():
    @task
    def peep():
        (FOLDER / "task.json").write_text(json.dumps(look()))
    peep()

spy()
"""


@pytest.fixture(scope="module")
def seen(stage: Any) -> dict[str, list[tuple[str, str]]]:
    """What was found, by `parse` and `task`."""
    client = stage.client()
    version = stage.deploy({"spy.py": DAG.format(folder=str(stage.layout.home)), "look.py": LOOK})
    end = time.monotonic() + 90
    while client.get("/api/v2/dags/spy").json().get("bundle_version") != version:
        assert time.monotonic() < end, client.get("/api/v2/importErrors").text
        time.sleep(0.1)
    assert stage.trigger(client, "spy")["state"] == "success"
    return {place: json.loads((stage.layout.home / f"{place}.json").read_text()) for place in ("parse", "task")}


def found(seen: list[tuple[str, str]], secret: str) -> list[str]:
    return [where for where, text in seen if secret in text]


@pytest.mark.parametrize("place", ["parse", "task"])
@pytest.mark.parametrize(
    "name", ["fernet_key", "jwt_secret", "api_secret_key", "assertion_secret", "database_password"]
)
def test_no_secret_but_the_brokers_is_within_reach(stage, seen, place, name):
    assert found(seen[place], getattr(stage.inputs.secrets, name)) == []


def test_a_task_has_the_brokers_urls_and_airflows_keys_are_empty(stage, seen):
    values = dict(seen["task"])
    assert (
        values["celery.broker_url"]
        == f"redis://:{stage.inputs.secrets.broker_password}@127.0.0.1:{stage.inputs.ports.broker}/0"
    )
    assert values["celery.result_backend"].endswith("/1")
    assert values["core.fernet_key"] == ""
    assert "postgres" not in values["database.sql_alchemy_conn"]
    assert "postgres" not in values["database.sql_alchemy_conn_async"]


def test_no_process_shows_its_environment_to_a_task(stage, seen):
    """Only what carries no secret may be readable at all, such as the broker's."""
    readable = [text for where, text in seen["task"] if where.endswith("/environ") and "AIRFLOW__" in text]
    assert readable == []


def test_the_home_of_the_trusted_processes_holds_one_file_that_says_nothing(stage, seen):
    home = stage.layout.root / "airflow"
    assert [path.name for path in home.iterdir()] == ["airflow.cfg"]
    assert "fernet" not in (home / "airflow.cfg").read_text()


def test_the_environment_tells_what_mwaas_tells(stage, seen):
    names = {where.removeprefix("environment ") for where, _ in seen["task"] if where.startswith("environment ")}
    assert names >= {
        "AIRFLOW_ENV_NAME", "AIRFLOW_HOME", "AIRFLOW_CONN_AWS_DEFAULT", "AWS_REGION", "AWS_DEFAULT_REGION",
        "MWAA_AIRFLOW_COMPONENT", "PYTHONUNBUFFERED", "LANG", "PATH",
    }  # fmt: skip
