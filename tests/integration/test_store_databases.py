"""Metadata databases: cloned from a template, owned by a role that reaches nothing else."""

import os
import signal
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock

import psycopg
import pytest

from tests.integration.test_store_server import has_come_back, postmaster
from tradewind.domain.identifiers import new_environment_id
from tradewind.store.databases import Databases, Owner
from tradewind.store.server import CONTROL_DATABASE

PASSWORD = "a password with 'quotes' and %s"
SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE dag (id serial PRIMARY KEY, name text NOT NULL, mood mood DEFAULT 'happy');
CREATE SEQUENCE own_numbers;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE VIEW happy AS SELECT * FROM dag WHERE mood = 'happy';
INSERT INTO dag (name) VALUES ('made by the migration');
"""


@pytest.fixture
def databases(postgres):
    return Databases(postgres.server)


@pytest.fixture
def digest(postgres):
    """A template's name of this test alone."""
    name = uuid.uuid4().hex[:16]
    yield name
    postgres.execute(f"ALTER DATABASE template_{name} IS_TEMPLATE false")
    postgres.execute(f"DROP DATABASE template_{name} WITH (FORCE)")
    postgres.execute(f"DROP ROLE template_{name}")


@pytest.fixture
def new_id(databases):
    """Ids whose databases go when the test ends."""
    made = []

    def make():
        made.append(new_environment_id())
        return made[-1]

    yield make
    for id_ in made:
        databases.drop(id_)


class ToyMigration:
    """Makes a small schema as Airflow makes its own: over the URL that it is given. Counts its runs."""

    def __init__(self):
        self.runs = 0
        self.lock = Lock()

    def __call__(self, url):
        with self.lock:
            self.runs += 1
        with psycopg.connect(url) as connection:
            connection.execute(SCHEMA)


class MigrationThatIsCutOff(ToyMigration):
    def __call__(self, url):
        super().__call__(url)
        raise RuntimeError("killed")


@pytest.fixture
def template(databases, digest):
    databases.ensure_template(digest, PASSWORD, ToyMigration())
    return digest


def inside(databases, id_, *, database=None, user=None, password=PASSWORD):
    return psycopg.connect(databases.server.url(database or id_.database, user=user or id_.role, password=password))


def owners(databases, id_):
    query = """
        SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
         WHERE nspname = 'public'
        UNION SELECT pg_get_userbyid(typowner) FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
         WHERE nspname = 'public'
        UNION SELECT pg_get_userbyid(proowner) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
         WHERE nspname = 'public'
        UNION SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()
    """
    return set(databases.strings(id_.database, Owner(id_.role, PASSWORD), query))


# -- templates ------------------------------------------------------------------------------------------------------


def test_a_template_is_made_once(databases, digest):
    migrate = ToyMigration()
    assert not databases.has_template(digest)
    databases.ensure_template(digest, PASSWORD, migrate)
    databases.ensure_template(digest, "another", migrate)
    assert databases.has_template(digest)
    assert migrate.runs == 1


def test_those_who_want_it_at_once_wait_for_the_first(databases, digest):
    migrate, together = ToyMigration(), Barrier(4)

    def ensure(_number):
        together.wait(20)
        databases.ensure_template(digest, PASSWORD, migrate)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ensure, range(4)))
    assert migrate.runs == 1


def test_one_that_was_cut_off_is_made_anew(databases, digest):
    with pytest.raises(RuntimeError, match="killed"):
        databases.ensure_template(digest, PASSWORD, MigrationThatIsCutOff())
    assert not databases.has_template(digest)
    migrate = ToyMigration()
    databases.ensure_template(digest, PASSWORD, migrate)
    assert databases.has_template(digest)
    assert migrate.runs == 1


def test_nobody_gets_into_a_finished_template(databases, template):
    name = f"template_{template}"
    for user, password in ((name, PASSWORD), (databases.server.user, databases.server.password)):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(databases.server.url(name, user=user, password=password))


def test_an_environment_cannot_stand_in_the_way_of_a_template(databases, template, new_id):
    """A connection that an environment opened while it is being migrated would make every clone fail."""
    id_ = new_id()
    databases.ensure(id_, PASSWORD, template)
    other = uuid.uuid4().hex[:16]
    tried = []

    class EnvironmentThatComesIn(ToyMigration):
        def __call__(self, url):
            super().__call__(url)
            with pytest.raises(psycopg.OperationalError, match="permission denied"):
                inside(databases, id_, database=f"template_{other}")
            tried.append(True)

    try:
        databases.ensure_template(other, PASSWORD, EnvironmentThatComesIn())
        databases.ensure(new_id(), PASSWORD, other)
    finally:
        with psycopg.connect(databases.server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE template_{other} IS_TEMPLATE false")
            connection.execute(f"DROP DATABASE template_{other} WITH (FORCE)")
            connection.execute(f"DROP ROLE template_{other}")
    assert tried


# -- clones ----------------------------------------------------------------------------------------------------------


def test_a_clone_is_its_environments_own(databases, template, new_id):
    id_ = new_id()
    assert not databases.is_ready(id_.database)
    assert not databases.exists(id_)
    databases.ensure(id_, PASSWORD, template)
    assert databases.is_ready(id_.database)
    assert databases.exists(id_)
    assert owners(databases, id_) == {id_.role}
    with inside(databases, id_) as connection:
        assert connection.execute("SELECT name, mood FROM happy").fetchall() == [("made by the migration", "happy")]
        connection.execute("INSERT INTO dag (name) VALUES ('mine')")
        connection.execute("ALTER TABLE dag ADD COLUMN note text")
        connection.execute("ALTER TYPE mood ADD VALUE 'calm'")
        connection.execute("SELECT nextval('own_numbers'), one()")
        connection.execute("CREATE TABLE more (id int)")
        connection.execute("CREATE SCHEMA mine")


def test_what_one_writes_another_does_not_see(databases, template, new_id):
    a, b = new_id(), new_id()
    for id_ in (a, b):
        databases.ensure(id_, PASSWORD, template)
    with inside(databases, a) as connection:
        connection.execute("DELETE FROM dag")
    assert databases.strings(a.database, Owner(a.role, PASSWORD), "SELECT name FROM dag") == []
    assert databases.strings(b.database, Owner(b.role, PASSWORD), "SELECT name FROM dag") == ["made by the migration"]


def test_a_role_reaches_its_own_database_only(databases, template, new_id):
    a, b = new_id(), new_id()
    for id_ in (a, b):
        databases.ensure(id_, PASSWORD, template)
    for database in (b.database, CONTROL_DATABASE, "postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            inside(databases, a, database=database)


def test_a_role_is_nothing_more(databases, template, new_id):
    id_ = new_id()
    databases.ensure(id_, PASSWORD, template)
    with inside(databases, id_) as connection:
        connection.autocommit = True
        may = "rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
        row = connection.execute(f"SELECT {may} FROM pg_roles WHERE rolname = current_user").fetchone()
        assert row == (False,) * 5
        for statement in (
            "CREATE DATABASE x",
            "CREATE ROLE x",
            "COPY dag TO PROGRAM 'true'",
            "SELECT * FROM pg_authid",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_a_wrong_password_is_refused(databases, template, new_id):
    id_ = new_id()
    databases.ensure(id_, PASSWORD, template)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        inside(databases, id_, password="wrong")


def test_ensuring_again_keeps_the_content_and_takes_the_new_password(databases, template, new_id):
    id_ = new_id()
    databases.ensure(id_, PASSWORD, template)
    with inside(databases, id_) as connection:
        connection.execute("INSERT INTO dag (name) VALUES ('history')")
    databases.ensure(id_, "new", template)
    assert "history" in databases.strings(id_.database, Owner(id_.role, "new"), "SELECT name FROM dag")
    with inside(databases, id_, password="new") as connection:
        connection.execute("INSERT INTO dag (name) VALUES ('more')")


def test_one_that_was_cut_off_is_finished(databases, template, new_id, postgres):
    """Killed between CREATE DATABASE and the change of owners: the tables are the template's still."""
    id_ = new_id()
    postgres.execute(f"CREATE ROLE {id_.role} LOGIN")
    postgres.execute(f"CREATE DATABASE {id_.database} OWNER {id_.role} TEMPLATE template_{template}")
    assert not databases.is_ready(id_.database)
    databases.ensure(id_, PASSWORD, template)
    assert databases.is_ready(id_.database)
    assert owners(databases, id_) == {id_.role}
    inside(databases, id_).close()


def test_no_database_gives_rights_to_a_templates_role(databases, template):
    """They are told in the database's one row, and clones made at once that each took them away were in conflict."""
    name = f"template_{template}"
    with psycopg.connect(databases.server.url("postgres")) as connection:
        query = "SELECT datname FROM pg_database WHERE strpos(datacl::text, %s) > 0"
        assert connection.execute(query, (f"{name}=",)).fetchall() == []


def test_many_are_cloned_at_once(databases, template, new_id):
    ids, together = [new_id() for _ in range(4)], Barrier(4)

    def ensure(id_):
        together.wait(20)
        databases.ensure(id_, PASSWORD, template)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ensure, ids))
    assert all(databases.is_ready(id_.database) for id_ in ids)


# -- taking away -------------------------------------------------------------------------------------------------------


def test_nothing_is_left_and_dropping_again_is_fine(databases, template, new_id):
    id_ = new_id()
    databases.ensure(id_, PASSWORD, template)
    connection = inside(databases, id_)  # somebody is still in it
    databases.drop(id_)
    databases.drop(id_)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()
    assert not databases.exists(id_)
    assert not databases.is_ready(id_.database)


def test_a_role_alone_counts_as_left(databases, new_id, postgres):
    id_ = new_id()
    postgres.execute(f"CREATE ROLE {id_.role}")
    assert databases.exists(id_)
    databases.drop(id_)
    assert not databases.exists(id_)


def test_a_clones_sequences_go_on_where_they_were_after_a_crash(postgres, databases, template, new_id):
    """PostgreSQL's own: a clone's sequence gives numbers that are in no log, and after a kill -9 gives them again."""
    id_ = new_id()
    databases.ensure(id_, PASSWORD, template)
    with inside(databases, id_) as connection:
        given = [connection.execute("INSERT INTO dag (name) VALUES ('x') RETURNING id").fetchone()[0] for _ in range(5)]
    killed = postmaster(postgres)
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not has_come_back(postgres, killed):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with inside(databases, id_) as connection:
        (following,) = connection.execute("INSERT INTO dag (name) VALUES ('after') RETURNING id").fetchone()
    assert following > max(given)
