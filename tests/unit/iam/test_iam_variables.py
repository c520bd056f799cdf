"""Policy variables: what they stand for, that they never widen, and what an unknown one does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.iam.making import allow, deny, holding, policy, user
from tradewind.iam import Context, Holding, Principal, Request, authorise
from tradewind.iam.errors import MalformedDocument
from tradewind.iam.variables import template

ENV = "arn:aws:airflow:us-east-1:123456789012:environment/"


def is_allowed(statement, resource, who=None, version="2012-10-17", **context):
    who = who or user(tags={"team": "blue", "star": "*", "colon": "a:b", "empty": ""})
    held = Holding((policy(statement, version=version),))
    return bool(authorise(who, held, Request("airflow:GetEnvironment", resource, Context.of(context))))


@pytest.mark.parametrize(
    ("pattern", "resource", "outcome"),
    [
        (ENV + "${aws:username}", ENV + "alice", True),
        (ENV + "${aws:username}", ENV + "bob", False),
        (ENV + "${AWS:UserName}-*", ENV + "alice-x", True),
        (ENV + "${ aws:username }", ENV + "alice", True),
        (ENV + "${aws:PrincipalTag/team}-${aws:username}", ENV + "blue-alice", True),
        (ENV + "${aws:PrincipalTag/star}", ENV + "x", False),
        (ENV + "${aws:PrincipalTag/star}", ENV + "*", True),
        (ENV + "${aws:PrincipalTag/none}", ENV, False),
        (ENV + "${aws:PrincipalTag/none}*", ENV + "x", False),
        (ENV + "${aws:PrincipalTag/none, 'x'}", ENV + "x", True),
        (ENV + "${aws:PrincipalTag/none,'x'}", ENV + "x", True),
        (ENV + "${aws:PrincipalTag/none, '*'}", ENV + "x", False),
        (ENV + "${aws:PrincipalTag/team, 'x'}", ENV + "x", False),
        (ENV + "${aws:PrincipalTag/empty}", ENV, True),
        (ENV + "${*}", ENV + "x", False),
        (ENV + "${*}", ENV + "*", True),
        (ENV + "${?}", ENV + "x", False),
        (ENV + "${$}{a}", ENV + "${a}", True),
        ("arn:aws:${aws:PrincipalTag/colon}:*", "arn:aws:a:b:c:d", False),
        ("arn:aws:x:y:z:${aws:PrincipalTag/colon}", "arn:aws:x:y:z:a:b", True),
        ("arn:aws:x:${aws:PrincipalTag/colon}:*", "arn:aws:x:a:b:c:d", False),  # a value never makes a component
    ],
)
def test_in_a_resource(pattern, resource, outcome):
    assert is_allowed(allow(resource=pattern), resource) is outcome


def test_only_in_the_newer_version():
    assert not is_allowed(allow(resource=ENV + "${aws:username}"), ENV + "alice", version="2008-10-17")
    assert is_allowed(allow(resource=ENV + "${aws:username}"), ENV + "${aws:username}", version="2008-10-17")


def test_a_key_with_many_values_is_no_variable():
    statement = allow(resource=ENV + "${aws:TagKeys, 'a'}")
    assert is_allowed(statement, ENV + "a")
    assert is_allowed(statement, ENV + "b", **{"aws:TagKeys": ["b"]})
    assert not is_allowed(statement, ENV + "a", **{"aws:TagKeys": ["a", "b"]})


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        ({"StringEquals": {"airflow:k": "${aws:username}"}}, True),
        ({"StringEquals": {"airflow:k": "${aws:PrincipalTag/none}"}}, False),
        ({"StringEqualsIgnoreCase": {"airflow:k": "${aws:PrincipalTag/up}"}}, True),
        ({"StringLike": {"airflow:k": "${aws:PrincipalTag/star}"}}, False),
        ({"StringLike": {"airflow:k": "${aws:username}*"}}, True),
        ({"StringNotEquals": {"airflow:k": "${aws:PrincipalTag/team}"}}, True),
        ({"StringNotEquals": {"airflow:k": "${aws:username}"}}, False),
        ({"StringNotEquals": {"airflow:k": "${aws:PrincipalTag/none}"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/${aws:username}"}}, True),
        ({"NumericEquals": {"airflow:n": "1"}}, True),
    ],
)
def test_in_a_condition(condition, outcome):
    who = user(tags={"team": "blue", "star": "*", "up": "ALICE"})
    assert is_allowed(allow(Condition=condition), "x", who, **{"airflow:k": "alice", "airflow:n": 1}) is outcome


def test_an_unknown_variable_never_widens():
    nobody = Principal("arn:aws:sts::123456789012:assumed-role/R/s", "123456789012", "assumed-role/R/s")
    mine = ENV + "${aws:username}"
    everything = Request("a:B", ENV + "x")

    def asked(*statements):
        return bool(authorise(nobody, holding(*statements), everything))

    assert not asked({"Effect": "Allow", "Action": "*", "NotResource": mine})
    assert not asked(allow(), {"Effect": "Deny", "Action": "*", "NotResource": mine})
    assert not asked(allow(Condition={"StringNotEquals": {"aws:PrincipalArn": "${aws:username}"}}))
    assert not asked(allow(), deny(Condition={"StringNotEquals": {"aws:PrincipalArn": "${aws:username}"}}))
    assert asked(allow(), deny(resource=mine))  # as AWS: the element does not match


@given(st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_a_value_matches_itself_only(value, other):
    statement = allow(resource=ENV + "${aws:PrincipalTag/team}")
    who = user(tags={"team": value})
    assert is_allowed(statement, ENV + value, who)
    assert is_allowed(statement, ENV + other, who) is (value == other)


@pytest.mark.parametrize(
    "text", ["${", "a${b", "${}", "${a,}", "${a, b}", "${a, 'b'", "${a,'b'c}", "${${a}}", "${a'b}"]
)
def test_what_is_no_variable_is_refused(text):
    with pytest.raises(MalformedDocument, match="legacy parsing"):
        template(text, is_arn=False, has_variables=True)
