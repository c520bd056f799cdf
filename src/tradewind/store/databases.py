"""Metadata databases of environments: cloned from a migrated template, each with a role of its own.

A fresh migration takes many seconds, a clone a fraction of one. The template's tables belong to a role
that cannot log in; after the clone everything of that role in the new database is given to the
environment's role (docs/decisions/0003). Every function can be called again after a crash at any point.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

from tradewind.domain.identifiers import EnvironmentId
from tradewind.store.server import Server

Migrate = Callable[[str], None]
"""Brings the empty database behind a URL to the newest schema, or raises."""

# PostgreSQL writes a sequence's value to its log for 32 numbers ahead, and notes in the sequence how many of them are
# left. The note is copied into a clone, the log is not: until the next checkpoint a clone's sequence gives numbers that
# nothing has logged, and after a crash gives them again (seen: duplicate keys after a kill -9 of PostgreSQL 18).
_LOG_SEQUENCES = """
    SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, last_value)
    FROM pg_sequences WHERE last_value IS NOT NULL
"""


@dataclass(frozen=True)
class Databases:
    """The databases of one server, seen by its superuser."""

    server: Server

    def has_template(self, digest: str) -> bool:
        """Whether the template of a version is there and complete."""
        with self._connect() as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate AND NOT datallowconn"
            return connection.execute(query, (_template(digest),)).fetchone() is not None

    def ensure_template(self, digest: str, password: str, migrate: Migrate) -> None:
        """Make the template unless it is there. Two callers at once: the second waits for the first."""
        name, role = sql.Identifier(_template(digest)), sql.Identifier(_template(digest))
        with self._connect() as connection:
            connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (_template(digest),))
            if self.has_template(digest):
                return
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            self._ensure_role(connection, _template(digest), password)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
            # a connection of anyone else's would be in the way of cloning, also after connections are forbidden
            connection.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))
            connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(name, role))
            with self._connect(_template(digest)) as inside:
                inside.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(role))
            migrate(self.server.url(_template(digest), user=_template(digest), password=password))
            connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(role))
            connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true").format(name))

    def is_ready(self, id_: EnvironmentId) -> bool:
        """Whether the environment's database was made to the end."""
        with self._connect() as connection:
            query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
            row = connection.execute(query, (id_.database,)).fetchone()
            return row is not None and row[0] == "ready"

    def ensure(self, id_: EnvironmentId, password: str, digest: str) -> None:
        """Role, database and ownership. An existing database's content is never touched."""
        database, role, template = (
            sql.Identifier(id_.database),
            sql.Identifier(id_.role),
            sql.Identifier(_template(digest)),
        )
        with self._connect() as connection:
            self._ensure_role(connection, id_.role, password)
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (id_.database,)).fetchone()
            if found is None:
                statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(database, role, template)
                connection.execute(statement)
            connection.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(database))
            with self._connect(id_.database) as inside:
                inside.execute(sql.SQL("REASSIGN OWNED BY {} TO {}").format(template, role))
                inside.execute(sql.SQL("DROP OWNED BY {}").format(template))
                inside.execute(_LOG_SEQUENCES)
            connection.execute(sql.SQL("COMMENT ON DATABASE {} IS 'ready'").format(database))

    def drop(self, id_: EnvironmentId) -> None:
        """Remove database and role; absent is fine."""
        with self._connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(id_.database)))
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(id_.role)))

    def exists(self, id_: EnvironmentId) -> bool:
        """Whether a database or a role of the environment is left."""
        query = (
            "SELECT 1 FROM pg_database WHERE datname = %(name)s UNION ALL "
            "SELECT 1 FROM pg_roles WHERE rolname = %(name)s"
        )
        with self._connect() as connection:
            return connection.execute(query, {"name": id_.database}).fetchone() is not None

    def strings(self, id_: EnvironmentId, query: LiteralString) -> list[str]:
        """First column of a query inside the environment's database."""
        with self._connect(id_.database) as connection:
            return [str(row[0]) for row in connection.execute(query) if row[0] is not None]

    @staticmethod
    def _ensure_role(connection: psycopg.Connection[tuple[object, ...]], name: str, password: str) -> None:
        role = sql.Identifier(name)
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        connection.execute(sql.SQL("ALTER ROLE {} WITH LOGIN PASSWORD {}").format(role, sql.Literal(password)))

    @contextmanager
    def _connect(self, database: str = "postgres") -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        with psycopg.connect(self.server.url(database), autocommit=True, connect_timeout=10) as connection:
            yield connection


def _template(digest: str) -> str:
    return f"template_{digest}"
