"""A record is CloudTrail's event, bounded, and its text is always the same."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.samples import ACCOUNT, record
from tradewind.audit import Identity, IdentityType, caller, document, named, text_of, unknown
from tradewind.audit.records import GREATEST_RECORD


def test_a_call_is_cloudtrails_event():
    given_ = record(
        name="CreateEnvironment", parameters={"Name": "e", "MaxWorkers": 2}, response={"Arn": "arn:x"}, details={"a": 1}
    )
    assert document(given_) == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT,
            "accessKeyId": "AKIAEXAMPLEEXAMPLE12",
        },
        "eventTime": "2026-01-31T12:00:05Z",
        "eventSource": "airflow.amazonaws.com",
        "eventName": "CreateEnvironment",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "Boto3/1",
        "requestParameters": {"Name": "e", "MaxWorkers": 2},
        "responseElements": {"Arn": "arn:x"},
        "requestID": "r-1",
        "eventID": "e-1",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        "additionalEventData": {"a": 1},
        "tlsDetails": {"clientProvidedHostHeader": "localhost"},
    }  # fmt: skip


def test_an_error_is_told_and_a_read_has_no_response():
    found = document(record(is_read_only=True, response={"a": 1}, error_code="X", error_message="no"))
    assert (found["errorCode"], found["errorMessage"], found["responseElements"]) == ("X", "no", None)
    assert "errorCode" not in document(record())


def test_moments_are_utc():
    moment = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert document(record(moment=moment))["eventTime"] == "2025-12-31T23:00:00Z"


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (
            f"arn:aws:iam::{ACCOUNT}:user/team/alice",
            {"type": "IAMUser", "principalId": "AID", "accessKeyId": "K", "userName": "alice"},
        ),
        (
            f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/Admin/bob",
            {
                "type": "AssumedRole", "principalId": "AID", "accessKeyId": "K",
                "sessionContext": {"sessionIssuer": {
                    "type": "Role", "principalId": "AID", "arn": f"arn:aws-cn:iam::{ACCOUNT}:role/Admin",
                    "accountId": ACCOUNT, "userName": "Admin",
                }},
            },
        ),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/x", {"type": "Unknown", "principalId": "AID", "accessKeyId": "K"}),
    ],
)  # fmt: skip
def test_callers(arn, expected):
    found = caller(arn, access_key_id="K", user_id="AID").document()
    assert found == expected | {"arn": arn, "accountId": ACCOUNT}


@pytest.mark.parametrize("arn", ["", "arn", "arn:aws:iam::1", "::::::"])
def test_what_is_no_arn_is_nobody(arn):
    assert caller(arn).type is IdentityType.UNKNOWN


def test_a_roles_session_names_the_roles_id_and_arn():
    arn, role = f"arn:aws:sts::{ACCOUNT}:assumed-role/R/s", f"arn:aws:iam::{ACCOUNT}:role/path/R"
    found = caller(arn, user_id="AROA1:s", role_arn=role).document()["sessionContext"]["sessionIssuer"]
    assert (found["principalId"], found["arn"], found["userName"]) == ("AROA1", role, "R")


def test_names_of_mwaas_tokens():
    assert named("root", ACCOUNT) == caller(f"arn:aws:iam::{ACCOUNT}:root")
    assert named("user/alice", ACCOUNT).user_name == "alice"
    assert named("assumed-role/Admin/s", ACCOUNT).arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/s"


def test_nobody_and_the_service_itself():
    assert unknown("AKIACLAIMED").document() == {"type": "Unknown", "accessKeyId": "AKIACLAIMED"}
    assert Identity(IdentityType.SERVICE).document() == {"type": "AWSService", "invokedBy": "tradewind"}


# -- sizes -----------------------------------------------------------------------------------------------------------


def test_long_texts_are_cut_with_a_mark():
    found = document(record(agent="a" * 5000, error_message="m" * 5000, parameters={"a": "x" * 9000}))
    assert found["userAgent"] == "a" * 1000 + "... (4000 more characters)"
    assert found["errorMessage"].startswith("m" * 1000 + "... (")
    assert found["requestParameters"]["a"] == "x" * 4000 + "... (5000 more characters)"


def test_what_is_too_large_is_left_out_and_the_rest_stays():
    many = {f"k{number}": "x" * 4000 for number in range(200)}
    found = json.loads(text_of(record(parameters=many, response={"Arn": "a"}, name="X", is_read_only=False)))
    assert found["requestParameters"]["omitted"] is True
    assert found["requestParameters"]["originalSize"] > 800_000
    assert found["eventName"] == "X"


def test_many_and_deep_values_are_bounded():
    deep = []
    for _ in range(100):
        deep = [deep]
    text = text_of(record(parameters={"list": list(range(5000)), "deep": deep, "map": dict.fromkeys(range(5000))}))
    found = json.loads(text)["requestParameters"]
    assert len(found["list"]) == 1001
    assert found["list"][-1] == "... (4000 more)"
    assert found["map"]["..."] == "4000 more"
    assert "deeper" in text


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary(max_size=9)
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=20,
)
MEMBERS = st.dictionaries(st.text(max_size=9), JSON, max_size=4)


@given(MEMBERS, MEMBERS, st.text(), st.text(), st.text())
def test_whatever_is_in_it_a_record_is_small_ascii_json(parameters, details, agent, address, message):
    one = record(parameters=parameters, details=details, agent=agent, address=address, error_message=message)
    text = text_of(one)
    assert len(text.encode("ascii")) <= GREATEST_RECORD
    assert "\0" not in text
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")) == text
    assert text_of(one) == text


def test_a_record_of_the_largest_fields_still_fits():
    huge = "\U0001f600" * 200_000  # twelve bytes of ASCII each
    full = {f"k{number}": huge for number in range(2000)}
    identity = Identity(IdentityType.ROLE, huge, huge, huge, huge, huge, huge)
    one = record(
        name=huge, identity=identity, agent=huge, address=huge, error_code=huge, error_message=huge, host=huge,
        parameters=full, response=full, details=full,
    )  # fmt: skip
    text = text_of(one)
    assert len(text) <= GREATEST_RECORD
    assert json.loads(text)["userIdentity"]["type"] == "AssumedRole"
