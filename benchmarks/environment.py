"""One of Tradewind's environments as a contender: made through the API, spoken to through the API."""

import shutil
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks import dags
from benchmarks.forks import named_forks
from benchmarks.installation import Answer, Installation, deploy
from benchmarks.measuring import CannotMeasure
from benchmarks.service import Service
from benchmarks.watching import seconds_until
from tradewind.domain.arns import bucket_name
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.manifests import HOST
from tradewind.runtime.processes.launcher import everyone

READY = "bench_ready"
_CREATE_SECONDS = 900.0
_DELETE_SECONDS = 180.0


# what CreateEnvironment is asked for in B1 to B5: five slots on one worker and one scheduler, as the stock side has
_FIVE_SLOTS = {"celery.worker_autoscale": "5,5"}
ENGINES: Mapping[str, Mapping[str, Any]] = {
    "tradewind": {"EnvironmentClass": "mw1.micro", "AirflowConfigurationOptions": _FIVE_SLOTS},
    "tradewind-stock-engine": {
        "EnvironmentClass": "mw1.micro",
        "AirflowConfigurationOptions": {**_FIVE_SLOTS, "tradewind.engine": "stock"},
    },
    "tradewind-no-zygotes": {
        "EnvironmentClass": "mw1.micro",
        "AirflowConfigurationOptions": {**_FIVE_SLOTS, "tradewind.zygotes": "off"},
    },
    "tradewind-2-schedulers": {"EnvironmentClass": "mw1.small", "MinWorkers": 1, "MaxWorkers": 1},
}


class Environment(Installation):
    """An environment that is there."""

    def __init__(self, service: Service, name: str, contender: str = "tradewind") -> None:
        self.contender = contender
        self.service = service
        self.name = name
        self._client = service.client()
        answer = self._client.get_environment(Name=name)
        self._id = EnvironmentId(answer["ResponseMetadata"]["HTTPHeaders"]["x-tradewind-environment-id"])
        self._bucket = service.layout.buckets / bucket_name(answer["Environment"]["SourceBucketArn"])
        self._dags = self._bucket / answer["Environment"]["DagS3Path"].strip("/")

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """InvokeRestApi."""
        members = {} if body is None else {"Body": body}
        try:
            answer = self._client.invoke_rest_api(Name=self.name, Method=method, Path=path, **members)
        except ClientError as error:
            return Answer(int(error.response.get("RestApiStatusCode", 0)), error.response.get("RestApiResponse"))
        except BotoCoreError as error:
            return Answer(0, str(error))
        return Answer(answer["RestApiStatusCode"], answer.get("RestApiResponse"))

    def put(self, name: str, text: str) -> None:
        """Into the bucket; the scratch file lies beside the DAG folder, in the same file system."""
        deploy(self._bucket / f".{name}.{uuid.uuid4().hex}", self._dags / name, text)

    def remove(self, name: str) -> None:
        """Out of the bucket."""
        (self._dags / name).unlink(missing_ok=True)

    def programs(self) -> dict[int, str]:
        """By the records of its supervisor; a fork of the preloaded parent under its program's name too."""
        programs = self.service.programs_of(str(self._id))
        return programs | named_forks(programs, everyone())

    def host_programs(self) -> dict[int, str]:
        """Control plane, Caddy, the host's supervisor: once for all environments of a data directory."""
        host = {pid: name for pid, name in self.service.programs_of(HOST).items() if name != "postgres"}
        named = {pid: "host's supervisor" if name == "supervisor" else name for pid, name in host.items()}
        return named | self.service.control_plane()

    def backends(self) -> Collection[int]:
        """By the database that they are connected to."""
        return backends_of(self.service, self._id.database)

    def database(self) -> str:
        """As the server's superuser."""
        return self.service.database_server().url(self._id.database)


def backends_of(service: Service, database: str) -> tuple[int, ...]:
    """Backends of one database of the service's server, the asking one left out."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with psycopg.connect(service.database_server().url("postgres")) as connection:
        return tuple(int(row[0]) for row in connection.execute(query, (database,)).fetchall())


def await_available(service: Service, name: str, since: float) -> float:
    """Seconds from `since` until GetEnvironment says AVAILABLE."""
    client = service.client()

    def available() -> bool:
        found = client.get_environment(Name=name)["Environment"]
        if found["Status"] not in {"CREATING", "AVAILABLE"}:
            sentence = found.get("LastUpdate", {}).get("Error", {}).get("ErrorMessage", found["Status"])
            raise CannotMeasure(f"cannot create the environment {name}: {sentence}")
        return bool(found["Status"] == "AVAILABLE")

    return seconds_until(available, limit=_CREATE_SECONDS, what=f"{name} to be AVAILABLE", since=since)


@contextmanager
def fresh_environment(
    service: Service,
    contender: str = "tradewind",
    *,
    files: Mapping[str, str] = MappingProxyType({}),
    members: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[Environment]:
    """An AVAILABLE environment in which one DAG run has succeeded; deleted at the end, its bucket too.

    `files` lie in its bucket from the start; `members` are what CreateEnvironment is asked for beyond the necessary.
    """
    name = f"bench-{uuid.uuid4().hex[:8]}"
    bucket = service.bucket(name)
    try:
        for file, text in {f"{READY}.py": dags.triggered(READY), **files}.items():
            _write(bucket / "dags" / file, text)
        try:
            service.create(name, name, members)
        except ClientError as error:
            raise CannotMeasure(f"cannot create an environment of {contender}: {error}") from error
        await_available(service, name, time.monotonic())
        environment = Environment(service, name, contender)
        environment.run(READY)
        yield environment
    finally:
        _delete(service, name)
        shutil.rmtree(bucket, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o644)


def _delete(service: Service, name: str) -> None:
    client = service.client()
    try:
        client.delete_environment(Name=name)
    except client.exceptions.ResourceNotFoundException:
        return

    def gone() -> bool:
        try:
            client.get_environment(Name=name)
        except client.exceptions.ResourceNotFoundException:
            return True
        return False

    seconds_until(gone, limit=_DELETE_SECONDS, what=f"the environment {name} to be gone")
