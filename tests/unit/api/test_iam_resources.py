"""What IAM's calls are authorised on: the ARN that an entity really has, both ARNs of a rename, condition keys."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.api.operations.iam import IAM_OPERATIONS
from tradewind.api.operations.iam.resources import iam_asked
from tradewind.iam import Context, Kind, Principal, root_principal
from tradewind.iam.entities import AccessKey, Entity, EntityKind, Home, ManagedPolicy

HOME = Home("123456789012")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ARN = "arn:aws:iam::123456789012:"
ROOT = root_principal("123456789012")
ALICE = Principal(f"{ARN}user/team/Alice", "123456789012", "user/Alice", user_name="Alice", kind=Kind.USER)
SESSION = Principal("arn:aws:sts::123456789012:assumed-role/r/s", "123456789012", "x", kind=Kind.ASSUMED_ROLE)
BOUNDS = f"{ARN}policy/bounds"


def iam_resource(*asked):
    return iam_asked(*asked).resource


def extra_resources(*asked):
    return iam_asked(*asked).further


def iam_context(*asked):
    return iam_asked(*asked).context


def entity(kind, name, path="/", **more):
    return Entity(kind, f"{kind.prefix}X", name, path, HOME.entity(kind, path, name), NOW, **more)


@dataclass
class Known:
    """The store's lookups that authorisation uses."""

    home: Home = HOME
    known: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    @property
    def entities(self):
        return self

    @property
    def keys(self):
        return KeyOfAlice()

    @property
    def policies(self):
        return self

    def find(self, first, name=None):
        self.asked.append((first, name))
        if name is None:
            return next((each for each in self.known if isinstance(each, ManagedPolicy) and each.arn == first), None)
        same = (each for each in self.known if isinstance(each, Entity) and each.kind is first)
        return next((each for each in same if each.name.lower() == name.lower()), None)


class KeyOfAlice:
    def find(self, id_):
        return AccessKey(id_, "Alice", is_active=True, created_at=NOW) if id_ == "AKIAALICE" else None


@pytest.fixture
def identities():
    policy = ManagedPolicy("ANPAX", "p", "/a/", f"{ARN}policy/a/p", None, NOW, NOW, 1, tags={"Team": "data"})
    alice = entity(EntityKind.USER, "Alice", "/team/", tags={"Team": "data"}, boundary=BOUNDS)
    group, role = entity(EntityKind.GROUP, "crew", "/g/"), entity(EntityKind.ROLE, "runner", "/r/")
    return Known(known=[alice, group, role, policy])


@pytest.mark.parametrize(
    ("operation", "parameters", "caller", "resource"),
    [
        ("GetUser", {"UserName": "ALICE"}, ROOT, "user/team/Alice"),
        ("GetUser", {"UserName": "bob"}, ROOT, "user/bob"),
        ("GetUser", {}, ALICE, "user/team/Alice"),
        ("GetUser", {}, ROOT, "root"),
        ("CreateUser", {"UserName": "bob", "Path": "/admins/"}, ROOT, "user/admins/bob"),
        ("CreateUser", {"UserName": "Alice"}, ROOT, "user/Alice"),
        ("CreateUser", {"UserName": "admins/bob"}, ROOT, "user/admins/bob"),
        ("DeleteUser", {"UserName": "Alice"}, ROOT, "user/team/Alice"),
        ("CreateAccessKey", {}, ALICE, "user/team/Alice"),
        ("CreateAccessKey", {"UserName": "bob"}, ALICE, "user/bob"),
        ("DeleteAccessKey", {"AccessKeyId": "AKIA"}, ALICE, "user/team/Alice"),
        ("GetAccessKeyLastUsed", {"AccessKeyId": "AKIAALICE"}, ROOT, "user/team/Alice"),
        ("AddUserToGroup", {"UserName": "Alice", "GroupName": "crew"}, ROOT, "group/g/crew"),
        ("ListGroupsForUser", {"UserName": "Alice"}, ROOT, "user/team/Alice"),
        ("AttachRolePolicy", {"RoleName": "runner", "PolicyArn": BOUNDS}, ROOT, "role/r/runner"),
        ("PutGroupPolicy", {"GroupName": "crew", "PolicyName": "x"}, ROOT, "group/g/crew"),
        ("CreatePolicy", {"PolicyName": "x", "Path": "/a/"}, ROOT, "policy/a/x"),
        ("GetPolicy", {"PolicyArn": f"{ARN}policy/a/p"}, ROOT, "policy/a/p"),
        ("ListUsers", {}, ROOT, "user/"),
        ("ListRoles", {"PathPrefix": "/r/"}, ROOT, "role/r/"),
        ("SimulatePrincipalPolicy", {"PolicySourceArn": f"{ARN}user/team/Alice"}, ROOT, "user/team/Alice"),
    ],
)
def test_the_arn(identities, operation, parameters, caller, resource):
    assert iam_resource(operation, parameters, identities, caller) == f"{ARN}{resource}"


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("ListPolicies", {}),
        ("CreateUser", {}),
        ("GetAccountSummary", {}),
        ("GetAccessKeyLastUsed", {"AccessKeyId": "AKIANOBODY"}),
    ],
)
def test_what_is_about_no_one_thing(identities, operation, parameters):
    assert iam_resource(operation, parameters, identities, ROOT) == "*"


def test_keys_of_a_session_are_about_the_session(identities):
    assert iam_resource("ListAccessKeys", {}, identities, SESSION) == SESSION.arn


@pytest.mark.parametrize("name", ["a\0b", "*", "", "x" * 200, "a/b"])
def test_a_name_that_cannot_be_one_is_not_looked_up(identities, name):
    assert iam_resource("GetUser", {"UserName": name}, identities, ROOT) == f"{ARN}user/{name}"
    assert identities.asked == []


@pytest.mark.parametrize(
    ("parameters", "further"),
    [
        ({"NewUserName": "bob"}, ("user/team/bob",)),
        ({"NewPath": "/admins/"}, ("user/admins/Alice",)),
        ({"NewUserName": "bob", "NewPath": "/"}, ("user/bob",)),
        ({"NewUserName": "Alice"}, ()),
        ({}, ()),
    ],
)
def test_renaming_is_about_both(identities, parameters, further):
    asked = iam_asked("UpdateUser", {"UserName": "alice", **parameters}, identities, ROOT)
    assert asked.resource == f"{ARN}user/team/Alice"
    assert asked.further == tuple(ARN + resource for resource in further)
    assert extra_resources("GetUser", {"UserName": "alice", **parameters}, identities, ROOT) == ()


@pytest.mark.parametrize(
    ("operation", "parameters", "context"),
    [
        (
            "AttachUserPolicy",
            {"UserName": "Alice", "PolicyArn": "arn:p"},
            {"iam:PolicyARN": ["arn:p"], "iam:PermissionsBoundary": [BOUNDS]},
        ),
        (
            "PutUserPermissionsBoundary",
            {"UserName": "Alice", "PermissionsBoundary": "arn:b"},
            {"iam:PermissionsBoundary": ["arn:b"]},
        ),
        ("DeleteUserPermissionsBoundary", {"UserName": "Alice"}, {"iam:PermissionsBoundary": [BOUNDS]}),
        ("CreateAccessKey", {"UserName": "Alice"}, {}),
        (
            "TagUser",
            {"UserName": "Alice", "Tags": [{"Key": "k", "Value": "v"}]},
            {"aws:RequestTag/k": ["v"], "aws:TagKeys": ["k"]},
        ),
        ("UntagUser", {"UserName": "Alice", "TagKeys": ["k", "l"]}, {"aws:TagKeys": ["k", "l"]}),
    ],
)
def test_condition_keys_of_a_user(identities, operation, parameters, context):
    of_alice = {"aws:ResourceTag/Team": ["data"], "iam:ResourceTag/Team": ["data"]}
    assert iam_context(operation, parameters, identities, ROOT) == {**of_alice, **context}


def test_what_is_made_brings_its_own_keys_only(identities):
    parameters = {"UserName": "Alice", "PermissionsBoundary": "arn:b", "Tags": [{"Key": "k", "Value": "v"}]}
    assert iam_context("CreateUser", parameters, identities, ROOT) == {
        "iam:PermissionsBoundary": ["arn:b"],
        "aws:RequestTag/k": ["v"],
        "aws:TagKeys": ["k"],
    }


_texts = st.text(max_size=20)
_tags = st.lists(st.dictionaries(st.sampled_from(["Key", "Value"]), _texts), max_size=3)
_parameters = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            (
                "UserName",
                "GroupName",
                "RoleName",
                "PolicyArn",
                "PolicyName",
                "Path",
                "PathPrefix",
                "NewPath",
                "NewUserName",
                "CallerArn",
                "AccessKeyId",
                "PermissionsBoundary",
            ),
            _texts,
        ),
        "Tags": _tags,
        "TagKeys": st.lists(_texts, max_size=3),
    },
)


@given(st.sampled_from(sorted(IAM_OPERATIONS)), _parameters, st.sampled_from([ROOT, ALICE, SESSION]))
def test_whatever_is_sent_it_is_about_something(operation, parameters, caller):
    """Parameters are not checked yet when this is asked, and what the store is asked never holds a NUL."""
    known = Known(known=[entity(EntityKind.USER, "Alice", "/team/")])
    asked = iam_asked(operation, parameters, known, caller)
    assert asked.resource
    assert len(asked.shown) == 1 + len(asked.further)
    Context.of(asked.context)
    assert all("\0" not in str(part) for look in known.asked for part in look)
