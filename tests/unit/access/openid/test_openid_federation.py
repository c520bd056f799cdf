"""From claims to a session of an IAM role."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.access.openid.doubles import CLIENT, ISSUER, NOW, PROVIDER
from tests.unit.api.doubles import ACCOUNT, PLACE
from tests.unit.gateway.doubles import allow, policy
from tradewind.access.openid import FederatedRole, Federation, OpenIdRefused
from tradewind.access.openid.federation import session_name
from tradewind.iam import Context, DocumentKind, Holding, parse_document

HERE = Context.of({"aws:SourceIp": "192.0.2.1"})
PATH = "id.example/realms/staff"
ARN = f"arn:aws:iam::{ACCOUNT.account_id}:oidc-provider/{PATH}"
CLAIMS = {"iss": ISSUER, "aud": CLIENT, "sub": "248289761001", "preferred_username": "alice", "groups": ["staff"]}
AUDIENCE = {"StringEquals": {f"{PATH}:aud": CLIENT}}


def trusts(principal=None, condition=AUDIENCE, effect="Allow", action="sts:AssumeRoleWithWebIdentity"):
    return {
        "Effect": effect,
        "Principal": {"Federated": ARN} if principal is None else principal,
        "Action": action,
        **({"Condition": condition} if condition else {}),
    }


def role(name, *granted, trust=None, path="/", **more):
    document = {"Version": "2012-10-17", "Statement": trust or [trusts()]}
    return FederatedRole(
        arn=f"arn:aws:iam::{ACCOUNT.account_id}:role{path}{name}",
        name=name,
        id=f"AROA{name.upper()}",
        trust=parse_document(json.dumps(document), DocumentKind.TRUST),
        holding=Holding((policy(allow(*granted, **more)),) if granted else ()),
    )


def person(*roles, provider=PROVIDER, context=HERE, **claims):
    known = {each.name: each for each in roles}
    said = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return Federation(provider, PLACE, known.get, lambda: NOW).person(said, "sample", context)


def test_a_session_of_the_mapped_role():
    found = person(role("AirflowViewer", "Viewer"))
    assert found.roles == ("Viewer",)
    principal = found.principal
    assert principal.arn == f"arn:aws:sts::{ACCOUNT.account_id}:assumed-role/AirflowViewer/alice"
    assert principal.identity == "assumed-role/AirflowViewer/alice"
    assert principal.user_id == "AROAAIRFLOWVIEWER:alice"
    assert principal.role_arn == f"arn:aws:iam::{ACCOUNT.account_id}:role/AirflowViewer"
    assert principal.keys.get("aws:federatedprovider") == (ARN,)
    assert principal.keys.get("aws:tokenissuetime") == ("2026-11-23T09:00:00Z",)


def test_the_first_role_of_the_table_that_lets_somebody_in():
    admin, viewer = role("AirflowAdmin", "Admin"), role("AirflowViewer", "Viewer")
    both = ["staff", "admins"]
    assert person(admin, viewer, groups=both).roles == ("Admin",)
    other_order = replace(PROVIDER, roles={"staff": "AirflowViewer", "admins": "AirflowAdmin"})
    assert person(admin, viewer, groups=both, provider=other_order).roles == ("Viewer",)
    assert person(role("AirflowAdmin"), viewer, groups=both).roles == ("Viewer",)
    assert person(role("AirflowAdmin", "Admin", environment="other"), viewer, groups=both).roles == ("Viewer",)
    assert person(viewer, groups=both).roles == ("Viewer",)  # the other one does not exist


@pytest.mark.parametrize(
    "groups", [[], None, "nobody", ["nobody"], ["STAFF"], [7, {"a": 1}, None], {"staff": True}, 7, True]
)
def test_nobody_whom_the_table_does_not_know(groups):
    with pytest.raises(OpenIdRefused, match=r"No IAM role is mapped .* \(claim groups\)"):
        person(role("AirflowViewer", "Viewer"), groups=groups)


def test_one_value_that_is_no_list_and_another_claim():
    assert person(role("AirflowViewer", "Viewer"), groups="staff")
    assert person(role("AirflowViewer", "Viewer"), provider=replace(PROVIDER, claim="team"), team="staff")


UNTRUSTED = {
    "another provider": [trusts({"Federated": ARN.replace("staff", "guests")})],
    "another account": [trusts({"Federated": ARN.replace(ACCOUNT.account_id, "999999999999")})],
    "another action": [trusts(action="sts:AssumeRole")],
    "another client": [trusts(condition={"StringEquals": {f"{PATH}:aud": "other"}})],
    "another person": [trusts(condition={"StringEquals": {f"{PATH}:sub": "1"}})],
    "another provider's key": [trusts(condition={"StringEquals": {"id.example:aud": CLIENT}})],
    "another name": [trusts(condition={"StringLike": {"sts:RoleSessionName": "bob*"}})],
    "another address": [trusts(condition={"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}})],
    "the account": [trusts({"AWS": f"arn:aws:iam::{ACCOUNT.account_id}:root"}, None)],
    "a service": [trusts({"Service": "airflow.amazonaws.com"}, None)],
    "denied": [trusts(), trusts(effect="Deny", condition={"StringEquals": {f"{PATH}:sub": CLAIMS["sub"]}})],
}


@pytest.mark.parametrize("trust", UNTRUSTED)
def test_a_role_that_does_not_trust(trust):
    with pytest.raises(
        OpenIdRefused, match=rf"The IAM role AirflowViewer does not trust {PATH}: .*AssumeRoleWithWebIdentity"
    ):
        person(role("AirflowViewer", "Viewer", trust=UNTRUSTED[trust]))


TRUSTED = {
    "person": {"StringEquals": {f"{PATH}:sub": CLAIMS["sub"], f"{PATH}:aud": CLIENT}},
    "name": {"StringLike": {"sts:RoleSessionName": "ali*"}},
    "address": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    "provider": {"StringEquals": {"aws:FederatedProvider": ARN}},
    "nothing": None,
}


@pytest.mark.parametrize("condition", TRUSTED)
def test_conditions_of_a_trust_policy(condition):
    assert person(role("AirflowViewer", "Viewer", trust=[trusts(condition=TRUSTED[condition])]))


def test_a_role_without_the_permission_says_which():
    with pytest.raises(OpenIdRefused) as refused:
        person(role("AirflowViewer"))
    assert refused.value.sentence == (
        f"User: arn:aws:sts::{ACCOUNT.account_id}:assumed-role/AirflowViewer/alice is not authorized to perform: "
        f"airflow:CreateWebLoginToken on resource: arn:aws:airflow:us-east-1:{ACCOUNT.account_id}:role/sample/*."
    )


def test_every_role_that_was_tried_is_named():
    with pytest.raises(OpenIdRefused) as refused:
        person(role("AirflowViewer"), groups=["admins", "staff"])
    assert "The IAM role AirflowAdmin does not exist." in refused.value.sentence
    assert "assumed-role/AirflowViewer/alice is not authorized" in refused.value.sentence


def test_conditions_of_the_roles_policies_see_the_session():
    only = {"StringLike": {"aws:userid": "*:alice"}, "StringEquals": {"aws:FederatedProvider": ARN}}
    granted = role("AirflowViewer", "Viewer", Condition=only)
    assert person(granted).roles == ("Viewer",)
    with pytest.raises(OpenIdRefused):
        person(granted, preferred_username="bob")


# -- the name of the session -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "alice", "email": "a@example.com"}, "alice"),
        ({"email": "a.b+c@example.com"}, "a.b+c@example.com"),
        ({"email": "a@example.com", "email_verified": True}, "a@example.com"),
        ({"email": "root@example.com", "email_verified": False}, "248289761001"),
        ({"preferred_username": "  ", "email": 7}, "248289761001"),
        ({}, "248289761001"),
    ],
)
def test_where_the_name_comes_from(claims, name):
    assert session_name({"iss": ISSUER, "sub": "248289761001"} | claims) == name


@pytest.mark.parametrize("raw", ["a/b", "a b", "a", "\u00fcber", "x" * 65, "a/../root", "a\nb", "~"])
def test_a_name_that_iam_does_not_know_is_told_apart(raw):
    one = session_name({"iss": ISSUER, "sub": "1", "preferred_username": raw})
    two = session_name({"iss": ISSUER, "sub": "2", "preferred_username": raw})
    assert one != two
    assert one[:-17] == two[:-17]


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_name_is_always_one_that_iam_takes(username, sub):
    name = session_name({"iss": ISSUER, "sub": sub, "preferred_username": username})
    assert 2 <= len(name) <= 64
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-")
