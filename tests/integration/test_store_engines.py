"""Connections of the control plane's tables, on a real PostgreSQL that ends some of them."""

import pytest
import sqlalchemy as sa

from tests.integration.doors import wait_until
from tradewind.store.engines import reading

_PID = sa.text("SELECT pg_backend_pid()")
_ANY_OF = sa.text("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(:pids)")


def pid(engine):
    with engine.connect() as connection:
        return connection.execute(_PID).scalar_one()


@pytest.fixture
def used(engine):
    """An engine whose pool holds three connections that were used."""
    connections = [engine.connect() for _ in range(3)]
    for connection in connections:
        connection.execute(_PID)
        connection.close()
    return engine


def test_a_connection_is_used_again(used):
    assert len({pid(used) for _ in range(9)}) <= 3


def test_connections_that_the_server_ended_are_made_anew(used, new_engine):
    """All of them, as by a restart: nobody who asks then gets an error."""
    mine = sa.text(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND datname = current_database()"
    )
    before = {pid(used) for _ in range(9)}
    # a transaction of its own for each look: within one PostgreSQL shows one state of its processes
    with new_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as other:
        other.execute(mine)
        wait_until(lambda: not other.execute(_ANY_OF, {"pids": list(before)}).scalar_one())
    assert before.isdisjoint({pid(used) for _ in range(9)})


def test_reading_leaves_no_transaction_open(engine):
    state = sa.text("SELECT state, xact_start FROM pg_stat_activity WHERE pid = :pid")
    with reading(engine) as connection:
        read = connection.execute(_PID).scalar_one()
        with engine.connect() as other:
            assert other.execute(state, {"pid": read}).one() == ("idle", None)


def test_writing_after_reading_is_one_transaction(used):
    """A connection that was read with goes back as it was: what is not committed is not there."""
    for _ in range(6):
        with reading(used) as connection:
            connection.execute(_PID)
    with used.connect() as connection:
        connection.execute(sa.text("CREATE TABLE not_kept (id int)"))
        connection.rollback()
        assert connection.execute(sa.text("SELECT to_regclass('not_kept')")).scalar_one() is None
