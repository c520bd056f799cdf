"""STS's operations by themselves: who may, what a session is made of, and what is answered. The store is in memory."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from tests.unit.api.modelled import MODELS, perform
from tests.unit.domain.samples import NOW
from tests.unit.iam.making import ACCOUNT, allow, holding, policy, session, text_of, user
from tradewind.api.callers import Caller
from tradewind.api.operations.sts import STS_OPERATIONS
from tradewind.domain.arns import Place
from tradewind.iam import Context, Holding, root_principal
from tradewind.iam.entities import Entity, EntityKind
from tradewind.iam.sessions import TRANSITIVE
from tradewind.store import Account
from tradewind.store.sessions import HolderGone, Issued
from tradewind.wire import WireError

ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/team/Deploy"
STS = allow("sts:*")
ALICE = Caller(user(), holding(STS), "AKIAALICEALICEALICE1")
ROOT = Caller(root_principal(ACCOUNT), Holding(), "AKIAROOTROOTROOTROOT")
PLACE = Place(ACCOUNT, "us-east-1")
ROOT_KEY = Account(ACCOUNT, ROOT.access_key_id, "the-secret", b"k" * 32)
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/read"
TRUST = text_of({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:*"})


def role(trust=TRUST, **more):
    return Entity(EntityKind.ROLE, "AROAEXAMPLEEXAMPLE01", "Deploy", "/team/", ROLE_ARN, NOW, trust=trust, **more)


@dataclass
class Service:
    """Satisfies StsServices: one role, one managed policy, and the sessions that were made."""

    known: Entity = field(default_factory=role)
    is_gone: bool = False  # the holder, by the time the session is written
    made: list = field(default_factory=list)
    used: list = field(default_factory=list)
    account: Account = ROOT_KEY
    place: Place = PLACE

    def now(self):
        return NOW

    @property
    def identities(self):
        return self

    temporary = keys = identities

    def role(self, name):
        return self.known if name.lower() == self.known.name.lower() else None

    def policy(self, arn):
        return policy(allow("airflow:*"), name="read") if arn == MANAGED else None

    def role_used(self, id_, region, at):
        self.used.append((id_, region, at))

    def find(self, id_):
        return id_ if id_ == ALICE.access_key_id else None

    def issue(self, made):
        if self.is_gone:
            raise HolderGone(made.holder_id)
        self.made.append(made)
        return Issued("ASIAEXAMPLEEXAMPLE01", "a-secret", "a-token", made.expires_at)

    def credential(self, id_):
        return id_ if id_ == "ASIAEXAMPLEEXAMPLE01" else None

    def __call__(self, operation, caller=ALICE, **parameters):
        return perform(STS_OPERATIONS, self, operation, caller, parameters)

    def assume(self, caller=ALICE, **more):
        answer = self("AssumeRole", caller, **{"RoleArn": ROLE_ARN, "RoleSessionName": "ci", **more})
        return answer, self.made[-1]

    def refusal(self, operation, caller=ALICE, **parameters):
        with pytest.raises(WireError) as refused:
            self(operation, caller, **parameters)
        assert not self.made
        return refused.value.code, refused.value.message

    def not_assumed(self, caller=ALICE, **more):
        return self.refusal("AssumeRole", caller, **{"RoleArn": ROLE_ARN, "RoleSessionName": "ci", **more})


def test_a_role_is_assumed():
    service = Service()
    answer, made = service.assume()
    assert answer == {
        "Credentials": {
            "AccessKeyId": "ASIAEXAMPLEEXAMPLE01",
            "SecretAccessKey": "a-secret",
            "SessionToken": "a-token",
            "Expiration": NOW + timedelta(hours=1),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": "AROAEXAMPLEEXAMPLE01:ci",
            "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/ci",
        },
    }
    assert (made.holder_id, made.name, made.policies, made.tags) == ("AROAEXAMPLEEXAMPLE01", "ci", None, {})
    assert service.used == [("AROAEXAMPLEEXAMPLE01", "us-east-1", NOW)]


@pytest.mark.parametrize(
    ("caller", "more", "code", "sentence"),
    [
        (ROOT, {}, "AccessDeniedException", "Roles may not be assumed by root accounts."),
        (ROOT, {"RoleArn": ROLE_ARN + "x"}, "AccessDeniedException", "Roles may not be assumed by root accounts."),
        (
            Caller(user("bob")),
            {},
            "AccessDeniedException",
            f"on resource: {ROLE_ARN} because no identity-based policy allows the sts:AssumeRole action",
        ),
        (
            ALICE,
            {"RoleArn": ROLE_ARN.replace("team/", "")},
            "AccessDeniedException",
            "because no role trust policy allows the sts:AssumeRole action",
        ),
        (
            ALICE,
            {"RoleArn": ROLE_ARN.replace(ACCOUNT, "210987654321")},
            "AccessDeniedException",
            "because no role trust policy allows the sts:AssumeRole action",
        ),
        (ALICE, {"RoleArn": f"arn:aws:iam::{ACCOUNT}:user/alice"}, "ValidationException", "user/alice is invalid"),
        (ALICE, {"DurationSeconds": 3601}, "ValidationException", "exceeds the MaxSessionDuration set for this role."),
        (ALICE, {"Policy": "{"}, "MalformedPolicyDocumentException", "Syntax errors in policy."),
        (ALICE, {"Policy": " " * 2049}, "PackedPolicyTooLargeException", "2048 are allowed."),
        (
            ALICE,
            {"PolicyArns": [{"arn": MANAGED + "x"}]},
            "ValidationException",
            "does not exist or is not attachable.",
        ),
        (ALICE, {"TransitiveTagKeys": ["a"]}, "ValidationException", "must be included in the requested tags."),
        (ALICE, {"SerialNumber": "123456789", "TokenCode": "123456"}, "AccessDeniedException", "with this user."),
        (ALICE, {"ProvidedContexts": [{}]}, "ValidationException", "there are no context providers."),
        (ALICE, {"MinimumSessionTokenSize": 100}, "ValidationException", "session tokens have 80 characters."),
    ],
)
def test_what_is_refused(caller, more, code, sentence):
    found = Service().not_assumed(caller, **more)
    assert found[0] == code
    assert found[1].endswith(sentence)


@pytest.mark.parametrize(
    ("condition", "more"),
    [
        ({"StringEquals": {"sts:ExternalId": "s3cret"}}, {"ExternalId": "s3cret"}),
        ({"StringEquals": {"sts:RoleSessionName": "ci"}}, {}),
        ({"StringEquals": {"sts:SourceIdentity": "alice"}}, {"SourceIdentity": "alice"}),
        ({"StringEquals": {"aws:RequestTag/team": "blue"}}, {"Tags": [{"Key": "Team", "Value": "blue"}]}),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}, {"Tags": [{"Key": "team", "Value": ""}]}),
        ({"StringEquals": {"aws:ResourceTag/stage": "test", "iam:ResourceTag/stage": "test"}}, {}),
        ({"NumericLessThan": {"sts:DurationSeconds": "1000"}}, {"DurationSeconds": 900}),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {}),
    ],
)
def test_a_trust_policys_conditions_see_the_call(condition, more):
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:*", "Condition": condition}
    service = Service(role(text_of(statement), tags={"stage": "test"}))
    alice = Caller(ALICE.principal, ALICE.holding, ALICE.access_key_id, Context.of({"aws:SourceIp": "10.1.2.3"}))
    assert service.assume(alice, **more)
    (operator, keys), *_ = condition.items()
    other = {operator: dict.fromkeys(keys, "11.0.0.0/8" if operator == "IpAddress" else "1")}
    refusing = Service(role(text_of({**statement, "Condition": other})))
    assert refusing.not_assumed(alice, **more)[0] == "AccessDeniedException"


def test_session_policies_tags_and_source_identity():
    tags = [{"Key": "team", "Value": "red"}]
    more = {"Tags": tags, "TransitiveTagKeys": ["team"], "SourceIdentity": "alice"}
    answer, made = Service().assume(Policy=text_of(allow("iam:*")), PolicyArns=[{"arn": MANAGED}], **more)
    assert [each.name for each in made.policies] == ["SessionPolicy", "read"]
    assert (made.tags, made.transitive, made.source_identity) == ({"team": "red"}, ("team",), "alice")
    assert answer["SourceIdentity"] == "alice"
    assert 0 < answer["PackedPolicySize"] < 100


def test_tags_and_source_identity_need_rights():
    narrow = text_of({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    tags = [{"Key": "team", "Value": "red"}]
    assert "sts:TagSession" in Service(role(narrow)).not_assumed(Tags=tags)[1]
    assert "sts:SetSourceIdentity" in Service(role(narrow)).not_assumed(SourceIdentity="alice")[1]


def test_a_role_that_is_deleted_meanwhile_is_refused_as_one_that_is_not_there():
    other = f"{ROLE_ARN}-2"
    _, not_there = Service().not_assumed(RoleArn=other)
    code, gone = Service(is_gone=True).not_assumed()
    assert (code, gone) == ("AccessDeniedException", not_there.replace(other, ROLE_ARN))


def test_a_user_who_is_deleted_meanwhile_gets_no_session():
    assert Service(is_gone=True).refusal("GetSessionToken")[0] == "UnrecognizedClientException"


def test_a_chain():
    context = {
        TRANSITIVE: ("team",),
        "aws:sourceidentity": ("alice",),
        "aws:tokenissuetime": ("2026-11-23T09:00:00Z",),
    }
    first = Caller(session("First", tags={"team": "red", "own": "x"}, session_context=context), holding(STS))
    service = Service(role(max_session_duration=43_200))
    answer, made = service.assume(first)
    assert (made.tags, made.transitive, answer["SourceIdentity"]) == ({"team": "red"}, ("team",), "alice")
    fresh = Service(role(max_session_duration=43_200))
    assert "role chaining" in fresh.not_assumed(first, DurationSeconds=3601)[1]
    assert fresh.not_assumed(first, SourceIdentity="bob")[0] == "AccessDeniedException"
    assert fresh.not_assumed(first, Tags=[{"Key": "TEAM", "Value": "blue"}])[0] == "ValidationException"


def test_many_policies_are_not_even_looked_up():
    class ServiceThatIsNotAsked(Service):
        def policy(self, arn):
            raise AssertionError(arn)

    refused = ServiceThatIsNotAsked().not_assumed(PolicyArns=[{"arn": MANAGED}] * 11)
    assert refused == ("ValidationException", "At most 10 managed policies can be passed.")


def test_inherited_tags_need_the_right_too():
    """They cover the role's own tags: a role that lets nobody tag its sessions would get others'."""
    narrow = text_of({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    tagged = session("First", tags={"team": "red"}, session_context={TRANSITIVE: ("team",)})
    assert "sts:TagSession" in Service(role(narrow)).not_assumed(Caller(tagged, holding(STS)))[1]
    own = session("First", tags={"team": "red"})  # the role's, which go no further
    assert Service(role(narrow)).assume(Caller(own, holding(STS)))[1].tags == {}


def test_a_session_token():
    service = Service()
    issued = service("GetSessionToken")["Credentials"]
    assert issued["Expiration"] == NOW + timedelta(hours=12)
    assert service.made[-1].holder_id == ALICE.principal.user_id
    assert [each.name for each in service.made[-1].policies] == ["WithoutMFA"]
    assert service("GetSessionToken", ROOT)["Credentials"]["Expiration"] == NOW + timedelta(hours=1)
    assert service.made[-1].holder_id is None
    mine = Caller(user(session_context={"aws:tokenissuetime": ("2026-11-23T09:00:00Z",)}))
    assert Service().refusal("GetSessionToken", mine) == (
        "AccessDeniedException",
        "Cannot call GetSessionToken with session credentials",
    )


def test_who_am_i():
    assert Service()("GetCallerIdentity") == {
        "UserId": "AIDAEXAMPLEEXAMPLE01",
        "Account": ACCOUNT,
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/alice",
    }


def test_whose_key_it_is():
    for id_ in (ROOT.access_key_id, ALICE.access_key_id, "ASIAEXAMPLEEXAMPLE01", "AKIAOFTHECALLERITSELF"):
        caller = Caller(user(), Holding(), "AKIAOFTHECALLERITSELF")
        assert Service()("GetAccessKeyInfo", caller, AccessKeyId=id_) == {"Account": ACCOUNT}
    assert Service().refusal("GetAccessKeyInfo", AccessKeyId="AKIANOBODYNOBODY")[0] == "ValidationException"


@pytest.mark.parametrize("operation", MODELS["sts"].operation_names)
def test_every_operation_of_the_model_is_answered_or_refused_by_name(operation):
    assert operation in STS_OPERATIONS


def test_what_is_not_there_is_refused_by_name():
    code, sentence = Service().refusal("GetFederationToken", Name="bob")
    assert code == "NotImplementedException"
    assert sentence == "GetFederationToken is not supported: there are no identity providers."
    assert Service().refusal("DecodeAuthorizationMessage", EncodedMessage="x")[1] == (
        "DecodeAuthorizationMessage is not supported."
    )
