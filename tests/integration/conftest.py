"""A real PostgreSQL for the integration tests, made and supervised as the service does it: once for a whole run.

As root it runs as the service's own unprivileged user, from a folder that other users can pass through.
"""

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.integration.iam_account import IamAccount
from tradewind.bootstrap import directory
from tradewind.bootstrap.processes import runtime_of
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import HOST, Manifest
from tradewind.iam import Kind, Principal
from tradewind.iam.entities import Home
from tradewind.runtime import Runtime, users
from tradewind.runtime.ports import draw_port
from tradewind.store import Identities
from tradewind.store.migrations import upgrade
from tradewind.store.sealing import MasterKey, Sealing
from tradewind.store.server import SUPERUSER, Cluster, Server
from tradewind.store.tables import metadata


@dataclass(frozen=True)
class Postgres:
    """The server, what it lies in and what keeps it."""

    layout: Layout
    runtime: Runtime
    cluster: Cluster
    server: Server

    def execute(self, statement: str) -> None:
        """Outside of any transaction, as the superuser."""
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder whose path is short (sockets) and that other users can pass through where we are root."""
    made = Path(tempfile.mkdtemp(prefix="tw-it-", dir="/var/tmp" if os.geteuid() == 0 else None))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def layout(folder: Path) -> Layout:
    """A data directory with its folders."""
    made = Layout(folder / "data", folder / "run")
    directory.prepare(made, as_root=users.is_root())
    return made


@pytest.fixture(scope="session")
def postgres(layout: Layout) -> Iterator[Postgres]:
    """A PostgreSQL that runs under the host's supervisor; stopped at the end."""
    runtime = runtime_of(layout)
    server = Server("127.0.0.1", draw_port(set()), SUPERUSER, directory.new_password())
    cluster = Cluster(layout, server, users.ensure(users.POSTGRES), runtime)
    cluster.ensure()
    process = cluster.process()
    # tests outlive kills, not power cuts; each dropped database would wait for the disk
    process = dataclasses.replace(process, command=(*process.command, "-c", "fsync=off"))
    runtime.apply(Manifest(HOST, 1, (process,)))
    try:
        server.wait()
        made = Postgres(layout, runtime, cluster, server)
        engine = server.engine()
        upgrade(engine)
        engine.dispose()
        yield made
    finally:
        runtime.stop(HOST)


@pytest.fixture
def new_engine(postgres: Postgres) -> Iterator[Callable[[], sa.Engine]]:
    """Makes engines on the control database, which is empty when a test begins."""
    made: list[sa.Engine] = []

    def make() -> sa.Engine:
        made.append(postgres.server.engine())
        return made[-1]

    with make().begin() as connection:
        # the audit log's triggers refuse it otherwise
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text(f"TRUNCATE {', '.join(metadata.tables)}"))
    yield make
    for engine in made:
        engine.dispose()


@pytest.fixture
def engine(new_engine: Callable[[], sa.Engine]) -> sa.Engine:
    """An engine on the empty control database."""
    return new_engine()


@pytest.fixture
def iam(engine: sa.Engine) -> IamAccount:
    """An account's IAM, which is empty when a test begins."""
    return IamAccount(Identities(engine, Sealing(MasterKey.draw()), Home("123456789012")))


@pytest.fixture
def alice(iam: IamAccount) -> Principal:
    """A user with nothing."""
    iam("CreateUser", UserName="alice")
    return Principal(
        "arn:aws:iam::123456789012:user/alice", "123456789012", "user/alice", user_name="alice", kind=Kind.USER
    )
