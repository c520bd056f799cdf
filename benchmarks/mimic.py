"""moto's server with EKS clusters, the nearest that it has to our environments: it knows no MWAA.

`DescribeCluster` is GET on one named thing with a document of the size of GetEnvironment's, and
`ListClusters` is GET of a page of names, both REST with JSON as MWAA's. moto keeps them in its memory, checks no
signature and no permission, speaks plain HTTP, and ends the connection after every answer.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from benchmarks.measuring import CannotMeasure
from benchmarks.programs import Program, running
from benchmarks.stock.installation import free_ports
from benchmarks.watching import seconds_until

_START_SECONDS = 60.0


@dataclass
class Mimic:
    """A server that runs."""

    port: int
    client: Any
    names: list[str] = field(default_factory=list)

    def grow(self, size: int) -> None:
        """Make it so many clusters."""
        while len(self.names) < size:
            name = f"bench-{len(self.names):05}"
            self.client.create_cluster(
                name=name,
                roleArn="arn:aws:iam::111111111111:role/cluster",
                resourcesVpcConfig={"subnetIds": ["subnet-a", "subnet-b"], "securityGroupIds": ["sg-a"]},
            )
            self.names.append(name)


@contextmanager
def mimic() -> Iterator[Mimic]:
    """Start one; stopped at the end."""
    if find_spec("moto") is None:
        raise CannotMeasure("cannot measure moto: it is not installed (make dev)")
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    environment = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}
    with (
        tempfile.TemporaryDirectory(prefix="tradewind-bench-moto-") as home,
        running("moto", command, environment=environment, directory=Path(home)) as program,
    ):
        client = boto3.session.Session().client(
            "eks",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"max_attempts": 0}, proxies={}),
        )
        seconds_until(lambda: _answers(client, program), limit=_START_SECONDS, what="moto's server")
        yield Mimic(port, client)


def _answers(client: Any, program: Program) -> bool:
    program.check()
    try:
        client.list_clusters()
    except BotoCoreError:
        return False
    return True
