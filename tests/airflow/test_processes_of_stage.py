"""Processes of a running environment: closed to their neighbours, alive by their heartbeats, light when idle."""

import base64
import json
import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import valkey


def family(stage, name):
    parent = psutil.Process(stage.running[name].pid)
    return [parent, *parent.children(recursive=True)]


@pytest.mark.parametrize("name", ["api-server", "scheduler-1", "dag-processor", "triggerer", "worker-1"])
def test_a_process_and_its_children_are_closed_to_others_of_their_user(stage, name):
    code = (
        "import sys; [open(f'/proc/{pid}/{name}', 'rb').read(1) for pid in sys.argv[1:] for name in ('environ', 'mem')]"
    )
    for process in family(stage, name):
        looked = stage.run("-c", code, str(process.pid))
        assert "PermissionError" in looked.stderr, f"{process.cmdline()} can be read"


def test_what_a_trusted_process_executes_is_closed_too(stage):
    variables = dict(stage.inputs.extra_environment) | {"TRADEWIND_CLOSED": "1", "SECRET": "x"}
    look = "from tradewind_airflow.closed import process_is_closed; print(process_is_closed())"
    assert stage.run("-c", look, environment=variables).stdout.split() == ["True"]
    assert stage.run("-c", look, environment={"SECRET": "x"}).stdout.split() == ["False"]


def test_an_ordinary_process_can_be_read_by_its_neighbours(stage):
    """The test above can fail: without the entry, the same look succeeds."""
    people = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
    with subprocess.Popen(["/bin/sleep", "30"], env={"SECRET": "x"}, **people) as sleeper:
        looked = stage.run("-c", f"print(open('/proc/{sleeper.pid}/environ').read())")
        sleeper.kill()
    assert "SECRET=x" in looked.stdout, looked.stderr


def test_substitutions_fit_this_airflow(stage):
    code = (
        "from tradewind_airflow.compat import forgetting, ledgers, snapshots\n"
        "print(snapshots.install(), forgetting.install(), ledgers.install())\n"
    )
    done = stage.run("-c", code)
    assert done.stdout.split()[-3:] == ["True", "True", "True"], done.stderr


def test_a_worker_is_known_by_its_heartbeats(stage):
    """The control plane's proof that a worker answers: no Celery needed."""
    broker = valkey.Valkey(
        host="127.0.0.1", port=stage.inputs.ports.broker, password=stage.inputs.secrets.broker_password
    )
    with broker, broker.pubsub(ignore_subscribe_messages=True) as events:
        events.psubscribe("/0.celeryev/worker.heartbeat")
        times, end = [], time.monotonic() + 15
        while len(times) < 2 and time.monotonic() < end:
            message = events.get_message(timeout=1)
            if message is None:
                continue
            envelope = json.loads(message["data"])
            event = json.loads(base64.b64decode(envelope["body"]))
            assert event["type"] == "worker-heartbeat"
            assert event["hostname"] == f"worker-1@{stage.id}"
            times.append(event["timestamp"])
    assert times[1] - times[0] >= 1


def test_health_tells_every_heartbeat(stage):
    health = stage.client().get("/api/v2/monitor/health").json()
    assert health["metadatabase"] == {"status": "healthy"}
    for part in ("scheduler", "dag_processor", "triggerer"):
        assert health[part]["status"] == "healthy"
        assert health[part][f"latest_{part}_heartbeat"]


def test_nothing_is_written_into_homes_that_is_not_meant(stage):
    assert not (stage.layout.home / "airflow.db").exists()
    assert not (stage.layout.home / "airflow.cfg").exists()


def test_the_component_says_what_it_can_be(stage):
    done = stage.run("-m", "tradewind_airflow.component", "webserver")
    assert done.returncode == 2
    assert "api-server" in done.stderr


def test_airflows_command_line_runs_with_the_environments_settings(stage):
    done = stage.run("-m", "tradewind_airflow.component", "cli", "variables", "set", "from", "cli")
    assert done.returncode == 0, done.stderr
    assert stage.client().get("/api/v2/variables/from").json()["value"] == "cli"


def test_the_environments_database_belongs_to_its_role_alone(stage):
    owners = stage.postgres.query(
        "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'", stage.database
    )
    assert owners == [("env_stage",)]
    assert Path(stage.layout.home).is_dir()
