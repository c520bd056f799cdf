"""The role that IAM begins with: environments get its credentials, and what people make of it stays."""

import pytest
import sqlalchemy as sa

from tests.integration.iam_account import NOW, IamAccount
from tests.unit.domain.samples import environment
from tradewind.access.role_sessions import ExecutionRoles
from tradewind.bootstrap.identities import EXECUTION_ROLE, ensure_execution_role
from tradewind.domain.arns import Place
from tradewind.domain.specs import Spec
from tradewind.iam import Request, authorise
from tradewind.iam.entities import EntityKind, Home
from tradewind.store import Identities, Sessions
from tradewind.store.iam_tables import iam_inline_policies
from tradewind.store.sealing import MasterKey, Sealing

PLACE = Place("123456789012", "us-east-1")
HOME = Home(PLACE.account)


@pytest.fixture
def identities(engine):
    return Identities(engine, Sealing(MasterKey.draw()), HOME)


def test_an_environment_gets_its_credentials(identities):
    ensure_execution_role(identities, PLACE, NOW)
    sessions = Sessions(identities.engine, identities.sealing, HOME)
    arn = HOME.entity(EntityKind.ROLE, "/", EXECUTION_ROLE)
    of_it = environment(spec=Spec.from_json(environment().spec.to_json() | {"execution_role_arn": arn}))
    issued = ExecutionRoles(identities, sessions, PLACE).issue(of_it, NOW)
    found = sessions.credential(issued.access_key_id)
    assert found.principal.identity == f"assumed-role/{EXECUTION_ROLE}/AmazonMWAA-airflow"
    for action, resource, is_allowed in [
        ("airflow:PublishMetrics", PLACE.environment("etl"), True),
        ("s3:GetObject", "arn:aws:s3:::bucket/key", True),
        ("s3:ListAllMyBuckets", "*", False),
        ("airflow:CreateEnvironment", PLACE.environment("etl"), False),
        ("iam:CreateUser", "*", False),
    ]:
        decision = authorise(found.principal, found.holding, Request(action, resource))
        assert bool(decision) is is_allowed, (action, decision.reason)


def test_it_is_made_once_and_what_people_make_of_it_stays(identities):
    ensure_execution_role(identities, PLACE, NOW)
    identities.grants.delete_inline(EntityKind.ROLE, EXECUTION_ROLE, "execution")
    ensure_execution_role(identities, PLACE, NOW)
    assert identities.grants.inline(EntityKind.ROLE, EXECUTION_ROLE) == {}


def test_it_is_never_there_without_its_policy(identities):
    class CrashedBetweenTheTwo(Exception):
        pass

    def crash(_connection, clause, *_rest):
        if clause.is_insert and clause.table is iam_inline_policies:
            raise CrashedBetweenTheTwo

    sa.event.listen(identities.engine, "before_execute", crash)
    try:
        with pytest.raises(CrashedBetweenTheTwo):
            ensure_execution_role(identities, PLACE, NOW)
    finally:
        sa.event.remove(identities.engine, "before_execute", crash)
    assert identities.entities.all(EntityKind.ROLE) == []
    ensure_execution_role(identities, PLACE, NOW)
    assert list(identities.grants.inline(EntityKind.ROLE, EXECUTION_ROLE)) == ["execution"]


def test_who_has_users_but_no_roles_gets_none(identities):
    IamAccount(identities)("CreateUser", UserName="alice")
    ensure_execution_role(identities, PLACE, NOW)
    assert identities.entities.all(EntityKind.ROLE) == []
