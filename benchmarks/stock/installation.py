"""A stock installation: scheduler, DAG processor, triggerer, API server, and with Celery one worker and Valkey.

The same components as an environment of Tradewind has, started by Airflow's own commands. Log servers are left out on
both sides (`--skip-serve-logs`): logs lie on the same machine. Its auth manager is Airflow's default, the simple one.
"""

import base64
import os
import secrets
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks import dags
from benchmarks.environment import READY, backends_of
from benchmarks.installation import Answer, Installation, deploy
from benchmarks.measuring import CannotMeasure
from benchmarks.programs import Program, running
from benchmarks.service import Service
from benchmarks.stock import settings
from benchmarks.stock.database import Databases
from benchmarks.watching import seconds_until
from tradewind.bootstrap.software import valkey_server

_START_SECONDS = 180.0
_LINES = 20


class StockInstallation(Installation):
    """One that runs. `programs` are checked at each call: one that died says so with its last lines."""

    def __init__(
        self, contender: str, *, home: Path, port: int, programs: list[Program], service: Service, database: str
    ) -> None:
        self.contender = contender
        self._home = home
        self._programs = programs
        self._service = service
        self._database = database
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
        self._token = ""

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Airflow's REST API with a token."""
        for program in self._programs:
            program.check()
        try:
            if not self._token:
                self._token = self._http.get("/auth/token").raise_for_status().json()["access_token"]
            headers = {"Authorization": f"Bearer {self._token}"}
            answer = self._http.request(method, f"/api/v2{path}", json=body, headers=headers)
        except httpx.HTTPError as error:
            return Answer(0, str(error))
        return Answer(answer.status_code, answer.json() if answer.content else None)

    def put(self, name: str, text: str) -> None:
        """Into the DAG folder."""
        deploy(self._home / f".{name}.{uuid.uuid4().hex}", self._home / "dags" / name, text)

    def remove(self, name: str) -> None:
        """Out of the DAG folder."""
        (self._home / "dags" / name).unlink(missing_ok=True)

    def programs(self) -> dict[int, str]:
        """What was started."""
        for program in self._programs:
            program.check()
        return {program.pid: program.name for program in self._programs}

    def host_programs(self) -> dict[int, str]:
        """None: an installation is all there is."""
        return {}

    def backends(self) -> Collection[int]:
        """By the database that they are connected to."""
        return backends_of(self._service, self._database)

    def database(self) -> str:
        """As the server's superuser."""
        return self._service.database_server().url(self._database)

    def close(self) -> None:
        """Hang up."""
        self._http.close()


@contextmanager
def fresh_installation(
    contender: str, service: Service, databases: Databases, virtualenv: Path, files: Mapping[str, str]
) -> Iterator[StockInstallation]:
    """An installation in which one DAG run has succeeded; stopped and removed at the end.

    `files` lie in its DAG folder from the start: it lists the folder only every 300 s.
    """
    setup = settings.SETUPS[contender]
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="tradewind-bench-stock-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        (home / "dags").mkdir()
        for name, text in {f"{READY}.py": dags.triggered(READY), **files}.items():
            (home / "dags" / name).write_text(text)
        database = stack.enter_context(databases.copy())
        ports = settings.Ports(*free_ports(4))
        keys = settings.Secrets(
            base64.urlsafe_b64encode(os.urandom(32)).decode(), *(secrets.token_hex(24) for _ in range(3))
        )
        options = settings.options(setup, ports, keys, databases.url(database))
        environment = settings.surroundings(home, virtualenv, options)
        programs = []
        if setup.has_workers:
            programs.append(stack.enter_context(_broker(home, ports.broker, keys.broker_password, service)))
        for name, arguments in settings.commands(setup).items():
            command = [str(virtualenv / "bin" / "airflow"), *arguments]
            programs.append(
                stack.enter_context(running(name, command, environment=environment, directory=home, stop_seconds=20))
            )
        installation = StockInstallation(
            contender, home=home, port=ports.api, programs=programs, service=service, database=database
        )
        stack.callback(installation.close)
        began = time.monotonic()
        seconds_until(lambda: _healthy(installation), limit=_START_SECONDS, what=f"{contender} to start", since=began)
        try:
            installation.run(READY)
        except CannotMeasure as error:
            raise CannotMeasure(f"{error}\n{_evidence(home)}") from error
        yield installation


def _evidence(home: Path) -> str:
    """The end of each task's log, and of the scheduler's."""
    logs = [*sorted((home / "logs").rglob("attempt=*.log")), *sorted(home.glob("scheduler*.log"))]
    return "\n".join(line for log in logs for line in log.read_text(errors="replace").splitlines()[-_LINES:])


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


@contextmanager
def _broker(home: Path, port: int, password: str, service: Service) -> Iterator[Program]:
    folder = home / "broker"
    folder.mkdir()
    configuration = folder / "valkey.conf"
    configuration.write_text(settings.broker_configuration(folder, port, password))
    command = [str(valkey_server(service.layout, as_root=os.geteuid() == 0)), str(configuration)]
    with running("broker", command, environment={"PATH": "/usr/bin:/bin"}, directory=home) as program:
        yield program


def _healthy(installation: StockInstallation) -> bool:
    answer = installation.call("GET", "/monitor/health")
    parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
    return answer.is_fine and all(answer.document[part]["status"] == "healthy" for part in parts)
