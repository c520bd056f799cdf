"""Databases that replace one another: copied, restored from a dump, and removed."""

import dataclasses
import os
import signal
import time

import psycopg
import pytest

from tests.integration.test_store_databases import (  # noqa: F401  (fixtures)
    PASSWORD,
    databases,
    digest,
    inside,
    new_id,
    owners,
    template,
)
from tradewind.domain.errors import CannotProvide
from tradewind.store.databases import Owner
from tradewind.store.dumps import Dumps


@pytest.fixture
def made(databases, template, new_id):  # noqa: F811
    """An environment's id, with its first database and a row of history."""
    id_ = new_id()
    databases.ensure(id_, PASSWORD, template)
    with inside(databases, id_) as connection:
        connection.execute("INSERT INTO dag (name) VALUES ('history')")
    return id_


@pytest.fixture
def dumps(postgres):
    return Dumps(postgres.server, postgres.runtime)


@pytest.fixture
def owner(made):
    return Owner(made.role, PASSWORD)


def names(databases, database, owner):  # noqa: F811
    return databases.strings(database, owner, "SELECT name FROM dag ORDER BY id")


def test_a_copy_is_made_while_nobody_works_and_the_source_stays_closed(databases, made, owner):  # noqa: F811
    target = f"{made.database}_2"
    busy = inside(databases, made)
    seen = []
    databases.copy(made.database, target, owner, lambda name: seen.append((name, databases.is_ready(name))))
    assert seen == [(target, False)], "filled before it is ready"
    with pytest.raises(psycopg.OperationalError):
        busy.execute("SELECT 1")
    busy.close()
    assert databases.is_ready(target)
    assert not databases.is_ready(made.database), "what somebody writes there now is not in the copy"
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        inside(databases, made)
    databases.copy(made.database, target, owner, fill=None)  # it is ready: nothing is done again
    databases.open(made.database)
    assert databases.is_ready(made.database)
    with inside(databases, made, database=target) as connection:
        assert connection.execute("INSERT INTO dag (name) VALUES ('new') RETURNING id").fetchone() == (3,)
    assert names(databases, target, owner) == ["made by the migration", "history", "new"]
    assert names(databases, made.database, owner) == ["made by the migration", "history"]
    assert databases.names(made) == [made.database, target]


def test_a_copy_that_cannot_be_filled_is_not_ready_and_the_source_can_be_opened_again(databases, made, owner):  # noqa: F811
    def fill(_name):
        raise CannotProvide("cannot migrate")

    with pytest.raises(CannotProvide):
        databases.copy(made.database, f"{made.database}_2", owner, fill)
    assert not databases.is_ready(f"{made.database}_2")
    databases.open(made.database)
    inside(databases, made).close()
    databases.copy(made.database, f"{made.database}_2", owner, lambda _name: None)
    assert databases.is_ready(f"{made.database}_2")


def test_a_dump_of_a_database_in_use_is_restored_by_its_own_role(databases, dumps, made, owner, tmp_path):  # noqa: F811
    busy = inside(databases, made)
    busy.execute("INSERT INTO dag (name) VALUES ('not committed')")
    dumps.write(made.database, owner, tmp_path / "a dump")
    busy.close()
    target = f"{made.database}_restored"
    databases.make(target, owner, lambda name: dumps.read(tmp_path / "a dump", name, owner))
    assert names(databases, target, owner) == ["made by the migration", "history"]
    assert owners(databases, made) == {made.role}
    assert [path.name for path in tmp_path.iterdir()] == ["a dump"]


def test_what_cannot_be_dumped_or_restored_leaves_nothing(databases, dumps, made, owner, tmp_path):  # noqa: F811
    with pytest.raises(CannotProvide, match=r"cannot dump the database: .*does not exist"):
        dumps.write("env_nothing", owner, tmp_path / "dump")
    with pytest.raises(CannotProvide, match="password authentication failed"):
        dumps.write(made.database, dataclasses.replace(owner, password="wrong"), tmp_path / "dump")
    assert not (tmp_path / "dump").exists()
    (tmp_path / "dump").write_bytes(b"no dump at all")
    target = f"{made.database}_2"
    with pytest.raises(CannotProvide, match="cannot restore the database"):
        databases.make(target, owner, lambda name: dumps.read(tmp_path / "dump", name, owner))
    assert not databases.is_ready(target)


def test_others_go_and_the_one_in_force_stays(databases, made, owner, template, new_id):  # noqa: F811
    neighbour = new_id()
    databases.ensure(neighbour, PASSWORD, template)
    for name in ("2", "3_proof"):
        databases.make(f"{made.database}_{name}", owner, lambda _name: None)
    databases.drop_others(made, (f"{made.database}_2",))
    assert databases.names(made) == [f"{made.database}_2"]
    databases.drop(made)
    assert not databases.exists(made)
    assert databases.is_ready(neighbour.database)


def test_a_server_says_for_how_long_it_has_run(databases):  # noqa: F811
    began = time.monotonic()
    before = databases.seconds_up()
    time.sleep(0.5)
    assert 0.4 < databases.seconds_up() - before < time.monotonic() - began + 0.1


def test_a_server_whose_backend_crashed_says_so_too(postgres, databases, made):  # noqa: F811
    """All others are ended with it, though the server is the same."""
    began = time.monotonic()
    with inside(databases, made) as connection:
        (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone()
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if databases.seconds_up() < time.monotonic() - began:
                return
        except psycopg.OperationalError:
            pass
        time.sleep(0.1)
    pytest.fail("it did not come back")


def test_what_a_user_put_into_a_database_runs_with_that_users_rights(databases, made, owner):  # noqa: F811
    with inside(databases, made) as connection:
        connection.execute("CREATE TABLE seen (who text)")
        connection.execute(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN INSERT INTO seen VALUES (current_user); RETURN NEW; END $$"
        )
        connection.execute("CREATE TRIGGER note BEFORE UPDATE ON dag FOR EACH ROW EXECUTE FUNCTION note()")
    databases.execute(made.database, owner, "UPDATE dag SET name = name")
    assert set(databases.strings(made.database, owner, "SELECT who FROM seen")) == {made.role}
