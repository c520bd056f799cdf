"""Migrations make exactly the tables that the code says, from nothing and in any company."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tradewind.store import migrations
from tradewind.store.migrations import upgrade
from tradewind.store.tables import metadata


@pytest.fixture
def empty(postgres):
    """An engine on a database without tables."""
    postgres.execute("CREATE DATABASE from_nothing")
    engine = postgres.server.engine("from_nothing")
    yield engine
    engine.dispose()
    postgres.execute("DROP DATABASE from_nothing WITH (FORCE)")


def config():
    made = Config()
    made.set_main_option("script_location", migrations.__path__[0])
    return made


def test_they_make_exactly_our_tables(empty):
    upgrade(empty)
    with empty.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_indexes_are_partial_where_the_tables_say_so(empty):
    """alembic does not compare an index's condition."""
    upgrade(empty)
    with empty.connect() as connection:
        made = {row[0]: row[1] for row in connection.execute(sa.text("SELECT indexname, indexdef FROM pg_indexes"))}
    for name in ("uq_environments_live_name", "uq_environments_live_address"):
        assert made[name].startswith("CREATE UNIQUE INDEX")
        assert made[name].endswith("WHERE (gone_at IS NULL)")


def test_doing_it_again_changes_nothing(empty):
    upgrade(empty)
    upgrade(empty)
    with empty.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == head()


def test_two_control_planes_at_once(empty):
    together = Barrier(3)

    def migrate(_number):
        together.wait(20)
        upgrade(empty)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, range(3)))
    assert set(metadata.tables) <= set(sa.inspect(empty).get_table_names())


def test_going_back_leaves_nothing(empty):
    upgrade(empty)
    with empty.begin() as connection:
        backwards = config()
        backwards.attributes["connection"] = connection
        command.downgrade(backwards, "base")
    assert sa.inspect(empty).get_table_names() == ["alembic_version"]


def head():
    return ScriptDirectory.from_config(config()).get_current_head()


def test_there_is_one_line_of_revisions():
    assert len(ScriptDirectory.from_config(config()).get_heads()) == 1
