"""Condition operators: the tables of the IAM User Guide, missing keys, sets of values, unknown outcomes."""

import pytest

from tradewind.iam.conditions import condition
from tradewind.iam.contexts import Context
from tradewind.iam.errors import MalformedDocument

KEY = "airflow:k"


def holds(operator, wanted, values, unknown=False):
    wanted = wanted if isinstance(wanted, list) else [wanted]
    context = Context.of({} if values is None else {"Airflow:K": values})
    return condition(operator, KEY, wanted, has_variables=True).holds(context, unknown=unknown)


OPERATORS = [
    # operator, policy's value, request's value, holds
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", "a*", "a*", True),
    ("StringEquals", ["a", "b"], "b", True),
    ("StringEquals", "", "", True),
    ("StringNotEquals", "a", "b", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", ["a", "b"], "c", True),
    ("StringEqualsIgnoreCase", "Abc", "aBC", True),
    ("StringNotEqualsIgnoreCase", "Abc", "aBC", False),
    ("StringLike", "a*c?", "abcd", True),
    ("StringLike", "a*", "b", False),
    ("StringLike", "A*", "ab", False),
    ("StringNotLike", "a*", "b", True),
    ("StringNotLike", ["a*", "b*"], "bc", False),
    ("NumericEquals", "10", "10.0", True),
    ("NumericEquals", "10", "ten", False),
    ("NumericNotEquals", "10", "11", True),
    ("NumericNotEquals", "10", "ten", False),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericGreaterThan", "-1", "0", True),
    ("NumericGreaterThanEquals", "0.5", "0.50", True),
    ("NumericGreaterThanEquals", "9", "10", True),  # numbers, not texts
    ("DateEquals", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00", True),
    ("DateEquals", "2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00", True),
    ("DateLessThan", "2026-01-02", "2026-01-01T23:59:59Z", True),
    ("DateLessThan", "2026", "2025-12", True),
    ("DateGreaterThan", "1700000000", "2026-01-01T00:00:00Z", True),
    ("DateGreaterThan", "2026-01-01T00:00:00Z", "1700000000", False),
    ("DateNotEquals", "2026-01-01", "2026-01-02", True),
    ("DateLessThanEquals", "2026-01-01", "2026-01-01T00:00:00Z", True),
    ("DateGreaterThanEquals", "2026-01-01", "2026-02-30", False),
    ("DateLessThan", "2026-01-01", "soon", False),
    ("Bool", "true", "true", True),
    ("Bool", "TRUE", "true", True),
    ("Bool", "false", "true", False),
    ("Bool", "false", "no", False),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ4", False),
    ("BinaryEquals", "QmluYXJ5", "%%", False),
    ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
    ("IpAddress", "203.0.113.5/24", "203.0.113.7", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
    ("IpAddress", "203.0.113.7", "203.0.113.7", True),
    ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", True),
    ("IpAddress", "2001:db8::/32", "203.0.113.7", False),
    ("IpAddress", "203.0.113.0/24", "::ffff:203.0.113.7", True),
    ("IpAddress", "0.0.0.0/0", "::1", False),
    ("IpAddress", "0.0.0.0/0", "localhost", False),
    ("NotIpAddress", "203.0.113.0/24", "203.0.114.7", True),
    ("NotIpAddress", ["203.0.113.0/24", "10.0.0.0/8"], "10.1.1.1", False),
    ("NotIpAddress", "203.0.113.0/24", "::ffff:203.0.113.7", False),
    ("NotIpAddress", "203.0.113.0/24", "garbage", False),
    ("ArnEquals", "arn:aws:sns:*:123:topic", "arn:aws:sns:r:123:topic", True),
    ("ArnEquals", "arn:aws:sns:*:topic", "arn:aws:sns:r:123:topic", False),
    ("ArnLike", "arn:aws:iam::123:role/?dmin", "arn:aws:iam::123:role/Admin", True),
    ("ArnLike", "arn:aws:iam::123:role/a", "not an arn", False),
    ("ArnNotEquals", "arn:aws:iam::123:role/a", "arn:aws:iam::123:role/b", True),
    ("ArnNotLike", "arn:aws:iam::123:role/*", "arn:aws:iam::123:role/b", False),
    ("Null", "true", None, True),
    ("Null", "true", "x", False),
    ("Null", "false", "x", True),
    ("Null", "false", None, False),
    ("Null", "true", [], True),
]


@pytest.mark.parametrize(("operator", "wanted", "value", "outcome"), OPERATORS)
def test_an_operator(operator, wanted, value, outcome):
    assert holds(operator, wanted, value) is outcome


@pytest.mark.parametrize(("operator", "wanted", "value", "outcome"), [row for row in OPERATORS if row[0] != "Null"])
def test_if_exists_changes_nothing_where_the_key_is(operator, wanted, value, outcome):
    assert holds(operator + "IfExists", wanted, value) is outcome


ALL = {operator: wanted for operator, wanted, *_ in OPERATORS if operator != "Null"}
NEGATED = {operator for operator in ALL if "Not" in operator}


@pytest.mark.parametrize("operator", ALL)
@pytest.mark.parametrize("missing", [None, []])
def test_a_missing_key(operator, missing):
    """Positive operators fail, negated ones pass, IfExists passes; ForAllValues passes and ForAnyValue fails."""
    wanted = ALL[operator]
    assert holds(operator, wanted, missing) is (operator in NEGATED)
    assert holds(operator + "IfExists", wanted, missing)
    assert holds("ForAllValues:" + operator, wanted, missing)
    assert not holds("ForAnyValue:" + operator, wanted, missing)
    assert holds(f"ForAnyValue:{operator}IfExists", wanted, missing)


@pytest.mark.parametrize(
    ("operator", "wanted", "values", "outcome"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b", "a"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "d"], False),
        ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], False),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["c", "a"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], False),
        ("ForAllValues:StringLike", ["team-*"], ["team-a", "team-b"], True),
        ("ForAnyValue:NumericLessThan", ["5"], ["9", "x", "4"], True),
        ("ForAllValues:NumericLessThan", ["5"], ["4", "x"], False),
        ("StringEquals", ["a"], ["a", "b"], True),
        ("StringNotEquals", ["a"], ["a", "b"], False),
        ("ForAllValues:StringEquals", [], ["a"], False),
        ("StringEquals", [], "a", False),
    ],
)
def test_many_values(operator, wanted, values, outcome):
    assert holds(operator, wanted, values) is outcome


@pytest.mark.parametrize(
    ("operator", "wanted", "value"),
    [("NumericNotEquals", "1", "x"), ("DateNotEquals", "2026", "x"), ("NotIpAddress", "10.0.0.0/8", "x")],
)
def test_an_unknown_outcome_of_a_negated_operator_is_what_the_effect_needs(operator, wanted, value):
    assert not holds(operator, wanted, value, unknown=False)
    assert holds(operator, wanted, value, unknown=True)


@pytest.mark.parametrize("operator", ["NumericEquals", "IpAddress", "Bool", "DateEquals"])
def test_an_unknown_outcome_of_a_positive_operator_never_holds(operator):
    assert not holds(operator, ALL[operator], "x", unknown=True)


@pytest.mark.parametrize(
    "operator",
    ["", "Equals", "stringequals", "StringEqual", "NullIfExists", "ForAnyValue:Null", "IfExists", "ForSome:Bool"],
)
def test_an_operator_that_is_not_awss_is_named(operator):
    with pytest.raises(MalformedDocument) as refused:
        holds(operator, "true", "true")
    assert str(refused.value) == f"Invalid Condition type : {operator}."


@pytest.mark.parametrize(
    ("operator", "wanted"),
    [
        ("NumericEquals", "ten"),
        ("NumericEquals", "9" * 41),
        ("NumericEquals", "1e9999"),
        ("DateEquals", "2026-13-01"),
        ("DateEquals", "yesterday"),
        ("Bool", "yes"),
        ("Null", "maybe"),
        ("BinaryEquals", "%"),
        ("IpAddress", "10.0.0.0/33"),
        ("IpAddress", "fe80::1%eth0"),
        ("NumericEquals", "\uff11"),
    ],
)
def test_a_value_of_another_kind_is_refused(operator, wanted):
    with pytest.raises(MalformedDocument, match=r"^Syntax errors in policy\.$"):
        holds(operator, wanted, "x")
