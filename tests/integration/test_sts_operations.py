"""STS's operations on a real store, with botocore's model as judge of what goes in and out."""

import json
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.integration.iam_account import NOW
from tests.unit.api.modelled import perform
from tradewind import store
from tradewind.access.execution_roles import CannotIssue
from tradewind.access.role_sessions import ExecutionRoles
from tradewind.api.callers import Caller
from tradewind.api.operations.sts import STS_OPERATIONS
from tradewind.domain.arns import Place
from tradewind.iam import Holding, root_principal
from tradewind.iam.entities import Entity, EntityKind, Home, new_id
from tradewind.store import Identities, Sessions
from tradewind.store.sealing import MasterKey, Sealing
from tradewind.wire import WireError

PLACE = Place("123456789012", "us-east-1")
HOME = Home(PLACE.account)
ROLE = "arn:aws:iam::123456789012:role/team/Deploy"
ROOT_KEY = store.Account(PLACE.account, "AKIAROOTROOTROOTROOT", "the-secret", b"k" * 32)
ROOT = Caller(root_principal(PLACE.account), Holding(), ROOT_KEY.access_key_id)


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def trusting(principal, action="sts:AssumeRole", **more):
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **more})


BY_ACCOUNT = trusting({"AWS": PLACE.account}, ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])
STS = document({"Effect": "Allow", "Action": "sts:*", "Resource": "*"})


@dataclass
class Account:
    """Satisfies StsServices."""

    identities: Identities
    temporary: Sessions
    place: Place = PLACE
    account: store.Account = ROOT_KEY

    def now(self):
        return NOW

    def made(self, kind, name, path="/", policy=None, **more):
        entity = Entity(kind, new_id(kind.prefix), name, path, HOME.entity(kind, path, name), NOW, **more)
        self.identities.entities.create(entity)
        if policy is not None:
            self.identities.grants.put_inline(kind, name, "own", policy)
        return entity

    def role(self, trust=BY_ACCOUNT, **more):
        return self.made(EntityKind.ROLE, "Deploy", "/team/", trust=trust, **more)

    def user(self, name="alice", policy=STS):
        self.made(EntityKind.USER, name, policy=policy)
        return self.caller(self.identities.keys.create(name, NOW)[0].id)

    def caller(self, id_):
        holder = self.temporary if id_.startswith("ASIA") else self.identities
        credential = holder.credential(id_)
        return Caller(credential.principal, credential.holding, id_)

    def __call__(self, operation, caller, **parameters):
        return perform(STS_OPERATIONS, self, operation, caller, parameters)

    def assume(self, caller, **more):
        return self("AssumeRole", caller, **{"RoleArn": ROLE, "RoleSessionName": "ci", **more})

    def assumed(self, caller, **more):
        return self.caller(self.assume(caller, **more)["Credentials"]["AccessKeyId"])

    def refusal(self, operation, caller, **parameters):
        with pytest.raises(WireError) as refused:
            self(operation, caller, **parameters)
        return refused.value.code, refused.value.message

    def not_assumed(self, caller, **more):
        return self.refusal("AssumeRole", caller, **{"RoleArn": ROLE, "RoleSessionName": "ci", **more})


@pytest.fixture
def account(engine):
    sealing = Sealing(MasterKey.draw())
    return Account(Identities(engine, sealing, HOME), Sessions(engine, sealing, HOME))


def test_who_am_i(account):
    alice = account.user()
    account.role()
    assert account("GetCallerIdentity", ROOT) == {
        "UserId": "123456789012",
        "Account": "123456789012",
        "Arn": "arn:aws:iam::123456789012:root",
    }
    assert account("GetCallerIdentity", alice)["Arn"] == "arn:aws:iam::123456789012:user/alice"
    told = account("GetCallerIdentity", account.assumed(alice))
    assert told["Arn"] == "arn:aws:sts::123456789012:assumed-role/Deploy/ci"
    assert told["UserId"].endswith(":ci")


def test_a_role_is_assumed(account):
    role = account.role()
    answer = account.assume(account.user())
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": f"{role.id}:ci",
        "Arn": "arn:aws:sts::123456789012:assumed-role/Deploy/ci",
    }
    issued = answer["Credentials"]
    assert issued["Expiration"] == NOW + timedelta(hours=1)
    credential = account.temporary.credential(issued["AccessKeyId"])
    assert (credential.secret, credential.session_token) == (issued["SecretAccessKey"], issued["SessionToken"])
    assert set(answer) == {"Credentials", "AssumedRoleUser"}
    assert account.identities.role("Deploy").last_used_at == NOW


def test_who_may_not_assume_it(account):
    account.role()
    alice, bob = account.user(), account.user("bob", policy=None)
    code, sentence = account.not_assumed(bob)
    assert code == "AccessDeniedException"
    assert sentence.endswith(f"on resource: {ROLE} because no identity-based policy allows the sts:AssumeRole action")
    assert account.not_assumed(ROOT) == ("AccessDeniedException", "Roles may not be assumed by root accounts.")
    for arn in (ROLE.replace("team/", ""), ROLE + "x", ROLE.replace("123456789012", "210987654321")):
        code, sentence = account.not_assumed(alice, RoleArn=arn)
        assert code == "AccessDeniedException"
        assert sentence.endswith(f"{arn} because no role trust policy allows the sts:AssumeRole action")
    code, sentence = account.not_assumed(alice, RoleArn="arn:aws:iam::123456789012:user/alice")
    assert (code, sentence) == ("ValidationException", "arn:aws:iam::123456789012:user/alice is invalid")


def test_an_external_id(account):
    account.role(trusting({"AWS": PLACE.account}, Condition={"StringEquals": {"sts:ExternalId": "s3cret"}}))
    alice = account.user()
    assert account.not_assumed(alice)[0] == "AccessDeniedException"
    assert account.not_assumed(alice, ExternalId="other")[0] == "AccessDeniedException"
    assert account.assume(alice, ExternalId="s3cret")


def test_the_longest_session_and_the_chain(account):
    account.role(max_session_duration=7200)
    alice = account.user()
    assert account.assume(alice, DurationSeconds=7200)["Credentials"]["Expiration"] == NOW + timedelta(hours=2)
    assert account.not_assumed(alice, DurationSeconds=7201)[0] == "ValidationException"
    account.identities.grants.put_inline(EntityKind.ROLE, "Deploy", "own", STS)
    session = account.assumed(alice)
    assert account.assume(session, DurationSeconds=3600)
    assert "role chaining" in account.not_assumed(session, DurationSeconds=3601)[1]


def test_tags_and_source_identity_go_on_in_a_chain(account):
    account.role(tags={"Team": "blue"})
    account.identities.grants.put_inline(EntityKind.ROLE, "Deploy", "own", STS)
    tags = [{"Key": "stage", "Value": "test"}, {"Key": "team", "Value": "red"}]
    answer = account.assume(account.user(), Tags=tags, TransitiveTagKeys=["stage"], SourceIdentity="alice")
    assert answer["SourceIdentity"] == "alice"
    assert answer["PackedPolicySize"] > 0
    first = account.caller(answer["Credentials"]["AccessKeyId"])
    assert first.principal.tags == {"stage": "test", "team": "red"}
    second = account.assume(first)
    assert second["SourceIdentity"] == "alice"
    chained = account.caller(second["Credentials"]["AccessKeyId"])
    assert chained.principal.tags == {"Team": "blue", "stage": "test"}
    assert account.not_assumed(first, SourceIdentity="bob")[0] == "AccessDeniedException"
    assert account.not_assumed(first, Tags=[{"Key": "Stage", "Value": "live"}])[0] == "ValidationException"


def test_session_policies(account):
    account.role()
    alice = account.user()
    limited = account.assumed(alice, Policy=document({"Effect": "Allow", "Action": "airflow:*", "Resource": "*"}))
    assert [policy.name for policy in limited.holding.session] == ["SessionPolicy"]
    managed = "arn:aws:iam::aws:policy/IAMFullAccess"
    limited = account.assumed(alice, PolicyArns=[{"arn": managed}])
    assert [policy.name for policy in limited.holding.session] == ["IAMFullAccess"]
    assert account.assumed(alice).holding.session is None
    assert account.not_assumed(alice, Policy="{") == ("MalformedPolicyDocumentException", "Syntax errors in policy.")
    assert account.not_assumed(alice, Policy=" " * 3000)[0] == "PackedPolicyTooLargeException"
    missing = "arn:aws:iam::123456789012:policy/none"
    assert account.not_assumed(alice, PolicyArns=[{"arn": missing}])[1].startswith(f"Policy {missing} does not exist")


def test_a_session_token(account):
    alice = account.user()
    issued = account("GetSessionToken", alice)["Credentials"]
    assert issued["Expiration"] == NOW + timedelta(hours=12)
    mine = account.caller(issued["AccessKeyId"])
    assert mine.principal.arn == alice.principal.arn
    assert account.refusal("GetSessionToken", mine) == (
        "AccessDeniedException",
        "Cannot call GetSessionToken with session credentials",
    )
    root = account("GetSessionToken", ROOT, DurationSeconds=129_600)["Credentials"]
    assert root["Expiration"] == NOW + timedelta(hours=1)
    assert account.caller(root["AccessKeyId"]).principal.is_root
    assert "MFA" in account.refusal("GetSessionToken", alice, SerialNumber="123456789", TokenCode="123456")[1]


def test_a_session_token_assumes_a_role(account):
    account.role()
    mine = account.caller(account("GetSessionToken", account.user())["Credentials"]["AccessKeyId"])
    assert account.assume(mine)


def test_whose_key_it_is(account):
    account.role()
    alice = account.user()
    theirs = account.assume(alice)["Credentials"]["AccessKeyId"]
    for caller, id_ in (
        (ROOT, ROOT.access_key_id),
        (alice, ROOT.access_key_id),
        (ROOT, alice.access_key_id),
        (alice, theirs),
    ):
        assert account("GetAccessKeyInfo", caller, AccessKeyId=id_) == {"Account": "123456789012"}
    assert account.refusal("GetAccessKeyInfo", ROOT, AccessKeyId="AKIA" + "A" * 16)[0] == "ValidationException"


@dataclass(frozen=True)
class Asking:
    """The parts of an environment that its role's credentials depend on."""

    execution_role_arn: str
    name: str = "sample"

    @property
    def spec(self):
        return self


def test_an_execution_role(account):
    roles = ExecutionRoles(account.identities, account.temporary, PLACE)
    asking = Asking(ROLE)
    with pytest.raises(CannotIssue, match="there is no role arn:aws:iam::123456789012:role/team/Deploy; make it with"):
        roles.issue(asking, NOW)
    account.role()
    with pytest.raises(CannotIssue, match="does not let airflow-env"):
        roles.issue(asking, NOW)
    source = "arn:aws:airflow:us-east-1:123456789012:environment/sample"
    trust = trusting({"Service": "airflow-env.amazonaws.com"}, Condition={"ArnLike": {"aws:SourceArn": source}})
    account.identities.entities.change_role("Deploy", trust=trust)
    issued = roles.issue(asking, NOW)
    assert issued.expiration == NOW + timedelta(hours=12)
    who = account.caller(issued.access_key_id).principal
    assert who.arn == "arn:aws:sts::123456789012:assumed-role/Deploy/AmazonMWAA-airflow"
    with pytest.raises(CannotIssue, match="does not let"):
        roles.issue(Asking(ROLE, "other"), NOW)
