"""Engines of the control plane's tables: connections that are looked at before use, and reads of one round trip.

A server that ends closes its connections, and so does one that dies: the kernel knows it before anybody asks. A
connection that waits in the pool has nothing to read; one that has was closed, or is about to be, and is made anew.
That takes no round trip, where a question to the server takes one with every use. A connection that breaks
in use raises, as ever.
"""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry

_POOL, _OVERFLOW = 10, 20


def create(url: str) -> sa.Engine:
    """An engine for `postgresql+psycopg://…`. Its errors, which are logged, show no statement's values."""
    engine = sa.create_engine(url, pool_size=_POOL, max_overflow=_OVERFLOW, hide_parameters=True)
    sa.event.listen(engine, "checkout", _look)
    return engine


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection whose statements stand by themselves: for a single query, or some that need not agree."""
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def _look(connection: "psycopg.Connection[Any]", _record: ConnectionPoolEntry, _proxy: object) -> None:
    """Raise DisconnectionError where the connection cannot be used: the pool makes another then."""
    if connection.closed or _has_something_to_read(connection.fileno()):
        raise sa.exc.DisconnectionError("the server closed the connection")


def _has_something_to_read(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLRDHUP)
    return bool(poll.poll(0))
