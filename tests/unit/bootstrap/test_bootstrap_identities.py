"""The role that IAM begins with is made whole or not at all, on a database in memory."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles

from tradewind.bootstrap.identities import EXECUTION_ROLE, ensure_execution_role
from tradewind.domain.arns import Place
from tradewind.iam.entities import EntityKind, Home
from tradewind.store import Identities
from tradewind.store.iam_tables import iam_entities, iam_inline_policies
from tradewind.store.sealing import MasterKey, Sealing
from tradewind.store.tables import metadata

PLACE = Place("123456789012", "us-east-1")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@compiles(JSONB, "sqlite")
def _json(*_args, **_more):
    return "JSON"


@pytest.fixture
def engine():
    made = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    sa.event.listen(
        made, "connect", lambda raw, _: raw.create_function("pg_advisory_xact_lock", 1, lambda _number: None)
    )
    metadata.create_all(made, [iam_entities, iam_inline_policies])
    yield made
    made.dispose()


@pytest.fixture
def identities(engine):
    return Identities(engine, Sealing(MasterKey.draw()), Home(PLACE.account))


def test_the_role_comes_with_its_rights(identities):
    ensure_execution_role(identities, PLACE, NOW)
    assert list(identities.grants.inline(EntityKind.ROLE, EXECUTION_ROLE)) == ["execution"]


def test_a_start_that_ends_between_role_and_rights_leaves_neither(engine, identities):
    """A role without rights would have been taken for one whose rights somebody took away, and stayed so."""
    iam_inline_policies.drop(engine)
    with pytest.raises(sa.exc.OperationalError):
        ensure_execution_role(identities, PLACE, NOW)
    with engine.connect() as connection:
        assert connection.execute(sa.select(iam_entities)).first() is None
    iam_inline_policies.create(engine)
    ensure_execution_role(identities, PLACE, NOW)
    assert list(identities.grants.inline(EntityKind.ROLE, EXECUTION_ROLE)) == ["execution"]
