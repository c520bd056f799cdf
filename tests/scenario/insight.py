"""Looking behind the curtain, for tests alone: secrets in the store, processes by their records."""

import json
from pathlib import Path

import psutil
import psycopg

from tests.conftest import Service


def superuser(service: Service, database: str = "tradewind") -> str:
    """A connection URL to the embedded server."""
    host = json.loads((service.data / "host.json").read_text())
    return f"postgresql://tradewind:{host['postgres_password']}@127.0.0.1:{host['postgres_port']}/{database}"


def environment_id(service: Service, name: str) -> str:
    answer = service.client().get_environment(Name=name)
    return str(answer["ResponseMetadata"]["HTTPHeaders"]["x-tradewind-environment-id"])


def secrets_of(service: Service, name: str) -> dict[str, str]:
    with psycopg.connect(superuser(service)) as connection:
        row = connection.execute("SELECT secrets FROM environments WHERE name = %s AND gone_at IS NULL", (name,)).fetchone()
    assert row is not None
    return dict(row[0])


def processes_below(folder: Path) -> list[psutil.Process]:
    """Every process whose command line or working directory names a folder: a run's data directory is unique."""
    found = []
    for process in psutil.process_iter():
        try:
            text = " ".join(process.cmdline()) + " " + process.cwd()
        except (psutil.Error, OSError):
            continue
        if str(folder) in text and process.pid != psutil.Process().pid:
            found.append(process)
    return found


def named(service: Service, id_: str, program: str) -> list[psutil.Process]:
    """The live main processes of one program of an environment, by their command lines' ends."""
    words = {
        "scheduler-1": "component scheduler", "dag-processor": "component dag-processor", "triggerer": "component triggerer",
        "api-server": "component api-server", "worker-1": "component worker", "broker": "valkey-server",
    }[program]  # fmt: skip
    mine = []
    for process in processes_below(service.data / "environments" / id_):
        try:
            parent = process.parent()
            line = " ".join(process.cmdline())
            from_supervisor = parent is not None and "supervisord" in " ".join(parent.cmdline())
        except psutil.Error:
            continue
        if words in line and from_supervisor:
            mine.append(process)
    return mine
