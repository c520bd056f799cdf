"""Which questions stand before IAM's and STS's operations."""

from types import SimpleNamespace

import pytest

from tests.unit.api.test_iam_resources import ALICE, ARN, Known
from tradewind.api.callers import Caller
from tradewind.api.identity_questions import of_iam

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
