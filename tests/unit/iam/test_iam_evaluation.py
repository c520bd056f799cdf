"""Evaluation: the order of AWS's logic, its words, and what each kind of policy may and may not do."""

import time

import pytest

from tests.unit.iam.making import allow, deny, holding, policy, session, user
from tradewind.iam import Allowed, Context, Denied, Holding, Principal, Request, authorise, root_principal

ENV = "arn:aws:airflow:us-east-1:123456789012:environment/"
GET = Request("airflow:GetEnvironment", ENV + "a")
SUBJECT = (
    "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: airflow:GetEnvironment "
    f"on resource: {ENV}a "
)
LIST = allow("airflow:ListEnvironments")
YES = allow("airflow:GetEnvironment")
NO = deny("airflow:GetEnvironment")


def outcome(held, who=None, request=GET):
    decision = authorise(who or user(), held, request)
    match decision:
        case Allowed():
            return "allowed"
        case Denied(reason):
            return reason.removeprefix(SUBJECT)


BECAUSE_IDENTITY = "because no identity-based policy allows the airflow:GetEnvironment action"
BECAUSE_BOUNDARY = "because no permissions boundary allows the airflow:GetEnvironment action"
BECAUSE_SESSION = "because no session policy allows the airflow:GetEnvironment action"
DENIED_BY_IDENTITY = "with an explicit deny in an identity-based policy"
DENIED_BY_BOUNDARY = "with an explicit deny in a permissions boundary"
DENIED_BY_SESSION = "with an explicit deny in a session policy"


@pytest.mark.parametrize(
    ("identity", "boundary", "session_policy", "expected"),
    [
        # identity alone
        ([], None, None, BECAUSE_IDENTITY),
        ([YES], None, None, "allowed"),
        ([LIST], None, None, BECAUSE_IDENTITY),
        ([YES, NO], None, None, DENIED_BY_IDENTITY),
        ([NO, YES], None, None, DENIED_BY_IDENTITY),
        ([NO], None, None, DENIED_BY_IDENTITY),
        # a boundary allows nothing by itself, and takes away
        ([], [YES], None, BECAUSE_IDENTITY),
        ([YES], [YES], None, "allowed"),
        ([YES], [LIST], None, BECAUSE_BOUNDARY),
        ([YES], [YES, NO], None, DENIED_BY_BOUNDARY),
        ([], [NO], None, DENIED_BY_BOUNDARY),
        # so does a session policy, also an empty one
        ([YES], None, [YES], "allowed"),
        ([YES], None, [], BECAUSE_SESSION),
        ([YES], None, [LIST], BECAUSE_SESSION),
        ([], None, [YES], BECAUSE_IDENTITY),
        ([YES], None, [NO, YES], DENIED_BY_SESSION),
        # all three: the intersection; denies first, then identity, boundary, session
        ([YES], [YES], [YES], "allowed"),
        ([YES], [LIST], [LIST], BECAUSE_BOUNDARY),
        ([LIST], [LIST], [LIST], BECAUSE_IDENTITY),
        ([YES], [YES], [LIST], BECAUSE_SESSION),
        ([LIST], [LIST], [NO], DENIED_BY_SESSION),
        ([NO], [NO], [NO], DENIED_BY_IDENTITY),
    ],
)
def test_the_order(identity, boundary, session_policy, expected):
    assert outcome(holding(*identity, boundary=boundary, session=session_policy)) == expected


def test_a_refusal_says_whether_it_is_explicit():
    refused = authorise(user(), holding(YES, NO), GET)
    assert refused == Denied(SUBJECT + DENIED_BY_IDENTITY, is_explicit=True)
    assert not refused
    assert authorise(user(), holding(LIST), GET) == Denied(SUBJECT + BECAUSE_IDENTITY, is_explicit=False)


def test_an_allowance_says_what_allows():
    assert authorise(user(), holding(YES), GET) == Allowed("inline policy deploy of user alice allows it")


def test_policies_add_up_and_any_denies():
    held = Holding((policy(LIST), policy(YES)))
    assert outcome(held) == "allowed"
    assert outcome(Holding((*held.identity, policy(NO)))) == DENIED_BY_IDENTITY


def test_a_session_is_named_by_its_own_arn():
    decision = authorise(session(), Holding(), GET)
    assert decision.reason.startswith("User: arn:aws:sts::123456789012:assumed-role/Deploy/ci is not authorized")


@pytest.mark.parametrize(
    ("statement", "action", "resource", "expected"),
    [
        (allow("AIRFLOW:getenvironment"), "airflow:GetEnvironment", "x", True),
        (allow("airflow:Get*"), "airflow:GetEnvironment", "x", True),
        (allow("airflow:*"), "airflow:GetEnvironment", "x", True),
        (allow("airflow:?etEnvironment"), "airflow:GetEnvironment", "x", True),
        (allow("*:*"), "airflow:GetEnvironment", "x", True),
        (allow("iam:*"), "airflow:GetEnvironment", "x", False),
        (allow("airflow:Get"), "airflow:GetEnvironment", "x", False),
        (allow(["iam:GetUser", "airflow:GetEnvironment"]), "airflow:GetEnvironment", "x", True),
        (allow(resource=ENV + "a"), "airflow:GetEnvironment", ENV + "a", True),
        (allow(resource=ENV + "A"), "airflow:GetEnvironment", ENV + "a", False),
        (allow(resource=ENV + "*"), "airflow:ListEnvironments", "*", False),
        (allow(resource="*"), "airflow:ListEnvironments", "*", True),
        # NotAction and NotResource: everything but
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "airflow:GetEnvironment", "x", True),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "iam:GetUser", "x", False),
        ({"Effect": "Allow", "NotAction": ["iam:*", "airflow:*"], "Resource": "*"}, "airflow:Get", "x", False),
        ({"Effect": "Allow", "Action": "*", "NotResource": ENV + "a"}, "airflow:GetEnvironment", ENV + "a", False),
        ({"Effect": "Allow", "Action": "*", "NotResource": ENV + "a"}, "airflow:GetEnvironment", ENV + "b", True),
        ({"Effect": "Allow", "Action": "*", "NotResource": [ENV + "a", ENV + "b"]}, "a:b", ENV + "b", False),
    ],
)
def test_actions_and_resources(statement, action, resource, expected):
    assert bool(authorise(user(), holding(statement), Request(action, resource))) is expected


def test_not_action_in_a_deny_leaves_the_rest_alone():
    held = holding(allow(), {"Effect": "Deny", "NotAction": "airflow:*", "Resource": "*"})
    assert authorise(user(), held, GET)
    assert not authorise(user(), held, Request("iam:GetUser", "*"))


def test_every_condition_must_hold():
    held = holding(
        allow(
            Condition={
                "IpAddress": {"aws:SourceIp": "10.0.0.0/8"},
                "StringEquals": {"aws:ResourceTag/team": ["blue", "green"], "aws:PrincipalTag/team": "blue"},
            }
        )
    )
    blue = user(tags={"team": "blue"})

    def asked(who, **context):
        return bool(authorise(who, held, Request("a:B", "x", Context.of(context))))

    both = {"aws:SourceIp": "10.1.1.1", "aws:ResourceTag/team": "green"}
    assert asked(blue, **both)
    assert not asked(user(), **both)
    assert not asked(blue, **{**both, "aws:SourceIp": "11.1.1.1"})
    assert not asked(blue, **{"aws:SourceIp": "10.1.1.1"})


@pytest.mark.parametrize(
    ("key", "lent"),
    [
        ("aws:username", "root"),
        ("aws:PrincipalTag/admin", "yes"),
        ("aws:PRINCIPALTAG/admin", "yes"),
        ("aws:PrincipalArn", "arn:aws:iam::123456789012:role/Admin"),
        ("aws:MultiFactorAuthPresent", "true"),
        ("aws:PrincipalIsAWSService", "true"),
        ("aws:SourceIdentity", "boss"),
    ],
)
def test_a_request_cannot_lend_its_caller_an_attribute(key, lent):
    held = holding(allow(Condition={"StringEquals": {key: lent}}))
    assert not authorise(user(), held, Request("a:B", "x", Context.of({key: lent})))


@pytest.mark.parametrize(
    ("who", "key", "value"),
    [
        (user(), "aws:PrincipalArn", "arn:aws:iam::123456789012:user/alice"),
        (user(), "aws:PrincipalType", "User"),
        (user(), "aws:userid", "AIDAEXAMPLEEXAMPLE01"),
        (user(), "aws:username", "alice"),
        (user(), "aws:PrincipalAccount", "123456789012"),
        (user(tags={"Team": "blue"}), "aws:PrincipalTag/team", "blue"),
        (session(), "aws:PrincipalArn", "arn:aws:iam::123456789012:role/Deploy"),
        (session(), "aws:userid", "AROAEXAMPLEEXAMPLE01:ci"),
        (session(), "aws:PrincipalType", "AssumedRole"),
        (session(session_context={"aws:multifactorauthpresent": ("false",)}), "aws:MultiFactorAuthPresent", "false"),
    ],
)
def test_what_is_known_of_a_principal(who, key, value):
    assert authorise(who, holding(allow(Condition={"StringEquals": {key: value}})), GET)


def test_a_session_has_no_user_name():
    assert authorise(session(), holding(allow(Condition={"Null": {"aws:username": "true"}})), GET)


def test_root_is_allowed_all_but_what_its_session_policy_leaves_out():
    root = root_principal("123456789012")
    decision = authorise(root, Holding(), GET)
    assert decision == Allowed("arn:aws:iam::123456789012:root is the account's root")
    assert authorise(root, holding(NO, boundary=[NO]), GET)  # there is nothing that could be attached to root
    assert not authorise(root, holding(session=[LIST]), GET)
    assert authorise(root, holding(session=[LIST, YES]), GET)


def test_root_of_another_partition():
    root = root_principal("123456789012", "aws-cn")
    assert root.arn == "arn:aws-cn:iam::123456789012:root"
    assert (root.identity, root.is_root) == ("root", True)


def test_who_calls_without_policies_is_denied():
    alice = Principal("arn:aws:iam::123456789012:user/alice", "123456789012", "user/alice")
    assert outcome(Holding(), alice) == BECAUSE_IDENTITY


@pytest.mark.parametrize(
    "statement",
    [
        allow(["airflow:" + "*a" * 2_500, "*"], ["arn:aws:s3:::" + "*?" * 2_500]),
        allow("*", ["arn:aws:s3:::" + "*a?" * 1_500 + "b"]),
        allow("*", ["arn:aws:s3:::a*b"] * 500),
        allow(Condition={"StringLike": {"aws:UserAgent": ["*a" * 100 + "b"] * 40}}),
        allow("*", "arn:aws:s3:::" + "${aws:username}*" * 500),
        allow(["iam:*x*y*z"] * 700),
    ],
)
def test_a_hostile_policy_is_decided_soon(statement):
    held = holding(statement)
    request = Request("airflow:" + "a" * 60, "arn:aws:s3:::" + "a" * 1_000, Context.of({"aws:UserAgent": "a" * 500}))
    began = time.process_time()
    assert not authorise(user("x"), held, request)
    assert time.process_time() - began < 3
