"""Trust policies: who may assume a role by name, who through his account, and under which conditions."""

import pytest

from tests.unit.iam.making import ACCOUNT, session, trust, user
from tradewind.iam import Context, Request, may_assume, root_principal, service_principal

ROLE = f"arn:aws:iam::{ACCOUNT}:role/Deploy"
AIRFLOW = service_principal("airflow.amazonaws.com", ACCOUNT)


def trusts(principal, effect="Allow", action="sts:AssumeRole", **more):
    return {"Effect": effect, "Principal": principal, "Action": action, **more}


def asked(statements, who, action="sts:AssumeRole", **context):
    decision = may_assume(trust(*statements), who, Request(action, ROLE, Context.of(context)))
    return ("delegated" if decision.is_delegated else "named") if decision else decision.reason.partition("Deploy ")[2]


LACKS = "because no role trust policy allows the sts:AssumeRole action"
DENIED = "with an explicit deny in the role trust policy"


@pytest.mark.parametrize(
    ("principal", "who", "expected"),
    [
        ("*", user(), "named"),
        ({"AWS": "*"}, session(), "named"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/alice"}, user(), "named"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/alice"}, user("bob"), LACKS),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/Alice"}, user(), LACKS),
        ({"AWS": "AIDAEXAMPLEEXAMPLE01"}, user(), "named"),
        ({"AWS": "AROAEXAMPLEEXAMPLE01"}, session(), "named"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/Deploy"}, session(), "named"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/Other"}, session(), LACKS),
        ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/ci"}, session(), "named"),
        ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/ci"}, session(name="other"), LACKS),
        ({"AWS": ACCOUNT}, user(), "delegated"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, user(), "delegated"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, session(), "delegated"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, root_principal(ACCOUNT), "named"),
        ({"AWS": "210987654321"}, user(), LACKS),
        ({"AWS": "arn:aws:iam::210987654321:root"}, user(), LACKS),
        ({"AWS": [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/alice"]}, user(), "named"),
        ({"Service": "airflow.amazonaws.com"}, AIRFLOW, "named"),
        ({"Service": ["airflow-env.amazonaws.com", "airflow.amazonaws.com"]}, AIRFLOW, "named"),
        ({"Service": "airflow-env.amazonaws.com"}, AIRFLOW, LACKS),
        ({"Service": "airflow.amazonaws.com"}, user(), LACKS),
        ({"AWS": ACCOUNT}, AIRFLOW, LACKS),
        ("*", AIRFLOW, LACKS),
        ({"Federated": "cognito-identity.amazonaws.com"}, user(), LACKS),
        (
            {"Federated": "cognito-identity.amazonaws.com"},
            session(session_context={"aws:federatedprovider": ("cognito-identity.amazonaws.com",)}),
            "named",
        ),
    ],
)
def test_who_is_trusted(principal, who, expected):
    assert asked([trusts(principal)], who) == expected


def test_a_deny_wins_also_over_a_name():
    named = trusts({"AWS": f"arn:aws:iam::{ACCOUNT}:user/alice"})
    assert asked([named, trusts({"AWS": ACCOUNT}, effect="Deny")], user()) == DENIED
    assert asked([trusts("*", effect="Deny"), named], user()) == DENIED


def test_a_deny_of_all_but_one():
    statements = [
        trusts({"AWS": ACCOUNT}),
        {"Effect": "Deny", "NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/alice"}, "Action": "sts:AssumeRole"},
    ]
    assert asked(statements, user()) == "delegated"
    assert asked(statements, user("bob")) == DENIED


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"sts:ExternalId": "s3cret"}}, {"sts:ExternalId": "s3cret"}, "delegated"),
        ({"StringEquals": {"sts:ExternalId": "s3cret"}}, {"sts:ExternalId": "other"}, LACKS),
        ({"StringEquals": {"sts:ExternalId": "s3cret"}}, {}, LACKS),
        ({"StringLike": {"sts:RoleSessionName": "${aws:username}"}}, {"sts:RoleSessionName": "alice"}, "delegated"),
        ({"StringLike": {"sts:RoleSessionName": "${aws:username}"}}, {"sts:RoleSessionName": "bob"}, LACKS),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {}, LACKS),
        ({"StringEquals": {"aws:PrincipalTag/team": "blue"}}, {}, "delegated"),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, {"aws:TagKeys": ["a", "b"]}, LACKS),
    ],
)
def test_conditions(condition, context, expected):
    assert asked([trusts({"AWS": ACCOUNT}, Condition=condition)], user(tags={"team": "blue"}), **context) == expected


def test_tagging_a_session_is_a_right_of_its_own():
    statements = [trusts({"AWS": ACCOUNT})]
    assert asked(statements, user(), action="sts:TagSession").startswith("because no role trust policy allows")
    assert asked([trusts({"AWS": ACCOUNT}, action="sts:*")], user(), action="sts:TagSession") == "delegated"
