"""Trust policies keep whom they name by unique id, and show the ARN that the id has by then."""

import json

import pytest

from tradewind.iam import DocumentKind, parse_document
from tradewind.iam.entities import Home
from tradewind.iam.refusals import Refused
from tradewind.iam.trustees import ids_in, named_by_arn, named_by_id

HOME = Home("123456789012")
ALICE, ID = "arn:aws:iam::123456789012:user/alice", "AIDA" + "A" * 17
IDS = {ALICE: ID, ID: ID}


def trust(principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def principal(text):
    return json.loads(text)["Statement"][0]["Principal"]


def test_there_and_back():
    kept = named_by_id(trust({"AWS": [ALICE, "*"], "Service": "x.amazonaws.com"}), HOME, IDS.get)
    assert principal(kept) == {"AWS": [ID, "*"], "Service": "x.amazonaws.com"}
    assert ids_in(kept) == {ID}
    parse_document(kept, DocumentKind.TRUST)
    assert principal(named_by_arn(kept, {ID: "arn:new"}.get))["AWS"] == ["arn:new", "*"]
    assert named_by_arn(kept, {}.get) == kept


@pytest.mark.parametrize(
    "named",
    [
        "*",
        {"Service": "airflow.amazonaws.com"},
        {"AWS": "123456789012"},
        {"AWS": "arn:aws:iam::123456789012:root"},
        {"AWS": "arn:aws:iam::999999999999:user/alice"},
        {"AWS": "arn:aws:sts::123456789012:assumed-role/r/s"},
    ],
)
def test_what_is_not_a_user_or_role_of_the_account_stays(named):
    assert named_by_id(trust(named), HOME, {}.get) == trust(named)


@pytest.mark.parametrize("named", [ALICE + "x", "arn:aws:iam::123456789012:user/*", "AROA" + "B" * 17])
def test_who_is_not_there_is_refused(named):
    with pytest.raises(Refused) as refused:
        named_by_id(trust({"AWS": named}), HOME, IDS.get)
    assert refused.value.sentence == f'Invalid principal in policy: "AWS":"{named}"'
    assert refused.value.code == "MalformedPolicyDocumentException"


def test_numbers_of_conditions_come_out_as_they_went_in():
    """JSON's numbers know no bounds: read and written as Python's, this one would be `Infinity`, which is no JSON."""
    numbers = "[1e400, 0.10000000000000000001, 0.5, 12345678901234567890]"
    condition = f'"Condition": {{"NumericLessThan": {{"sts:DurationSeconds": {numbers}}}}}'
    written = trust({"AWS": ALICE}).replace('"Action"', f'{condition}, "Action"')
    kept = named_by_id(written, HOME, IDS.get)
    assert parse_document(kept, DocumentKind.TRUST).statements[0].conditions == (
        parse_document(written, DocumentKind.TRUST).statements[0].conditions
    )
