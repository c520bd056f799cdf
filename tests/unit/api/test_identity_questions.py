"""Which questions stand before IAM's and STS's operations."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from tests.unit.api.test_iam_resources import ALICE, ARN, Known
from tradewind.api.authorisation import decide
from tradewind.api.callers import Caller
from tradewind.api.identity_questions import of_iam
from tradewind.iam import Principal
from tradewind.iam.entities import Entity, EntityKind

TAGS = [{"Key": "team", "Value": "admin"}]


def asked(operation, **parameters):
    found = of_iam(operation, parameters, SimpleNamespace(identities=Known()), Caller(ALICE))
    return [(question.action, question.resource, question.keys) for question in found.each]


@pytest.mark.parametrize(
    ("operation", "tagging", "member", "resource"),
    [
        ("CreateUser", "iam:TagUser", "UserName", "user/a/x"),
        ("CreateRole", "iam:TagRole", "RoleName", "role/a/x"),
        ("CreatePolicy", "iam:TagPolicy", "PolicyName", "policy/a/x"),
    ],
)
def test_what_is_made_with_tags_needs_the_right_to_tag_it(operation, tagging, member, resource):
    keys = {"aws:RequestTag/team": ["admin"], "aws:TagKeys": ["team"]}
    made = {member: "x", "Path": "/a/"}
    assert asked(operation, **made, Tags=TAGS) == [
        (f"iam:{operation}", ARN + resource, keys),
        (tagging, ARN + resource, keys),
    ]
    assert asked(operation, **made) == asked(operation, **made, Tags=[]) == [(f"iam:{operation}", ARN + resource, {})]


MALLORY = Caller(Principal(f"{ARN}user/mallory", "123456789012", "user/mallory", user_name="mallory"))
KNOWN = Known(known=[Entity(EntityKind.USER, "AIDAX", "Alice", "/team/", f"{ARN}user/team/Alice", datetime.now(UTC))])


@pytest.mark.parametrize(
    ("operation", "parameters", "shown"),
    [
        ("GetUser", {"UserName": "alice"}, f"{ARN}user/alice"),
        ("GetUser", {"UserName": "nobody"}, f"{ARN}user/nobody"),
        ("UpdateUser", {"UserName": "alice", "NewUserName": "bob"}, f"{ARN}user/alice"),
        ("GetAccessKeyLastUsed", {"AccessKeyId": "AKIAALICE"}, "*"),
        ("GetAccessKeyLastUsed", {"AccessKeyId": "AKIANOBODY"}, "*"),
    ],
)
def test_who_is_refused_learns_nothing_but_what_he_sent(operation, parameters, shown):
    services = SimpleNamespace(identities=KNOWN)
    decision = decide(MALLORY, of_iam(operation, parameters, services, MALLORY))
    assert not decision
    assert f" to perform: iam:{operation} on resource: {shown} because no identity-based policy" in decision.reason
    assert "/team/" not in decision.reason


def test_a_refused_rename_names_the_new_name_without_the_path():
    services = SimpleNamespace(identities=KNOWN)
    parameters = {"UserName": "alice", "NewUserName": "bob"}
    old, new = of_iam("UpdateUser", parameters, services, MALLORY).each
    assert (old.resource, old.shown) == (f"{ARN}user/team/Alice", f"{ARN}user/alice")
    assert (new.resource, new.shown) == (f"{ARN}user/team/bob", f"{ARN}user/bob")


def test_simulating_on_behalf_of_somebody_is_asked_about_him_too():
    """Else a right to simulate oneself would read anybody's tags, by policies that ask for aws:PrincipalTag."""
    mine, his = f"{ARN}user/mallory", f"{ARN}user/team/Alice"
    found = asked("SimulatePrincipalPolicy", PolicySourceArn=mine, CallerArn=his)
    assert [resource for _, resource, _ in found] == [mine, his]
    assert [resource for _, resource, _ in asked("SimulateCustomPolicy", CallerArn=his)] == ["*", his]
    assert [resource for _, resource, _ in asked("SimulatePrincipalPolicy", PolicySourceArn=mine)] == [mine]


def test_ones_own_arn_is_shown_as_it_is():
    caller, services = Caller(ALICE), SimpleNamespace(identities=KNOWN)
    assert f"on resource: {ALICE.arn} " in decide(caller, of_iam("ListAccessKeys", {}, services, caller)).reason
