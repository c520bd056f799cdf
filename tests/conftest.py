"""Fixtures that several rooms of tests share: a running service, and one environment in it.

Both are made once for a whole run. The service is started as a user starts it (the command line, detached) in a
data directory of its own, and stopped at the end with everything that it started.
"""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import hypothesis
import pytest
from botocore.config import Config
from hypothesis import HealthCheck

from tradewind.wire import MODELS

# Property tests judge answers, not how busy the machine is, and the same ones each time: what fails is the change's.
# `--hypothesis-profile deep` looks for rare ones.
_PATIENT: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
hypothesis.settings.register_profile("patient", derandomize=True, **_PATIENT)
hypothesis.settings.register_profile("deep", max_examples=2000, **_PATIENT)
hypothesis.settings.load_profile("patient")

ROOT = Path(__file__).parents[1]
TRADEWIND = Path(sys.executable).with_name("tradewind")
ROLE = "arn:aws:iam::111111111111:role/execution"
NETWORK = {"SubnetIds": ["subnet-a", "subnet-b"], "SecurityGroupIds": ["sg-a"]}


@dataclass(frozen=True)
class Service:
    """A running service: what `up --output json` printed."""

    endpoint_url: str
    region: str
    account_id: str
    access_key_id: str
    secret_access_key: str
    ca_bundle: str
    data_dir: str

    @property
    def data(self) -> Path:
        return Path(self.data_dir)

    def client(self, **overrides: Any) -> Any:
        """boto3's client, unchanged but for the endpoint. One for all: making it takes longer than most calls."""
        return self._made(**overrides) if overrides else _client_of(self)

    def _made(self, **overrides: Any) -> Any:
        # One retry: the proxy ends idle connections when routes change, and a request may be on its way just then.
        config = Config(inject_host_prefix=False, retries={"total_max_attempts": 2}, read_timeout=60)
        given = {
            "endpoint_url": self.endpoint_url, "region_name": self.region, "verify": self.ca_bundle,
            "aws_access_key_id": self.access_key_id, "aws_secret_access_key": self.secret_access_key, "config": config,
        }  # fmt: skip
        return boto3.session.Session().client("mwaa", **(given | overrides))

    def own(self) -> Any:
        """boto3's client of our own operations: botocore learns them from our model."""
        session = botocore.session.Session()
        session.get_component("data_loader").search_paths.append(str(MODELS))
        return boto3.session.Session(botocore_session=session).client(
            "tradewind", endpoint_url=self.endpoint_url, region_name=self.region, verify=self.ca_bundle,
            aws_access_key_id=self.access_key_id, aws_secret_access_key=self.secret_access_key,
            config=Config(retries={"total_max_attempts": 2}, read_timeout=60),
        )  # fmt: skip

    def variables(self) -> dict[str, str]:
        """What `up` tells people to export for AWS's clients."""
        return {
            **{f"AWS_ENDPOINT_URL_{service}": self.endpoint_url for service in ("MWAA", "IAM", "STS")},
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_CA_BUNDLE": self.ca_bundle,
            "REQUESTS_CA_BUNDLE": self.ca_bundle,
        }

    def bucket(self, name: str) -> Path:
        """A directory bucket, made if need be."""
        folder = self.data / "buckets" / name
        (folder / "dags").mkdir(parents=True, exist_ok=True)
        return folder

    def create(self, name: str, bucket: str, **members: Any) -> None:
        """CreateEnvironment with what most tests do not care about filled in."""
        asked = {
            "Name": name, "ExecutionRoleArn": ROLE, "SourceBucketArn": f"arn:aws:s3:::{bucket}", "DagS3Path": "dags",
            "NetworkConfiguration": NETWORK, "EnvironmentClass": "mw1.micro",
        }  # fmt: skip
        self.client().create_environment(**(asked | members))

    def wait(self, name: str, *, seconds: float = 300) -> dict[str, Any]:
        """The environment, once it is no longer CREATING."""
        client = self.client()
        found: dict[str, Any] = {}

        def settled() -> bool:
            found.update(client.get_environment(Name=name)["Environment"])
            return found["Status"] != "CREATING"

        eventually(settled, seconds=seconds, what=f"{name} to leave CREATING")
        return found

    def settle(
        self, name: str, *, seconds: float = 300, since: tuple[str, ...] = ()
    ) -> tuple[dict[str, Any], list[str]]:
        """Follow what is under way to its end: the environment then, and the statuses on the way, `since` first."""
        client, seen = self.client(), list(since)
        found: dict[str, Any] = {}

        def is_over() -> bool:
            found.update(client.get_environment(Name=name)["Environment"])
            if not seen or seen[-1] != found["Status"]:
                seen.append(found["Status"])
            return found["Status"] in {"AVAILABLE", "UPDATE_FAILED", "CREATE_FAILED"}

        eventually(is_over, seconds=seconds, what=f"{name} to settle", pause=0.2)
        return found, seen

    def update(self, name: str, *, seconds: float = 300, **members: Any) -> tuple[dict[str, Any], list[str]]:
        """UpdateEnvironment, followed to its end."""
        assert self.client().update_environment(Name=name, **members)["Arn"].endswith(f":environment/{name}")
        return self.settle(name, seconds=seconds, since=("UPDATING",))  # a refusal may be over before the first look

    def wait_gone(self, name: str, *, seconds: float = 180) -> None:
        """Return when GetEnvironment answers ResourceNotFoundException."""
        client = self.client()

        def gone() -> bool:
            try:
                client.get_environment(Name=name)
            except client.exceptions.ResourceNotFoundException:
                return True
            return False

        eventually(gone, seconds=seconds, what=f"{name} to be gone")

    def rest(self, name: str, method: str, path: str, **members: Any) -> Any:
        """InvokeRestApi's RestApiResponse, as `patient_rest` asks."""
        return patient_rest(self.client(), Name=name, Method=method, Path=path, **members)["RestApiResponse"]

    def start_dag(self, name: str, dag: str, *, conf: dict[str, Any] | None = None) -> str:
        """Trigger a DAG that is known or will soon be, and return its run's id."""

        def known() -> bool:
            try:
                self.rest(name, "PATCH", f"/dags/{dag}", Body={"is_paused": False})
            except self.client().exceptions.ClientError:
                return False
            return True

        eventually(known, seconds=60, what=f"DAG {dag} to be known")
        run = f"manual__{uuid.uuid4()}"  # made here, so that asking again is the same request
        self.rest(
            name, "POST", f"/dags/{dag}/dagRuns", Body={"logical_date": None, "dag_run_id": run, "conf": conf or {}}
        )
        return run

    def run_dag(
        self, name: str, dag: str, *, seconds: float = 120, conf: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Trigger a DAG that is known or will soon be, and return its finished run."""
        run = self.start_dag(name, dag, conf=conf)
        found: dict[str, Any] = {}

        def finished() -> bool:
            found.update(self.rest(name, "GET", f"/dags/{dag}/dagRuns/{run}"))
            return found["state"] in {"success", "failed"}

        eventually(finished, seconds=seconds, what=f"run {run} of {dag} to end")
        return found


@functools.cache
def _client_of(service: Service) -> Any:
    return service._made()


def patient_rest(client: Any, **members: Any) -> Any:
    """InvokeRestApi's answer; asked again while Airflow is away or needs longer than the ten seconds.

    What was made or removed though its answer did not come is a conflict, or not found, when it is asked again.
    """
    done = {"POST": HTTPStatus.CONFLICT, "DELETE": HTTPStatus.NOT_FOUND}.get(members["Method"])
    deadline, again = time.monotonic() + 90, False
    while True:
        try:
            return client.invoke_rest_api(**members)
        except client.exceptions.RestApiServerException:
            if time.monotonic() > deadline:
                raise
        except client.exceptions.RestApiClientException as error:
            if not again or error.response["RestApiStatusCode"] != done:
                raise
            return error.response
        again = True
        time.sleep(1)


def eventually(check: Callable[[], bool], *, seconds: float, what: str, pause: float = 0.3) -> None:
    """Return when `check` says True; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(pause)


def tradewind(
    *arguments: str, data: Path | str, timeout: float = 180, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line on a data directory."""
    return subprocess.run(
        [str(TRADEWIND), *arguments, "--data-dir", str(data)],
        env={**os.environ, **variables},
        capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def bring_up(data: Path | str, *arguments: str, **variables: str) -> Service:
    """`tradewind up --detach --output json`."""
    done = tradewind("up", "--detach", "--output", "json", *arguments, data=data, **variables)
    assert done.returncode == 0, done.stderr
    return Service(**json.loads(done.stdout))


@pytest.fixture(scope="session")
def data_root() -> Iterator[Path]:
    """A folder for data directories. As root it must be one that other users can pass through."""
    root = Path(tempfile.mkdtemp(prefix="tradewind-test-", dir="/var/tmp" if os.geteuid() == 0 else None))
    root.chmod(0o711)
    yield root
    shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def moto_server() -> Iterator[str]:
    """AWS's APIs as moto has them, in this process: the URL of all of them."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture(scope="session")
def s3(data_root: Path) -> Iterator[Any]:
    """A client of an S3 endpoint, where buckets are that are no directories."""
    with moto_server() as url:
        yield boto3.session.Session("testing", "testing", region_name="us-east-1").client("s3", endpoint_url=url)


@pytest.fixture(scope="session")
def service_variables(s3: Any) -> dict[str, str]:
    """What the shared service is started with."""
    return {
        "TRADEWIND_S3_ENDPOINT_URL": s3.meta.endpoint_url,
        "TRADEWIND_S3_ACCESS_KEY_ID": "testing",
        "TRADEWIND_S3_SECRET_ACCESS_KEY": "testing",
    }


@pytest.fixture(scope="session")
def service(data_root: Path, service_variables: dict[str, str]) -> Iterator[Service]:
    """A running service of this run's own, with directory buckets and an S3 endpoint."""
    data = data_root / "shared"
    running = bring_up(data, **service_variables)
    try:
        yield running
    finally:
        done = tradewind("down", data=data)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def environment(service: Service) -> str:
    """The name of one AVAILABLE environment that tests share; its bucket is `shared`."""
    bucket = service.bucket("shared")
    for source in (ROOT / "tests" / "dags").glob("*.py"):
        shutil.copy(source, bucket / "dags")
    service.create("shared", "shared", Tags={"purpose": "tests"})
    found = service.wait("shared")
    assert found["Status"] == "AVAILABLE", found.get("LastUpdate")
    return "shared"
