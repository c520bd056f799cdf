"""Databases that replace one another: copied, restored from a dump, and removed."""

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


def names(databases, database):  # noqa: F811
    return databases.strings(database, "SELECT name FROM dag ORDER BY id")


def test_a_copy_is_made_while_nobody_works_and_the_source_stays(databases, made):  # noqa: F811
    target = f"{made.database}_2"
    busy = inside(databases, made)
    seen = []
    databases.copy(made.database, target, made.role, lambda name: seen.append((name, databases.is_ready(name))))
    assert seen == [(target, False)], "filled before it is ready"
    with pytest.raises(psycopg.OperationalError):
        busy.execute("SELECT 1")
    busy.close()
    assert databases.is_ready(target)
    assert databases.is_ready(made.database)
    with inside(databases, made, database=target) as connection:
        assert connection.execute("INSERT INTO dag (name) VALUES ('new') RETURNING id").fetchone() == (3,)
    assert names(databases, target) == ["made by the migration", "history", "new"]
    assert names(databases, made.database) == ["made by the migration", "history"]
    assert databases.names(made) == [made.database, target]


def test_a_copy_that_cannot_be_filled_is_not_ready_and_the_source_is_open_again(databases, made):  # noqa: F811
    def fill(_name):
        raise CannotProvide("cannot migrate")

    with pytest.raises(CannotProvide):
        databases.copy(made.database, f"{made.database}_2", made.role, fill)
    assert not databases.is_ready(f"{made.database}_2")
    inside(databases, made).close()
    databases.copy(made.database, f"{made.database}_2", made.role, lambda _name: None)
    assert databases.is_ready(f"{made.database}_2")


def test_a_dump_of_a_database_in_use_is_restored_by_its_own_role(databases, dumps, made, tmp_path):  # noqa: F811
    busy = inside(databases, made)
    busy.execute("INSERT INTO dag (name) VALUES ('not committed')")
    dumps.write(made.database, made, PASSWORD, tmp_path / "a dump")
    busy.close()
    target = f"{made.database}_restored"
    databases.make(target, made.role, lambda name: dumps.read(tmp_path / "a dump", name, made, PASSWORD))
    assert names(databases, target) == ["made by the migration", "history"]
    assert owners(databases, made) == {made.role}
    assert [path.name for path in tmp_path.iterdir()] == ["a dump"]


def test_what_cannot_be_dumped_or_restored_leaves_nothing(databases, dumps, made, tmp_path):  # noqa: F811
    with pytest.raises(CannotProvide, match=r"cannot dump the database: .*does not exist"):
        dumps.write("env_nothing", made, PASSWORD, tmp_path / "dump")
    with pytest.raises(CannotProvide, match="password authentication failed"):
        dumps.write(made.database, made, "wrong", tmp_path / "dump")
    assert not (tmp_path / "dump").exists()
    (tmp_path / "dump").write_bytes(b"no dump at all")
    target = f"{made.database}_2"
    with pytest.raises(CannotProvide, match="cannot restore the database"):
        databases.make(target, made.role, lambda name: dumps.read(tmp_path / "dump", name, made, PASSWORD))
    assert not databases.is_ready(target)


def test_others_go_and_the_one_in_force_stays(databases, made, template, new_id):  # noqa: F811
    neighbour = new_id()
    databases.ensure(neighbour, PASSWORD, template)
    for name in ("2", "3_proof"):
        databases.make(f"{made.database}_{name}", made.role, lambda _name: None)
    databases.drop_others(made, (f"{made.database}_2",))
    assert databases.names(made) == [f"{made.database}_2"]
    databases.drop(made)
    assert not databases.exists(made)
    assert databases.is_ready(neighbour.database)


def test_a_server_that_was_started_anew_says_so(databases):  # noqa: F811
    assert databases.server_started() == databases.server_started()
    assert time.strftime("%Y") in databases.server_started()
