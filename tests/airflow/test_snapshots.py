"""DAG snapshots in a running environment: swap, rollback, deletion, and the version that a run keeps."""

import shutil
import time
from typing import Any

import pytest

LIMIT = 60  # seconds; it takes 1 to 2 on an idle machine

DAG = """
from airflow.sdk import dag, task
import words

@dag(schedule=None, is_paused_upon_creation=False)
def {name}():
    @task
    def say():
        {body}
    say()

{name}()
"""


def files(word: str, *names: str, body: str = "return words.WORD") -> dict[str, str]:
    return {"words.py": f"WORD = {word!r}\n"} | {f"{name}.py": DAG.format(name=name, body=body) for name in names}


def live_version(client: Any, dag: str) -> str | None:
    answer = client.get(f"/api/v2/dags/{dag}")
    return answer.json()["bundle_version"] if answer.status_code == 200 and not answer.json()["is_stale"] else None


def seconds_until(look: Any, *, limit: float = 20) -> float:
    start = time.monotonic()
    while not look():
        if time.monotonic() - start > limit:
            pytest.fail(f"not within {limit} s")
        time.sleep(0.05)
    return time.monotonic() - start


def word_of(client: Any, dag: str, run: str) -> str:
    return client.get(f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/say/xcomEntries/return_value").json()["value"]


@pytest.fixture
def client(stage):
    return stage.client()


def test_new_changed_and_rolled_back_files_are_live_within_seconds(stage, client):
    first = stage.deploy(files("one", "speaker"))
    seconds_until(lambda: live_version(client, "speaker") == first, limit=LIMIT)
    run = stage.trigger(client, "speaker")
    assert (run["state"], run["bundle_version"]) == ("success", first)
    assert word_of(client, "speaker", run["dag_run_id"]) == "one"

    second = stage.deploy(files("two", "speaker"))  # only the helper module differs
    seconds_until(lambda: live_version(client, "speaker") == second, limit=LIMIT)
    run = stage.trigger(client, "speaker")
    assert word_of(client, "speaker", run["dag_run_id"]) == "two"

    assert stage.deploy(files("one", "speaker")) == first  # a snapshot that was there before, with its old times
    seconds_until(lambda: live_version(client, "speaker") == first, limit=LIMIT)


def test_a_new_task_can_run_as_soon_as_the_version_is_live(stage, client):
    stage.deploy(files("x", "grower"))
    seconds_until(lambda: live_version(client, "grower"), limit=LIMIT)
    stage.trigger(client, "grower")
    changed = files("x", "grower")
    changed["grower.py"] = changed["grower.py"].replace("    say()\n", "    say.override(task_id='more')()\n", 1)
    version = stage.deploy(changed)
    seconds_until(lambda: live_version(client, "grower") == version, limit=LIMIT)
    run = stage.trigger(client, "grower")
    tasks = client.get(f"/api/v2/dags/grower/dagRuns/{run['dag_run_id']}/taskInstances").json()["task_instances"]
    assert [(task["task_id"], task["state"]) for task in tasks] == [("more", "success")]


def test_deleted_files_go_and_a_broken_one_takes_no_other_down(stage, client):
    stage.deploy(files("x", "stays", "goes"))
    seconds_until(lambda: live_version(client, "stays") and live_version(client, "goes"), limit=LIMIT)
    version = stage.deploy(files("x", "stays") | {"broken.py": "from airflow.sdk import dag\nthis is no Python\n"})
    seconds_until(lambda: live_version(client, "goes") is None, limit=LIMIT)
    seconds_until(lambda: live_version(client, "stays") == version, limit=LIMIT)

    def broken() -> list[str]:
        errors = client.get("/api/v2/importErrors").json()["import_errors"]
        return [error["filename"] for error in errors if "SyntaxError" in error["stack_trace"]]

    seconds_until(lambda: broken() == ["broken.py"], limit=LIMIT)
    stage.deploy(files("x", "stays"))
    seconds_until(lambda: broken() == [], limit=LIMIT)


def test_a_run_keeps_its_version_until_it_is_cleared_after_the_fix(stage, client):
    failing = stage.deploy(files("bad", "fixable", body="raise ValueError(words.WORD)"))
    seconds_until(lambda: live_version(client, "fixable") == failing, limit=LIMIT)
    run = stage.trigger(client, "fixable")
    assert (run["state"], run["bundle_version"]) == ("failed", failing)
    fixed = stage.deploy(files("good", "fixable"))
    seconds_until(lambda: live_version(client, "fixable") == fixed, limit=LIMIT)
    cleared = client.post(
        "/api/v2/dags/fixable/clearTaskInstances",
        json={"dag_run_id": run["dag_run_id"], "dry_run": False, "only_failed": True},
    )
    assert cleared.status_code == 200, cleared.text
    again = stage.finish(client, "fixable", run["dag_run_id"])
    assert again["state"] == "success"
    assert word_of(client, "fixable", run["dag_run_id"]) == "good"


def test_a_running_run_reads_the_snapshot_that_it_started_with(stage, client):
    go = stage.layout.home / "keeper-may-end"
    body = (
        "import importlib, pathlib, time\n"
        f"        while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.1)\n"
        "        return importlib.import_module('late').WORD"
    )
    old = stage.deploy(files("x", "keeper", body=body) | {"late.py": "WORD = 'old'\n"})
    seconds_until(lambda: live_version(client, "keeper") == old, limit=LIMIT)
    started = client.post("/api/v2/dags/keeper/dagRuns", json={"logical_date": None}).json()
    new = stage.deploy(files("x", "keeper", body=body) | {"late.py": "WORD = 'new'\n"})
    seconds_until(lambda: live_version(client, "keeper") == new, limit=LIMIT)
    assert needed_versions(stage) >= {old, new}
    go.touch()
    run = stage.finish(client, "keeper", started["dag_run_id"])
    assert (run["state"], run["bundle_version"]) == ("success", old)
    assert word_of(client, "keeper", run["dag_run_id"]) == "old"
    assert old not in needed_versions(stage)


def needed_versions(stage: Any) -> set[str]:
    """What the control plane asks before it removes a snapshot (docs/inside-an-environment.md)."""
    rows = stage.postgres.query(
        """
        SELECT bundle_version FROM dag_run WHERE state IN ('queued', 'running')
        UNION SELECT v.bundle_version FROM task_instance t JOIN dag_version v ON v.id = t.dag_version_id
              JOIN dag_run r ON r.dag_id = t.dag_id AND r.run_id = t.run_id WHERE r.state IN ('queued', 'running')
        UNION SELECT bundle_version FROM dag WHERE NOT is_stale
        UNION SELECT version FROM dag_bundle WHERE active
        """,
        stage.database,
    )
    return {version for (version,) in rows if version}


def test_a_snapshot_that_is_gone_is_named_in_the_tasks_log(stage, client):
    old = stage.deploy(files("x", "orphan"))
    seconds_until(lambda: live_version(client, "orphan") == old, limit=LIMIT)
    run = stage.trigger(client, "orphan")
    new = stage.deploy(files("y", "orphan"))
    seconds_until(lambda: live_version(client, "orphan") == new, limit=LIMIT)
    shutil.rmtree(stage.layout.bundle / "versions" / old)
    client.post(
        "/api/v2/dags/orphan/clearTaskInstances",
        json={"dag_run_id": run["dag_run_id"], "dry_run": False, "only_failed": False, "run_on_latest_version": False},
    ).raise_for_status()
    again = stage.finish(client, "orphan", run["dag_run_id"])
    assert again["state"] == "failed"
    log = client.get(f"/api/v2/dags/orphan/dagRuns/{run['dag_run_id']}/taskInstances/say/logs/2").text
    assert f"cannot open version {old}" in log


CALLS_BACK = """
from pathlib import Path
from airflow.sdk import dag, get_parsing_context, task

if get_parsing_context().dag_id is None:  # the DAG processor's, not a task's
    with Path({home!r}, "parses.txt").open("a") as file:
        file.write(".")

def told(context):
    Path({home!r}, "told.txt").touch()

@dag(schedule=None, is_paused_upon_creation=False, on_failure_callback=told)
def calls_back():
    @task
    def fails():
        raise ValueError("on purpose")
    fails()

calls_back()
"""


def test_a_callback_does_not_have_its_file_parsed_for_ever(stage, client):
    """Stock parses it again every second from then on."""
    home = stage.layout.home
    version = stage.deploy({"calls_back.py": CALLS_BACK.format(home=str(home))})
    seconds_until(lambda: live_version(client, "calls_back") == version, limit=LIMIT)
    assert stage.trigger(client, "calls_back")["state"] == "failed"
    seconds_until((home / "told.txt").exists, limit=30)
    time.sleep(2)
    before = len((home / "parses.txt").read_text())
    time.sleep(6)
    assert len((home / "parses.txt").read_text()) - before <= 1
