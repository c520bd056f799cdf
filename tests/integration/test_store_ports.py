"""A port that is promised later, in a real database: to environments of a release that knew of two."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from tests.unit.domain.samples import SEALING, environment
from tradewind.domain.environments import Ports
from tradewind.domain.identifiers import new_environment_id
from tradewind.store import Environments
from tradewind.store.ports import promise_credentials_port
from tradewind.store.tables import environments as table


@pytest.fixture
def store(engine):
    return Environments(engine, SEALING)


def of_an_earlier_release(store):
    made = environment(id=new_environment_id())
    store.create(made)
    with store.engine.begin() as connection:
        old = {"api": 1, "broker": 2}
        connection.execute(sa.update(table).where(table.c.id == str(made.id)).values(ports=old))
    return made.id


def test_the_port_is_kept_and_the_others_stay(store):
    id_ = of_an_earlier_release(store)
    assert store.get(id_).ports == Ports(1, 2)
    assert promise_credentials_port(store.engine, id_, 3) == Ports(1, 2, 3)
    assert store.get(id_).ports == Ports(1, 2, 3)
    assert {1, 2, 3} <= store.ports_in_use()


def test_of_many_who_promise_at_once_all_hear_of_the_first(store):
    id_ = of_an_earlier_release(store)
    with ThreadPoolExecutor(5) as pool:
        found = set(pool.map(lambda port: promise_credentials_port(store.engine, id_, port), range(10, 20)))
    assert found == {store.get(id_).ports}
