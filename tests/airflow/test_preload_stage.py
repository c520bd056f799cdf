"""A whole environment from one preloaded parent: who is whose fork, what the parent knows, what is inherited."""

import os
import signal
import time
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from tests.airflow.conftest import eventually
from tradewind.recipe.processes import environment_processes

COMPONENTS = ("api-server", "scheduler-1", "dag-processor", "triggerer", "worker-1")
TITLES = {
    "api-server": "airflow api_server",
    "scheduler-1": "airflow scheduler",
    "dag-processor": "airflow dag-processor",
    "triggerer": "airflow triggerer",
    "worker-1": "celeryd: worker-1@",
}


def title(process):
    """Empty where it is just going."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def child_of(stage, name):
    """The fork that a component stands in for, by its title."""
    parent = psutil.Process(stage.running["preload"].pid)
    found = [child for child in parent.children() if TITLES[name] in title(child)]
    if len(found) != 1:
        raise LookupError(f"{name} has {len(found)} forks")
    return found[0]


def test_every_component_is_a_fork_of_the_parent(stage):
    for name in COMPONENTS:
        assert child_of(stage, name).is_running()


def test_the_parent_and_its_forks_are_closed_to_others_of_their_user(stage):
    code = (
        "import sys; [open(f'/proc/{pid}/{name}', 'rb').read(1) for pid in sys.argv[1:] for name in ('environ', 'mem')]"
    )
    forks = [child_of(stage, name) for name in COMPONENTS]
    family = [stage.running["preload"], *forks, *(heir for fork in forks for heir in fork.children(recursive=True))]
    for process in family:
        said = stage.run("-c", code, str(process.pid)).stderr
        assert "PermissionError" in said or not psutil.pid_exists(process.pid), f"{process.pid} can be read"


def test_a_stand_in_is_small(stage):
    for name in COMPONENTS:
        assert psutil.Process(stage.running[name].pid).memory_info().rss < 20 * 1024 * 1024


@pytest.mark.skipif(os.getuid() != 0, reason="only root may look into closed processes")
def test_pages_are_shared(stage):
    """More than a third of what the forks hold is not theirs alone."""
    held, shared = 0, 0
    for name in COMPONENTS:
        memory = child_of(stage, name).memory_full_info()
        held, shared = held + memory.rss, shared + memory.rss - memory.uss
    assert shared > held / 3


@pytest.mark.skipif(os.getuid() != 0, reason="only root may look into closed processes")
def test_the_parent_holds_no_secret_in_its_environment_or_memory(stage):
    secrets = stage.inputs.secrets
    words = [secrets.fernet_key, secrets.jwt_secret, secrets.api_secret_key, secrets.assertion_secret,
             secrets.broker_password, secrets.database_password]  # fmt: skip
    parent, api = stage.running["preload"].pid, child_of(stage, "api-server").pid
    assert not [word for word in words if word.encode() in memory_of(parent)]
    assert secrets.assertion_secret.encode() in memory_of(api), "the look finds what is there"
    worker = memory_of(child_of(stage, "worker-1").pid)
    assert secrets.broker_password.encode() in worker
    assert not [word for word in words if word != secrets.broker_password and word.encode() in worker]


def memory_of(pid):
    """All that a process can write to, and its environment."""
    place = Path(f"/proc/{pid}")
    found = [(place / "environ").read_bytes()]
    with (place / "mem").open("rb", 0) as memory:
        for line in (place / "maps").read_text().splitlines():
            ends, rights = line.split()[:2]
            if rights.startswith("rw"):
                first, last = (int(end, 16) for end in ends.split("-"))
                memory.seek(first)
                found.append(memory.read(last - first))
    return b"".join(found)


def test_a_neighbour_cannot_put_itself_in_the_parents_place(stage):
    """As a task would: take the socket away and make another. Only an ordinary user's own files let it."""
    if os.getuid() != 0:
        pytest.skip("an ordinary user's files are all that user's")
    path = stage.layout.root / "preload.sock"
    done = stage.run("-c", f"import os; os.unlink({str(path)!r})")
    assert "PermissionError" in done.stderr
    done = stage.run("-c", f"import socket; socket.socket(socket.AF_UNIX).bind({str(path.with_name('mine'))!r})")
    assert "PermissionError" in done.stderr


def test_who_asks_as_a_neighbour_gets_nothing_that_is_not_its_own(stage):
    """A task may connect. What it gets is Python without secrets, and only with the parent's own settings."""
    digest, _, path = environment_of(stage)["TRADEWIND_PRELOAD"].partition(":")
    code = (
        "import socket, sys, os; from tradewind_airflow.preload import wire\n"
        "c = socket.socket(socket.AF_UNIX); c.settimeout(30); c.connect(sys.argv[2])\n"
        "wire.send(c, {'digest': sys.argv[1], 'component': 'cli', 'arguments': [], 'environment': {},"
        " 'directory': '/'}, (1, 2, 0))\n"
        "print(wire.receive(c)[0])\n"
    )
    done = stage.run("-c", code, digest, path)
    assert "'refused': 'was imported with other values of" in done.stdout, done


def environment_of(stage):
    [found] = [process for process in environment_processes(stage.inputs) if process.name == "scheduler-1"]
    return found.environment


def test_settings_of_a_component_are_its_own(stage):
    """The worker's home differs from the parent's, and its tasks see it."""
    client = stage.client()
    stage.deploy({"home.py": HOME})
    eventually(lambda: client.get("/api/v2/dags/home").status_code == 200, seconds=60, what="the DAG")
    client.patch("/api/v2/dags/home", json={"is_paused": False}).raise_for_status()
    run = stage.trigger(client, "home")
    assert run["state"] == "success"
    told = client.get(
        f"/api/v2/dags/home/dagRuns/{run['dag_run_id']}/taskInstances/look/xcomEntries/return_value"
    ).json()["value"]
    home = str(stage.layout.home)
    assert told == [home, home, home, f"{home}/dags", f"{home}/dags", False] or told == str(
        [home, home, home, f"{home}/dags", f"{home}/dags", False]
    )


HOME = """
from airflow.sdk import dag, task

@dag(schedule=None)
def home():
    @task
    def look():
        import os
        from airflow import configuration, settings
        from airflow.sdk.configuration import conf
        return [os.environ["AIRFLOW_HOME"], configuration.AIRFLOW_HOME, settings.AIRFLOW_HOME,
                configuration.conf.get("core", "dags_folder"), conf.get("core", "dags_folder"),
                "TRADEWIND_PRELOAD" in os.environ]
    look()

home()
"""


def test_a_component_comes_back_warm_after_its_end_and_cold_without_the_parent(stage):
    processes = {process.name: process for process in environment_processes(stage.inputs)}
    before = {name: child_of(stage, name) for name in COMPONENTS if name != "triggerer"}
    old, fork = stage.running["triggerer"], child_of(stage, "triggerer")
    family = [fork, *fork.children(recursive=True)]
    old.send_signal(signal.SIGTERM)
    assert old.wait(30) == 0, "Airflow's own answer to TERM"
    assert not [member for member in family if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]
    stage.start(processes["triggerer"])
    eventually(lambda: child_of(stage, "triggerer").pid != fork.pid, seconds=30, what="another fork")

    stage.running["preload"].kill()
    stage.running["preload"].wait(10)
    restart(stage, "triggerer")
    began = time.time()
    eventually(lambda: beat(stage) > began, seconds=60, what="the heartbeat of a triggerer that started cold")
    assert "starts without the preloaded parent" in stage.layout.process_log("triggerer").read_text()
    assert all(child.is_running() for child in before.values()), "who ran did not notice"

    stage.start(processes["preload"])  # as it was before
    for name in COMPONENTS:
        restart(stage, name)
    eventually(lambda: [child_of(stage, name) for name in COMPONENTS], seconds=60, what="forks of the new parent")
    began = time.time()
    eventually(lambda: beat(stage) > began, seconds=60, what="the API server, with a new heartbeat")


def restart(stage, name):
    """As supervisord does after kill -9."""
    stage.running[name].kill()
    stage.running[name].wait(10)
    [process] = [process for process in environment_processes(stage.inputs) if process.name == name]
    stage.start(process)


def beat(stage):
    health = stage.client().get("/api/v2/monitor/health").json()["triggerer"]
    return datetime.fromisoformat(health["latest_triggerer_heartbeat"]).timestamp()


def test_the_command_line_is_never_a_fork(stage):
    done = stage.run("-m", "tradewind_airflow.component", "cli", "version")
    assert done.returncode == 0, done.stderr
