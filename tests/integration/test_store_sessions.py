"""Temporary credentials in the store: what is kept of them, what they hold now, and when they end."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.integration.iam_account import NOW, TRUST
from tradewind.domain.arns import Place
from tradewind.iam import Kind, Policy, Request, authorise, parse_document
from tradewind.iam.entities import Entity, EntityKind, Home, new_id
from tradewind.iam.sessions import TRANSITIVE, limits_without_mfa
from tradewind.store import Identities, Sessions
from tradewind.store.sealing import MasterKey, Sealing
from tradewind.store.session_tables import iam_sessions
from tradewind.store.sessions import HolderGone, Session

PLACE = Place("123456789012", "us-east-1")
HOME = Home(PLACE.account)
READ = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "airflow:Get*", "Resource": "*"}}'
GET = Request("airflow:GetEnvironment", "*")


@pytest.fixture
def identities(engine):
    return Identities(engine, Sealing(MasterKey.draw()), HOME)


@pytest.fixture
def sessions(identities):
    return Sessions(identities.engine, identities.sealing, HOME)


def made(identities, kind, name, **more):
    prefix = kind.prefix
    return identities.entities.create(
        Entity(kind, new_id(prefix), name, "/", HOME.entity(kind, "/", name), NOW, trust=TRUST, **more)
    )


def hour(holder_id, **more):
    return Session(holder_id, NOW, NOW + timedelta(hours=1), **more)


def may(sessions, id_, action="airflow:GetEnvironment"):
    credential = sessions.credential(id_)
    return bool(authorise(credential.principal, credential.holding, Request(action, "*")))


def test_a_session_of_a_role(identities, sessions):
    role = made(identities, EntityKind.ROLE, "Deploy", tags={"Team": "blue", "stage": "test"})
    identities.grants.put_inline(EntityKind.ROLE, "Deploy", "read", READ)
    made_of = {"source_identity": "alice", "tags": {"team": "red"}, "transitive": ("team",)}
    issued = sessions.issue(hour(role.id, name="ci", **made_of))
    credential = sessions.credential(issued.access_key_id)
    assert issued.access_key_id.startswith("ASIA")
    assert len(issued.access_key_id) == 20
    assert (credential.secret, credential.session_token) == (issued.secret, issued.token)
    assert (credential.expires, credential.is_active) == (NOW + timedelta(hours=1), True)
    who = credential.principal
    assert who.arn == "arn:aws:sts::123456789012:assumed-role/Deploy/ci"
    assert who.identity == "assumed-role/Deploy/ci"
    assert who.role_arn == role.arn
    assert (who.kind, who.user_id, who.user_name) == (Kind.ASSUMED_ROLE, f"{role.id}:ci", None)
    assert who.tags == {"team": "red", "stage": "test"}
    assert who.session_context["aws:tokenissuetime"] == (NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),)
    assert who.session_context["aws:multifactorauthpresent"] == ("false",)
    assert who.session_context["aws:sourceidentity"] == ("alice",)
    assert who.session_context[TRANSITIVE] == ("team",)
    assert may(sessions, issued.access_key_id)


def test_a_session_of_a_user_is_the_user(identities, sessions):
    user = made(identities, EntityKind.USER, "alice")
    issued = sessions.issue(hour(user.id, policies=limits_without_mfa()))
    who = sessions.credential(issued.access_key_id).principal
    assert (who.arn, who.user_name, who.kind) == (user.arn, "alice", Kind.USER)
    identities.grants.put_inline(EntityKind.USER, "alice", "all", READ.replace("airflow:Get*", "*"))
    assert may(sessions, issued.access_key_id)
    assert not may(sessions, issued.access_key_id, "iam:GetUser")


def test_a_session_of_root(sessions):
    issued = sessions.issue(hour(None, policies=limits_without_mfa()))
    credential = sessions.credential(issued.access_key_id)
    assert credential.principal.is_root
    assert may(sessions, issued.access_key_id)
    assert not may(sessions, issued.access_key_id, "iam:CreateUser")


def test_a_session_policy_limits_it(identities, sessions):
    role = made(identities, EntityKind.ROLE, "Deploy")
    identities.grants.put_inline(EntityKind.ROLE, "Deploy", "all", READ.replace("airflow:Get*", "*"))
    policy = Policy("SessionPolicy", parse_document(READ), "the session policy")
    limited = sessions.issue(hour(role.id, name="a", policies=(policy,))).access_key_id
    empty = sessions.issue(hour(role.id, name="b", policies=())).access_key_id
    free = sessions.issue(hour(role.id, name="c")).access_key_id
    assert [may(sessions, id_, "iam:GetUser") for id_ in (limited, empty, free)] == [False, False, True]
    assert [may(sessions, id_) for id_ in (limited, empty, free)] == [True, False, True]
    assert sessions.credential(free).holding.session is None


def test_what_is_taken_from_a_role_is_taken_from_its_sessions(identities, sessions):
    role = made(identities, EntityKind.ROLE, "Deploy")
    identities.grants.put_inline(EntityKind.ROLE, "Deploy", "read", READ)
    id_ = sessions.issue(hour(role.id, name="ci")).access_key_id
    assert may(sessions, id_)
    identities.grants.delete_inline(EntityKind.ROLE, "Deploy", "read")
    assert not may(sessions, id_)
    identities.entities.delete(EntityKind.ROLE, "Deploy")
    assert sessions.credential(id_) is None


def test_neither_secret_nor_token_lies_in_the_table(identities, sessions):
    issued = sessions.issue(hour(made(identities, EntityKind.ROLE, "Deploy").id, name="ci"))
    with sessions.engine.connect() as connection:
        row = str(connection.execute(sa.select(iam_sessions)).mappings().one())
    assert issued.secret not in row
    assert issued.token not in row
    assert issued.secret not in repr(issued)
    assert issued.token not in repr(sessions.credential(issued.access_key_id))
    assert len({issued.token, sessions.issue(hour(None)).token}) == 2


def test_an_expired_session_is_known_for_a_day(sessions):
    id_ = sessions.issue(hour(None)).access_key_id
    sessions.issue(Session(None, NOW + timedelta(hours=24), NOW + timedelta(hours=25)))
    assert sessions.credential(id_).expires == NOW + timedelta(hours=1)
    sessions.issue(Session(None, NOW + timedelta(hours=26), NOW + timedelta(hours=27)))
    assert sessions.credential(id_) is None


def test_a_holder_who_is_deleted_in_the_meantime_gets_none(identities, sessions):
    role = made(identities, EntityKind.ROLE, "Deploy")
    identities.entities.delete(EntityKind.ROLE, "Deploy")
    with pytest.raises(HolderGone):
        sessions.issue(hour(role.id))
    assert sessions.issue(hour(None))


def test_a_key_that_is_not_there(sessions):
    assert sessions.credential("ASIANOBODY") is None
