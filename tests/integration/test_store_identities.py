"""IAM's store: who a key is, what is in force for it, and what two calls at once cannot do."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from tests.integration.iam_account import ALLOW, NOW, TRUST, IamAccount
from tradewind.iam import Kind, Request, authorise
from tradewind.iam.entities import EntityKind, Home
from tradewind.iam.refusals import Refused
from tradewind.store import Identities
from tradewind.store.iam_tables import iam_access_keys, iam_attachments
from tradewind.store.sealing import MasterKey, Sealing, Unsealable

HOME = Home("123456789012")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture
def identities(engine):
    return Identities(engine, Sealing(MasterKey.draw()), HOME)


@pytest.fixture
def account(identities):
    return IamAccount(identities)


def may(identities, key_id, action):
    credential = identities.credential(key_id)
    return bool(authorise(credential.principal, credential.holding, Request(action, "*")))


def key_of(identities, user):
    return identities.keys.create(user, NOW)[0].id


def test_a_key_says_who_it_is(account, identities):
    account("CreateUser", UserName="Alice", Path="/team/", Tags=[{"Key": "Team", "Value": "data"}])
    key, secret = identities.keys.create("Alice", NOW)
    credential = identities.credential(key.id)
    assert (credential.secret, credential.session_token, credential.expires) == (secret, None, None)
    assert credential.is_active
    principal = credential.principal
    assert principal.arn == "arn:aws:iam::123456789012:user/team/Alice"
    assert (principal.identity, principal.user_name, principal.kind) == ("user/Alice", "Alice", Kind.USER)
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", principal.user_id)
    assert principal.tags == {"Team": "data"}
    assert not principal.is_root
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", key.id)
    assert secret not in repr(credential)


def test_a_key_that_is_not_there(identities):
    assert identities.credential("AKIANOBODY") is None


def test_a_secret_is_sealed_for_its_own_row(account, identities, engine):
    for name in ("alice", "bob"):
        account("CreateUser", UserName=name)
    (one, secret), (other, _) = (identities.keys.create(name, NOW) for name in ("alice", "bob"))
    with engine.begin() as connection:
        sealed = {row.id: row.secret for row in connection.execute(sa.select(iam_access_keys))}
        assert secret not in "".join(sealed.values())
        mine = iam_access_keys.c.id == other.id
        connection.execute(sa.update(iam_access_keys).where(mine).values(secret=sealed[one.id]))
    with pytest.raises(Unsealable):
        identities.credential(other.id)


def test_an_inactive_key_is_known_as_such(account, identities):
    account("CreateUser", UserName="alice")
    id_ = key_of(identities, "alice")
    identities.keys.switch("alice", id_, is_active=False)
    assert not identities.credential(id_).is_active


def test_everything_that_is_in_force(account, identities):
    account("CreateUser", UserName="alice")
    account("CreateGroup", GroupName="crew")
    account("CreateGroup", GroupName="others")
    account("PutGroupPolicy", GroupName="others", PolicyName="far", PolicyDocument=ALLOW % "s3:*")
    account("AddUserToGroup", GroupName="crew", UserName="alice")
    account("PutUserPolicy", UserName="alice", PolicyName="own", PolicyDocument=ALLOW % "airflow:GetEnvironment")
    account("PutGroupPolicy", GroupName="crew", PolicyName="crews", PolicyDocument=ALLOW % "airflow:ListEnvironments")
    made = account("CreatePolicy", PolicyName="managed", PolicyDocument=ALLOW % "airflow:TagResource")["Policy"]
    account("AttachGroupPolicy", GroupName="crew", PolicyArn=made["Arn"])
    account("AttachUserPolicy", UserName="alice", PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    id_ = key_of(identities, "alice")
    holding = identities.credential(id_).holding
    assert sorted(policy.origin for policy in holding.identity) == [
        "inline policy crews of group crew",
        "inline policy own of user alice",
        "managed policy arn:aws:iam::123456789012:policy/managed",
        "managed policy arn:aws:iam::aws:policy/IAMReadOnlyAccess",
    ]
    assert holding.boundary is None
    assert holding.session is None
    allowed = ("airflow:GetEnvironment", "airflow:ListEnvironments", "airflow:TagResource", "iam:ListUsers")
    assert all(may(identities, id_, action) for action in allowed)
    assert not may(identities, id_, "s3:GetObject")
    account("RemoveUserFromGroup", GroupName="crew", UserName="alice")
    assert not may(identities, id_, "airflow:ListEnvironments")


def test_the_default_version_is_what_is_in_force(account, identities):
    account("CreateUser", UserName="alice")
    arn = account("CreatePolicy", PolicyName="managed", PolicyDocument=ALLOW % "airflow:*")["Policy"]["Arn"]
    account("AttachUserPolicy", UserName="alice", PolicyArn=arn)
    id_ = key_of(identities, "alice")
    account("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=ALLOW % "s3:*")
    assert may(identities, id_, "airflow:GetEnvironment")
    account("SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v2")
    assert not may(identities, id_, "airflow:GetEnvironment")
    assert may(identities, id_, "s3:GetObject")


def test_a_boundary_bounds(account, identities):
    arn = account("CreatePolicy", PolicyName="bounds", PolicyDocument=ALLOW % "airflow:Get*")["Policy"]["Arn"]
    account("CreateUser", UserName="alice", PermissionsBoundary=arn)
    account("AttachUserPolicy", UserName="alice", PolicyArn=ADMINISTRATOR)
    id_ = key_of(identities, "alice")
    assert identities.credential(id_).holding.boundary.origin == f"managed policy {arn}"
    assert may(identities, id_, "airflow:GetEnvironment")
    assert not may(identities, id_, "airflow:DeleteEnvironment")
    account("DeleteUserPermissionsBoundary", UserName="alice")
    assert may(identities, id_, "airflow:DeleteEnvironment")


def test_one_of_awss_policies_as_boundary(account, identities):
    account("CreateUser", UserName="alice", PermissionsBoundary="arn:aws:iam::aws:policy/AmazonMWAAReadOnlyAccess")
    account("AttachUserPolicy", UserName="alice", PolicyArn=ADMINISTRATOR)
    id_ = key_of(identities, "alice")
    assert may(identities, id_, "airflow:GetEnvironment")
    assert not may(identities, id_, "airflow:DeleteEnvironment")


def test_a_policy_that_is_held_but_lost_allows_nothing_silently(account, identities, engine):
    """It might have been the one that denies."""
    account("CreateUser", UserName="alice")
    account("AttachUserPolicy", UserName="alice", PolicyArn=ADMINISTRATOR)
    id_ = key_of(identities, "alice")
    with engine.begin() as connection:
        connection.execute(sa.update(iam_attachments).values(policy_arn="arn:aws:iam::123456789012:policy/lost"))
    with pytest.raises(LookupError, match="policy/lost is held but not there"):
        identities.credential(id_)


def test_by_arn(account, identities):
    account("CreateRole", RoleName="Runner", Path="/jobs/", AssumeRolePolicyDocument=TRUST)
    account("PutRolePolicy", RoleName="Runner", PolicyName="run", PolicyDocument=ALLOW % "s3:GetObject")
    arn = "arn:aws:iam::123456789012:role/jobs/Runner"
    principal, holding = identities.holding_of(arn)
    assert (principal.role_arn, principal.kind) == (arn, Kind.ASSUMED_ROLE)
    assert [policy.name for policy in holding.identity] == ["run"]
    root, nothing = identities.holding_of("arn:aws:iam::123456789012:root")
    assert root.is_root
    assert nothing.identity == ()


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::123456789012:role/Runner",
        "arn:aws:iam::123456789012:role/jobs/runner",
        "arn:aws:iam::999999999999:role/jobs/Runner",
        "arn:aws:iam::123456789012:user/jobs/Runner",
        "arn:aws:iam::123456789012:role/",
        "role/jobs/Runner",
        "",
    ],
)
def test_an_arn_that_is_not_exactly_its_own_finds_nothing(account, identities, arn):
    account("CreateRole", RoleName="Runner", Path="/jobs/", AssumeRolePolicyDocument=TRUST)
    assert identities.holding_of(arn) is None


def test_a_role_by_name(account, identities):
    account("CreateRole", RoleName="Runner", AssumeRolePolicyDocument=TRUST, MaxSessionDuration=7200)
    role = identities.role("RUNNER")
    assert (role.name, role.max_session_duration) == ("Runner", 7200)
    assert "airflow-env.amazonaws.com" in role.trust
    assert identities.role("nobody") is None
    identities.role_used(role.id, "eu-west-1", NOW)
    assert identities.role("Runner").last_used_region == "eu-west-1"


def test_the_last_use_is_noted_once_a_minute(account, identities):
    account("CreateUser", UserName="alice")
    id_ = key_of(identities, "alice")
    assert identities.keys.find(id_).last_used_at is None
    identities.keys.used(id_, "airflow", "us-east-1", NOW)
    identities.keys.used(id_, "iam", "us-east-1", NOW + timedelta(seconds=59))
    assert identities.keys.find(id_).last_used_service == "airflow"
    identities.keys.used(id_, "iam", "us-east-1", NOW + timedelta(seconds=61))
    assert identities.keys.find(id_).last_used_service == "iam"
    assert identities.credential(id_).used_at == NOW + timedelta(seconds=61)


def test_a_use_that_is_known_to_be_noted_asks_nothing(account, identities):
    account("CreateUser", UserName="alice")
    id_ = key_of(identities, "alice")
    identities.keys.used(id_, "airflow", "us-east-1", NOW, NOW - timedelta(seconds=59))
    assert identities.keys.find(id_).last_used_at is None
    identities.keys.used(id_, "airflow", "us-east-1", NOW, NOW - timedelta(seconds=60))
    assert identities.keys.find(id_).last_used_at == NOW


# -- at once ---------------------------------------------------------------------------------------------------


def at_once(number, do):
    """How many of several callers at the same moment were not refused."""
    together = Barrier(number)

    def attempt(index):
        together.wait(20)
        try:
            do(index)
        except Refused:
            return 0
        return 1

    with ThreadPoolExecutor(number) as pool:
        return sum(pool.map(attempt, range(number)))


def test_two_keys_and_no_more(account, identities):
    account("CreateUser", UserName="alice")
    assert at_once(6, lambda _: identities.keys.create("alice", NOW)) == 2
    assert len(identities.keys.of_user("alice")) == 2


def test_ten_policies_and_no_more(account, identities):
    account("CreateUser", UserName="alice")
    arns = [
        account("CreatePolicy", PolicyName=f"p{number}", PolicyDocument=ALLOW % "s3:*")["Policy"]["Arn"]
        for number in range(12)
    ]
    assert at_once(4, lambda index: [identities.grants.attach(EntityKind.USER, "alice", arn) for arn in arns]) == 0
    assert len(identities.grants.attached(EntityKind.USER, "alice")) == 10


def test_one_of_a_name_whatever_its_case(account, identities):
    names = ["alice", "ALICE", "Alice", "aLICE"]
    refused = at_once(4, lambda index: identities.entities.create(_user(names[index])))
    assert refused == 1
    assert len(identities.entities.all(EntityKind.USER)) == 1


def test_a_policy_is_not_deleted_while_it_is_attached(account, identities):
    account("CreateUser", UserName="alice")
    for number in range(5):
        arn = account("CreatePolicy", PolicyName=f"p{number}", PolicyDocument=ALLOW % "s3:*")["Policy"]["Arn"]
        both = (
            lambda arn=arn: identities.grants.attach(EntityKind.USER, "alice", arn),
            lambda arn=arn: identities.policies.delete(arn),
        )
        assert at_once(2, lambda index, both=both: both[index]()) == 1
    key_of(identities, "alice")  # whatever won, what is in force can be told
    assert identities.holding_of("arn:aws:iam::123456789012:user/alice") is not None


def _user(name):
    from tradewind.iam.entities import Entity, new_id

    path = "/"
    return Entity(EntityKind.USER, new_id("AIDA"), name, path, HOME.entity(EntityKind.USER, path, name), NOW)
