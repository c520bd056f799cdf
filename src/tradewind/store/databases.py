"""Metadata databases of environments: cloned from a migrated template, each with a role of its own.

A fresh migration takes many seconds, a clone a fraction of one. The template's tables belong to a role
that cannot log in; after the clone everything of that role in the new database is given to the
environment's role (docs/decisions/0003). Every function can be called again after a crash at any point.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg
from psycopg import sql

from tradewind.domain.identifiers import EnvironmentId
from tradewind.store.server import Server

Migrate = Callable[[str], None]
"""Brings the empty database behind a URL to the newest schema, or raises."""

Fill = Callable[[str], None]
"""Fills the database of that name, or raises."""

# PostgreSQL writes a sequence's value to its log for 32 numbers ahead, and notes in the sequence how many of them are
# left. The note is copied into a clone, the log is not: until the next checkpoint a clone's sequence gives numbers that
# nothing has logged, and after a crash gives them again (seen: duplicate keys after a kill -9 of PostgreSQL 18).
_LOG_SEQUENCES = """
    SELECT pg_catalog.setval(pg_catalog.format('%I.%I', schemaname, sequencename)::pg_catalog.regclass, last_value)
    FROM pg_catalog.pg_sequences WHERE last_value IS NOT NULL
"""
_LOOK = """
    SELECT datname, datistemplate AND NOT datallowconn,
        datallowconn AND coalesce(shobj_description(oid, 'pg_database'), '') = 'ready'
    FROM pg_database WHERE datname = %s OR starts_with(datname, %s) OR datname = %s
"""
_IS_READY = """
    SELECT 1 FROM pg_database
    WHERE datname = %s AND datallowconn AND shobj_description(oid, 'pg_database') = 'ready'
"""
_CLOSED = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
_PRIVATE = sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC")


@dataclass(frozen=True)
class Owner:
    """The role that an environment's databases belong to, and its password."""

    role: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Look:
    """What is there of an environment. `databases`: each one's name, and whether it was made to the end and is open."""

    databases: Mapping[str, bool]
    template: bool
    role: bool


@dataclass(frozen=True)
class Databases:
    """The databases of one server, seen by its superuser."""

    server: Server

    def seconds_up(self) -> float:
        """For how long PostgreSQL has run: what began before that may have failed with the one before it.

        Where one backend crashes all others are ended and the checkpointer is another one, though the server is not.
        Zero while it starts.
        """
        query = (
            "SELECT extract(epoch FROM clock_timestamp() - backend_start)::float8 FROM pg_stat_activity"
            " WHERE backend_type = 'checkpointer'"
        )
        with self._connect() as connection:
            found = connection.execute(query).fetchone()
        return 0.0 if found is None else float(str(found[0]))

    def look(self, id_: EnvironmentId, digest: str | None = None) -> Look:
        """Everything that is there of an environment, and the template of that digest."""
        template = None if digest is None else _template(digest)
        with self._connect() as connection:
            rows = connection.execute(_LOOK, (id_.database, f"{id_.database}_", template)).fetchall()
            role = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (id_.role,)).fetchone()
        found = {str(name): bool(ready) for name, _, ready in rows if name != template}
        return Look(found, any(name == template and whole for name, whole, _ in rows), role is not None)

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
            connection.execute(_PRIVATE.format(name))
            connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(name, role))
            with self._connect(_template(digest)) as inside:
                inside.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(role))
            migrate(self.server.url(_template(digest), user=_template(digest), password=password))
            # what it may here is told in a row that all databases share: clones made at once would each change it
            connection.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM {}").format(name, role))
            connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(role))
            connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true").format(name))

    def is_ready(self, name: str) -> bool:
        """Whether an environment's database was made to the end."""
        with self._connect() as connection:
            return connection.execute(_IS_READY, (name,)).fetchone() is not None

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
            connection.execute(_PRIVATE.format(database))
            with self._connect(id_.database) as inside:
                inside.execute(sql.SQL("REASSIGN OWNED BY {} TO {}").format(template, role))
                inside.execute(sql.SQL("DROP OWNED BY {}").format(template))
            self.execute(id_.database, Owner(id_.role, password), _LOG_SEQUENCES)
            connection.execute(sql.SQL("COMMENT ON DATABASE {} IS 'ready'").format(database))

    def ensure_role(self, id_: EnvironmentId, password: str) -> None:
        """The environment's role, which owns its databases."""
        with self._connect() as connection:
            self._ensure_role(connection, id_.role, password)

    def open(self, name: str) -> None:
        """Let its owner in again: a move leaves the old database closed. Raises psycopg.Error where there is none."""
        with self._connect() as connection:
            connection.execute(_CLOSED.format(sql.Identifier(name), sql.SQL("true")))

    def copy(self, source: str, target: str, owner: Owner, fill: Fill) -> None:
        """Make `target` as a copy of `source`, where nobody may work meanwhile, and `fill` it; one that is ready stays.

        PostgreSQL copies a database only while nobody is connected to it: whoever is, is thrown out, and nobody gets in
        until it is opened again: what would be written there is not in the copy.
        """
        if self.is_ready(target):
            return
        with self._making(target) as connection:
            connection.execute(_CLOSED.format(sql.Identifier(source), sql.SQL("false")))
            query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(query, (source,))
            statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
            connection.execute(statement.format(*(sql.Identifier(name) for name in (target, owner.role, source))))
            connection.execute(_PRIVATE.format(sql.Identifier(target)))
            self.execute(target, owner, _LOG_SEQUENCES)
            fill(target)

    def make(self, target: str, owner: Owner, fill: Fill) -> None:
        """Make `target`, empty, and `fill` it; one that is ready stays."""
        if self.is_ready(target):
            return
        with self._making(target) as connection:
            names = (sql.Identifier(name) for name in (target, owner.role))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(*names))
            connection.execute(_PRIVATE.format(sql.Identifier(target)))
            fill(target)
            self.execute(target, owner, "ANALYZE")

    @contextmanager
    def _making(self, target: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """Nothing of that name before, and marked as ready after."""
        name = sql.Identifier(target)
        with self._connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            yield connection
            connection.execute(sql.SQL("COMMENT ON DATABASE {} IS 'ready'").format(name))

    def names(self, id_: EnvironmentId) -> list[str]:
        """The databases of an environment: its first one, and those that replaced it or shall."""
        return sorted(self.look(id_).databases)

    def drop_others(self, id_: EnvironmentId, kept: Collection[str]) -> None:
        """Remove databases of an environment but those."""
        with self._connect() as connection:
            for name in set(self.names(id_)) - set(kept):
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def drop(self, id_: EnvironmentId) -> None:
        """Remove databases and role; absent is fine."""
        self.drop_others(id_, ())
        with self._connect() as connection:
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(id_.role)))

    def exists(self, id_: EnvironmentId) -> bool:
        """Whether a database or a role of the environment is left."""
        seen = self.look(id_)
        return seen.role or bool(seen.databases)

    def strings(self, name: str, owner: Owner, query: LiteralString) -> list[str]:
        """First column of a query inside a database, as its owner."""
        with self._connect_as(name, owner) as connection:
            return [str(row[0]) for row in connection.execute(query) if row[0] is not None]

    def execute(self, name: str, owner: Owner, statement: LiteralString) -> None:
        """A statement inside a database, as its owner: what a user put there runs with no more rights than that."""
        with self._connect_as(name, owner) as connection:
            connection.execute(statement)

    @contextmanager
    def _connect_as(self, name: str, owner: Owner) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        url = self.server.url(name, user=owner.role, password=owner.password)
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            yield connection

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
