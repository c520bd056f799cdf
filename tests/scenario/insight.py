"""Looking behind the curtain, for tests alone: secrets in the store, processes by their records and command lines."""

import json
import os
import time
from pathlib import Path

import psutil
import psycopg

from tests.conftest import Service
from tradewind.bootstrap.announcement import recall
from tradewind.bootstrap.masterkeys import open_sealing
from tradewind.bootstrap.processes import runtime_of
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import ProcessState
from tradewind.settings import read, run_directory
from tradewind.store.sealed import open_document

KEEPER = "tradewind.runtime.processes.keeper"


def superuser(service: Service, database: str = "tradewind") -> str:
    """A connection URL to the embedded server."""
    host = json.loads((service.data / "host.json").read_text())
    return f"postgresql://tradewind:{host['postgres_password']}@127.0.0.1:{host['postgres_port']}/{database}"


def environment_id(service: Service, name: str) -> str:
    answer = service.client().get_environment(Name=name)
    return str(answer["ResponseMetadata"]["HTTPHeaders"]["x-tradewind-environment-id"])


def row_of(service: Service, name: str) -> tuple[dict[str, str], dict[str, int]]:
    """Secrets, opened, and ports of an environment."""
    with psycopg.connect(superuser(service)) as connection:
        query = "SELECT secrets, ports, id FROM environments WHERE name = %s AND gone_at IS NULL"
        row = connection.execute(query, (name,)).fetchone()
    assert row is not None
    sealing, _ = open_sealing(read({}, data_dir=service.data))
    return open_document(sealing, row[0], f"environments/{row[2]}"), row[1]


def announced_process(service: Service) -> psutil.Process:
    """The control plane."""
    announcement = recall(_layout(service))
    assert announcement is not None
    process = announcement.process()
    assert process is not None
    return process


def program_of(service: Service, owner: str, program: str, *, missing_is_fine: bool = False) -> psutil.Process | None:
    """The running process of a program, by its supervisor's records."""
    seen = runtime_of(_layout(service)).observe(owner).process(program)
    try:
        if seen is not None and seen.pid is not None:
            return psutil.Process(seen.pid)
    except psutil.NoSuchProcess:
        pass
    assert missing_is_fine, f"{program} of {owner} does not run"
    return None


def running(service: Service, owner: str) -> dict[str, int]:
    """The ids of all its processes by their names, by its supervisor's records; it may need a while to answer."""
    deadline = time.monotonic() + 30
    observed = runtime_of(_layout(service)).observe(owner)
    while not observed.supervised and time.monotonic() < deadline:
        time.sleep(0.5)
        observed = runtime_of(_layout(service)).observe(owner)
    return {
        seen.name: seen.pid
        for seen in observed.processes
        if seen.pid is not None and seen.state in {ProcessState.STARTING, ProcessState.RUNNING}
    }


def supervisor_of(service: Service, owner: str, *, missing_is_fine: bool = False) -> psutil.Process | None:
    """The supervisor: the parent of what it runs."""
    for seen in runtime_of(_layout(service)).observe(owner).processes:
        try:
            parent = psutil.Process(seen.pid).parent() if seen.pid else None
            if parent is not None and KEEPER in " ".join(parent.cmdline()):
                return parent
        except psutil.Error:
            continue
    assert missing_is_fine, f"{owner} has no supervisor"
    return None


def mains(service: Service, name: str) -> dict[str, list[psutil.Process]]:
    """Every live main process of an environment by program, those without a supervisor too.

    Main is what its supervisor or (an orphan) init is the parent of. Airflow and Celery set titles of their own where a
    component started cold; otherwise main is the stand-in of a fork (docs/preloading.md), whose command line does not
    name the environment: its supervisor does, or as root its user.
    """
    id_, (_, ports) = environment_id(service, name), row_of(service, name)
    runtimes = f"{service.data}/runtimes/"
    titles = {
        "broker": ("valkey-server", f":{ports['broker']}"),
        "credentials": (runtimes, "-m tradewind_airflow.credentials"),
        "preload": (runtimes, "component preload"),
        "api-server": (runtimes, "component api-server"),
        "scheduler-1": (runtimes, "component scheduler"),
        "dag-processor": (runtimes, "component dag-processor"),
        "triggerer": (runtimes, "component triggerer"),
        "worker-1": (runtimes, "component worker", f"worker-1@{id_}"),
    }
    cold = {"api-server": ("airflow api", f"port:{ports['api']}"), "worker-1": ("celeryd: worker-1@", id_)}
    supervisor = supervisor_of(service, id_, missing_is_fine=True)
    started_cold: dict[str, list[psutil.Process]] = {}
    found: dict[str, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
            is_main = _is_main(process, id_, supervisor)
        except psutil.Error:
            continue
        for program, words in titles.items():
            if is_main and all(word in line for word in words):
                found.setdefault(program, []).append(process)
        for program, words in cold.items():
            if is_main and all(word in line for word in words):
                started_cold.setdefault(program, []).append(process)
    # a fork whose preloaded parent was killed is the supervisor's child too, but its stand-in is the program
    return started_cold | found


def _is_main(process: psutil.Process, id_: str, supervisor: psutil.Process | None) -> bool:
    parent = process.parent()
    if parent is None or parent.pid == 1:
        return os.geteuid() != 0 or process.username() == f"tw-{id_}"
    return parent == supervisor if supervisor is not None else KEEPER in " ".join(parent.cmdline())


def left_of(folder: Path) -> list[str]:
    """Command lines of processes that name a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if str(folder) in line and process.pid != psutil.Process().pid:
            found.append(line)
    return found


def _layout(service: Service) -> Layout:
    return Layout(service.data, run_directory(service.data))
