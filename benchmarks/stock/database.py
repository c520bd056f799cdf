"""Databases of stock installations, on the same PostgreSQL server as Tradewind's environments.

`airflow db migrate` takes many seconds and is no part of any figure: it runs once, and every installation gets a copy.
Role, databases and the copied one are removed at the end.
"""

import secrets
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.programs import finish
from benchmarks.stock import settings
from tradewind.store.server import Server

_MIGRATION_SECONDS = 300.0


@dataclass(frozen=True)
class Databases:
    """A role and a migrated database that others are copied from."""

    server: Server
    name: str
    password: str = field(repr=False)

    def url(self, database: str) -> str:
        """For the role."""
        return self.server.url(database, user=self.name, password=self.password)

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The name of a database of its own."""
        name = f"{self.name}_{uuid.uuid4().hex[:8]}"
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(self.name), sql.Identifier(self.name)))
        try:
            yield name
        finally:
            self._drop(name)

    def _drop(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, *statements: sql.Composed) -> None:
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@contextmanager
def migrated(server: Server, virtualenv: Path) -> Iterator[Databases]:
    """Make the role and the migrated database."""
    databases = Databases(server, f"bench_{uuid.uuid4().hex[:8]}", secrets.token_hex(16))
    role = sql.Identifier(databases.name)
    databases._execute(  # noqa: SLF001
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(databases.password)),
        sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role),
    )
    try:
        with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as home:
            options = {
                "database.sql_alchemy_conn": f"postgresql+psycopg2://{databases.url(databases.name).partition('://')[2]}"
            }
            environment = settings.surroundings(Path(home), virtualenv, options)
            command = [str(virtualenv / "bin" / "airflow"), "db", "migrate"]
            finish(command, environment=environment, directory=Path(home), seconds=_MIGRATION_SECONDS)
        yield databases
    finally:
        databases._drop(databases.name)  # noqa: SLF001
        databases._execute(sql.SQL("DROP ROLE IF EXISTS {}").format(role))  # noqa: SLF001
