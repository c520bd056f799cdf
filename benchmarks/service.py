"""Tradewind's side: the service, started and stopped as a user does it, and driven by boto3.

A service of ours lives in a data directory of its own, which is removed at the end. One that somebody else runs is
only used: `attach` reads where it answers.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.measuring import CannotMeasure
from tradewind.bootstrap import directory
from tradewind.bootstrap.announcement import recall
from tradewind.bootstrap.masterkeys import open_sealing
from tradewind.bootstrap.processes import runtime_of
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import HOST
from tradewind.runtime.processes.launcher import find, read_json
from tradewind.settings import read, run_directory
from tradewind.store.sealing import Sealing
from tradewind.store.server import SUPERUSER, Server

_TRADEWIND = Path(sys.executable).with_name("tradewind")
_ROLE = "arn:aws:iam::111111111111:role/execution"
_NETWORK = {"SubnetIds": ["subnet-a", "subnet-b"], "SecurityGroupIds": ["sg-a"]}
_DOWN_SECONDS = 180


@dataclass(frozen=True)
class Service:
    """A running service."""

    data: Path
    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    ca_bundle: str

    @property
    def layout(self) -> Layout:
        """Where its things lie."""
        return Layout(self.data, run_directory(self.data))

    def client(self) -> Any:
        """boto3's client, unchanged but for the endpoint."""
        return boto3.session.Session().client(
            "mwaa",
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            verify=self.ca_bundle,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=Config(inject_host_prefix=False, retries={"max_attempts": 0}, read_timeout=60),
        )

    def bucket(self, name: str) -> Path:
        """A directory bucket with a DAG folder, made if need be."""
        folder = self.layout.buckets / name
        (folder / "dags").mkdir(parents=True, exist_ok=True)
        return folder

    def create(self, name: str, bucket: str, members: Mapping[str, Any] = MappingProxyType({})) -> None:
        """CreateEnvironment: mw1.micro and everything else left out, but for what `members` say."""
        asked = {
            "Name": name, "ExecutionRoleArn": _ROLE, "SourceBucketArn": f"arn:aws:s3:::{bucket}", "DagS3Path": "dags",
            "NetworkConfiguration": _NETWORK, "EnvironmentClass": "mw1.micro",
        }  # fmt: skip
        self.client().create_environment(**asked | dict(members))

    def database_server(self) -> Server:
        """The superuser of the embedded PostgreSQL. Raises CannotMeasure where another server is used."""
        state = directory.recall(self.layout)
        if state is None or not (self.layout.postgres / "PG_VERSION").exists():
            raise CannotMeasure("cannot put stock Airflow on the same PostgreSQL: the service uses an external server")
        return Server("127.0.0.1", state.postgres_port, SUPERUSER, state.postgres_password)

    def sealing(self) -> Sealing:
        """The master keys that the service seals with."""
        sealing, _ = open_sealing(read({}, data_dir=self.data))
        return sealing

    def programs_of(self, owner: str) -> dict[int, str]:
        """Main processes of one environment, or of the host, by pid; its supervisor among them."""
        seen = runtime_of(self.layout).observe(owner)
        found = {process.pid: process.name for process in seen.processes if process.pid}
        folder = self.layout.supervisor if owner == HOST else self.layout.environments / owner / "supervisor"
        identity = read_json(str(folder / "supervisord.json"))
        supervisor = find(identity) if identity else None
        if supervisor is not None:
            found[supervisor.pid] = "supervisor"
        return found

    def control_plane(self) -> dict[int, str]:
        """The serving process."""
        announcement = recall(self.layout)
        process = announcement.process() if announcement is not None else None
        return {} if process is None else {process.pid: "control plane"}


def attach(data: Path) -> Service:
    """A service that runs already. Raises CannotMeasure when none does."""
    data = data.absolute()
    announcement = recall(Layout(data, run_directory(data)))
    if announcement is None or announcement.process() is None:
        raise CannotMeasure(f"cannot use the service of {data}: none runs there")
    return Service(
        data,
        announcement.endpoint_url,
        announcement.region,
        announcement.access_key_id,
        announcement.secret_access_key,
        announcement.ca_bundle,
    )


@contextmanager
def fresh_service(data: Path) -> Iterator[Service]:
    """A service in a data directory that does not exist yet; stopped and removed at the end, whatever happens."""
    try:
        done = _tradewind("up", "--detach", "--output", "json", data=data)
        if done.returncode != 0:
            raise CannotMeasure(f"cannot start the service: {done.stderr.strip()}")
        said = json.loads(done.stdout)
        names = ("endpoint_url", "region", "access_key_id", "secret_access_key", "ca_bundle")
        yield Service(data, *(said[name] for name in names))
    finally:
        _down(data)
        shutil.rmtree(data, ignore_errors=True)


def _down(data: Path) -> None:
    """`tradewind down`, again while it says that the service is just starting: we may have been interrupted there."""
    deadline = time.monotonic() + _DOWN_SECONDS
    while True:
        done = _tradewind("down", data=data)
        if done.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise CannotMeasure(f"cannot stop the service of {data}: {done.stderr.strip()}")
        time.sleep(1)


def _tradewind(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    # a session of its own: Ctrl-C is for us, who stop it in order
    return subprocess.run(
        [str(_TRADEWIND), *arguments, "--data-dir", str(data)],
        capture_output=True, text=True, timeout=_DOWN_SECONDS, check=False, stdin=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
