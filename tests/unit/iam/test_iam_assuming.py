"""Who may assume a role: trust policy and own policies together."""

import pytest

from tests.unit.iam.making import ACCOUNT, allow, deny, holding, session, trust, user
from tradewind.iam import Context, Holding, root_principal, service_principal
from tradewind.iam.assuming import decide_assumption

ROLE = f"arn:aws:iam::{ACCOUNT}:role/Deploy"
BY_NAME = {"AWS": [f"arn:aws:iam::{ACCOUNT}:user/alice", f"arn:aws:iam::{ACCOUNT}:role/Deploy"]}
BY_ACCOUNT = {"AWS": ACCOUNT}
MAY = allow("sts:AssumeRole", ROLE)
MAY_NOT = deny("sts:AssumeRole", ROLE)
OTHER = allow("airflow:*")
NOBODY = {"AWS": "210987654321"}
NO_IDENTITY = "because no identity-based policy allows the sts:AssumeRole action"
NO_TRUST = "because no role trust policy allows the sts:AssumeRole action"
NO_BOUNDARY = "because no permissions boundary allows the sts:AssumeRole action"
NO_SESSION = "because no session policy allows the sts:AssumeRole action"
DENIED = "with an explicit deny in an identity-based policy"


def asked(trusted, held, who=None, action="sts:AssumeRole", **more):
    document = trust({"Effect": "Allow", "Principal": trusted, "Action": action})
    decision = decide_assumption(who or user(), held, document, ROLE, Context(), **more)
    return "allowed" if decision else decision.reason.rpartition("role/Deploy ")[2]


@pytest.mark.parametrize(
    ("trusted", "held", "who", "expected"),
    [
        (BY_ACCOUNT, holding(MAY), user(), "allowed"),
        (BY_ACCOUNT, Holding(), user(), NO_IDENTITY),
        (BY_ACCOUNT, holding(OTHER), user(), NO_IDENTITY),
        (BY_ACCOUNT, holding(MAY, MAY_NOT), user(), DENIED),
        (BY_ACCOUNT, holding(MAY, boundary=[OTHER]), user(), NO_BOUNDARY),
        (BY_ACCOUNT, holding(MAY, session=[OTHER]), session(), NO_SESSION),
        (BY_NAME, Holding(), user(), "allowed"),
        (BY_NAME, holding(OTHER), user(), "allowed"),
        (BY_NAME, holding(MAY_NOT), user(), DENIED),
        (BY_NAME, holding(boundary=[OTHER]), user(), "allowed"),
        (BY_NAME, holding(boundary=[MAY_NOT]), user(), "with an explicit deny in a permissions boundary"),
        (BY_NAME, Holding(), session(), "allowed"),
        (BY_NAME, holding(boundary=[OTHER]), session(), NO_BOUNDARY),
        (BY_NAME, holding(session=[OTHER]), session(), NO_SESSION),
        (BY_NAME, holding(session=[MAY]), session(), "allowed"),
        (BY_NAME, holding(allow()), user("bob"), NO_TRUST),
        (NOBODY, holding(allow()), user(), NO_TRUST),
        (
            {"Service": "airflow.amazonaws.com"},
            Holding(),
            service_principal("airflow.amazonaws.com", ACCOUNT),
            "allowed",
        ),
    ],
)
def test_trust_and_own_policies(trusted, held, who, expected):
    assert asked(trusted, held, who) == expected


def test_root_assumes_no_role():
    assert asked("*", Holding(), root_principal(ACCOUNT)) == "Roles may not be assumed by root accounts."


@pytest.mark.parametrize(("flag", "action"), [("has_tags", "TagSession"), ("has_source_identity", "SetSourceIdentity")])
def test_tags_and_a_source_identity_need_rights_of_their_own(flag, action):
    lacks_trust = f"because no role trust policy allows the sts:{action} action"
    lacks_right = f"because no identity-based policy allows the sts:{action} action"
    assert asked(BY_ACCOUNT, holding(allow("sts:*")), **{flag: True}) == lacks_trust
    assert asked(BY_ACCOUNT, holding(MAY), action="sts:*", **{flag: True}) == lacks_right
    assert asked(BY_ACCOUNT, holding(allow("sts:*")), action="sts:*", **{flag: True}) == "allowed"
