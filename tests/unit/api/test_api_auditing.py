"""One record for each call, whatever became of it; and no answer without one."""

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from tests.unit.api.doubles import ACCOUNT, CREATE, MWAA, PLACE, LogInMemory, call, refusal, services, signed, trail
from tests.unit.domain.samples import environment
from tradewind.api import chain as chain_module
from tradewind.api.auditing import Heard, claimed_key, is_read_only, record_of
from tradewind.api.callers import Caller
from tradewind.api.chain import Chain
from tradewind.api.requests import RawRequest
from tradewind.audit import document
from tradewind.domain.errors import TradewindError
from tradewind.iam import Denied, Kind, Principal
from tradewind.wire import WireError, load_service

pytestmark = pytest.mark.usefixtures("told")


@pytest.fixture
def log():
    return LogInMemory()


@pytest.fixture
def working(log):
    return dataclasses.replace(services(environment()), trail=trail(log), now=lambda: datetime.now(UTC))


def only(log):
    (record,) = log.records
    return document(record)


def test_an_allowed_call(working, log):
    response = call(working, "PUT", "/environments/e", CREATE, {"X-Forwarded-For": "192.0.2.7", "User-Agent": "Boto3"})
    assert response.status == 200
    found = only(log)
    assert (found["eventSource"], found["eventName"]) == ("airflow.amazonaws.com", "CreateEnvironment")
    assert found["userIdentity"] == {
        "type": "Root", "principalId": ACCOUNT.account_id, "arn": f"arn:aws:iam::{ACCOUNT.account_id}:root",
        "accountId": ACCOUNT.account_id, "accessKeyId": ACCOUNT.access_key_id,
    }  # fmt: skip
    assert found["requestParameters"]["Name"] == "e"
    assert found["requestParameters"]["DagS3Path"] == CREATE["DagS3Path"]
    assert found["responseElements"]["Arn"].endswith(":environment/e")
    assert found["sourceIPAddress"] == "192.0.2.7"
    assert found["requestID"] == response.headers["x-amzn-RequestId"]
    assert found["readOnly"] is False
    assert "errorCode" not in found


def test_what_is_sensitive_is_nowhere_in_the_record(working, log):
    call(working, "PUT", "/environments/e", CREATE | {"AirflowConfigurationOptions": {"core.x": "HUSH"}})
    call(working, "POST", "/clitoken/sample")
    call(working, "POST", "/webtoken/sample")
    text = json.dumps([document(record) for record in log.records])
    assert len(log.records) == 3
    assert "HUSH" not in text
    assert "eyJ" not in text  # a JWT
    assert text.count("HIDDEN_DUE_TO_SECURITY_REASONS") == 3


def test_a_denied_call(working, log, monkeypatch):
    monkeypatch.setattr(chain_module, "decide", lambda *_: Denied("no"))
    call(working, "DELETE", "/environments/sample")
    found = only(log)
    assert (found["errorCode"], found["errorMessage"]) == ("AccessDeniedException", "no")
    assert found["userIdentity"]["type"] == "Root"
    assert found["requestParameters"] == {"Name": "sample"}
    assert found["responseElements"] is None


def test_a_bad_signature(working, log):
    Chain(MWAA, working).answer(signed("GET", "/environments/sample", secret="wrong"), "r-1")
    found = only(log)
    assert found["errorCode"] == "InvalidSignatureException"
    assert found["eventName"] == "GetEnvironment"
    assert found["userIdentity"] == {"type": "Unknown", "accessKeyId": ACCOUNT.access_key_id}
    assert found["requestParameters"] is None


def test_a_secret_in_the_place_of_a_key_is_not_recorded(working, log):
    request = signed("GET", "/environments/sample")
    secret = "wJalrXUtnFEMIK7MDENG"
    headers = tuple((name, value.replace(ACCOUNT.access_key_id, secret)) for name, value in request.headers)
    Chain(MWAA, working).answer(dataclasses.replace(request, headers=headers), "r-1")
    assert only(log)["userIdentity"] == {"type": "Unknown"}
    assert "wJalr" not in json.dumps(only(log))


def test_a_path_that_is_none(working, log):
    Chain(MWAA, working).answer(RawRequest("GET", "/x" * 5000, "X-Amz-Signature=s1gnature", (), b""), "r-1")
    found = only(log)
    assert (found["eventName"], found["errorCode"]) == ("UnknownOperation", "UnknownOperationException")
    assert found["additionalEventData"]["path"].startswith("/x/x")
    assert "s1gnature" not in json.dumps(found)


def test_a_body_that_was_not_read(working, log):
    error = WireError("RequestEntityTooLargeException", "too large")
    response = Chain(MWAA, working).refuse(RawRequest("PUT", "/environments/e", "", (), b""), error, "r-1")
    assert response.status == 413
    assert only(log)["errorCode"] == "RequestEntityTooLargeException"


def test_a_defect_of_ours_is_recorded_without_its_words(working, log):
    class StoreThatBreaks:
        def find(self, name):
            raise RuntimeError("PASSWORD")

    call(dataclasses.replace(working, environments=StoreThatBreaks()), "GET", "/environments/sample")
    found = only(log)
    assert found["errorCode"] == "InternalServerException"
    assert "PASSWORD" not in json.dumps(found)


CANNOT = TradewindError("cannot write the audit log: disk")


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (("GET", "/environments/sample"), (503, "ServiceUnavailableException")),
        (("GET", "/environments"), (503, "ServiceUnavailableException")),
        (("GET", "/nowhere"), (503, "ServiceUnavailableException")),
        (("DELETE", "/environments/sample"), (500, "InternalServerException")),
        (("POST", "/clitoken/sample"), (500, "InternalServerException")),
    ],
)
def test_what_cannot_be_recorded_is_answered_as_an_error(working, told, asked, answered):
    broken = dataclasses.replace(working, trail=trail(LogInMemory(CANNOT)))
    response = call(broken, *asked)
    assert refusal(response)[:2] == answered
    assert b"Token" not in response.body
    assert [line["event"] for line in told if line["log_level"] == "error"] == ["audit"]


def test_outsiders_cannot_fill_the_log(working, log):
    chain = Chain(MWAA, working)
    for _ in range(200):
        request = RawRequest("GET", "/environments", "", (), b"", source="192.0.2.1")
        assert chain.answer(request, "r-1").status == 403
    assert len(log.records) == 60
    assert call(working, "GET", "/environments").status == 200
    assert len(log.records) == 61
    working.trail.end(datetime.now(UTC))
    summary = document(log.records[-1])
    assert (summary["eventName"], summary["eventType"]) == ("RefusalsWithheld", "AwsServiceEvent")
    assert summary["additionalEventData"]["count"] == 140
    assert summary["sourceIPAddress"] == "192.0.2.1"


def test_identified_callers_are_always_recorded(working, log):
    for _ in range(80):
        call(working, "GET", "/environments/not-there")
    assert len(log.records) == 80


# -- who it was, in IAM and STS ------------------------------------------------------------------------------------

ROLE = f"arn:aws:iam::{ACCOUNT.account_id}:role/team/Deploy"
USER = Principal(
    f"arn:aws:iam::{ACCOUNT.account_id}:user/team/alice", ACCOUNT.account_id, "user/alice",
    kind=Kind.USER, user_id="AIDAALICE", user_name="alice",
)  # fmt: skip
SESSION = Principal(
    f"arn:aws:sts::{ACCOUNT.account_id}:assumed-role/Deploy/s", ACCOUNT.account_id, "assumed-role/Deploy/s",
    kind=Kind.ASSUMED_ROLE, user_id="AROADEPLOY:s", role_arn=ROLE,
)  # fmt: skip


def record_in(service, operation, principal, parameters, result, *, key="AKIAALICE"):
    request = RawRequest("POST", "/", "", (("authorization", "Credential=AKIACLAIMED/x"),), b"", source="192.0.2.1")
    by = None if principal is None else Caller(principal, access_key_id=key)
    one = Heard(request, "r-1", datetime.now(UTC), operation, by, parameters, result)
    return document(record_of(one, load_service(service), PLACE))


def test_a_user_makes_a_key_and_its_secret_is_not_recorded():
    key = {"UserName": "alice", "AccessKeyId": "AKIANEW", "SecretAccessKey": "HUSH", "Status": "Active"}
    found = record_in("iam", "CreateAccessKey", USER, {"UserName": "alice"}, {"AccessKey": key})
    assert found["eventSource"] == "iam.amazonaws.com"
    assert found["requestParameters"] == {"userName": "alice"}
    assert found["responseElements"]["accessKey"]["accessKeyId"] == "AKIANEW"
    assert "HUSH" not in json.dumps(found)
    assert found["userIdentity"] == {
        "type": "IAMUser", "principalId": "AIDAALICE", "arn": USER.arn, "accountId": ACCOUNT.account_id,
        "accessKeyId": "AKIAALICE", "userName": "alice",
    }  # fmt: skip


def test_a_session_names_its_role():
    found = record_in("iam", "GetUser", SESSION, {}, {"User": {}}, key="ASIASESSION")
    assert found["userIdentity"]["principalId"] == "AROADEPLOY:s"
    assert found["userIdentity"]["accessKeyId"] == "ASIASESSION"
    assert found["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == ROLE


def test_a_role_that_is_assumed_with_a_web_identity_by_who_had_no_key():
    given = {"RoleArn": ROLE, "RoleSessionName": "s", "WebIdentityToken": "HUSH"}
    made = {"Credentials": {"AccessKeyId": "ASIANEW", "SecretAccessKey": "HUSH", "SessionToken": "HUSH"}}
    found = record_in("sts", "AssumeRoleWithWebIdentity", None, given, made)
    assert found["eventSource"] == "sts.amazonaws.com"
    assert found["requestParameters"]["roleArn"] == ROLE
    assert found["responseElements"]["credentials"]["accessKeyId"] == "ASIANEW"
    assert "HUSH" not in json.dumps(found)


# -- parts --------------------------------------------------------------------------------------------------------


def heard(query="", **headers):
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Heard(RawRequest("GET", "/", query, named, b""), "r", datetime.now(UTC))


@pytest.mark.parametrize(
    ("request_", "key"),
    [
        (
            heard(authorization="AWS4-HMAC-SHA256 Credential=AKIAEXAMPLEEXAMPLE12/2026/x, Signature=y"),
            "AKIAEXAMPLEEXAMPLE12",
        ),
        (heard("X-Amz-Credential=AKIAEXAMPLEEXAMPLE12%2F2026&a=b"), "AKIAEXAMPLEEXAMPLE12"),
        (heard("a=b&X-Amz-Credential=AKIAEXAMPLEEXAMPLE12/2026"), "AKIAEXAMPLEEXAMPLE12"),
        (heard(authorization="Bearer eyJabcdefghijklmnopqrstuvw"), ""),
        (heard(authorization="AWS4-HMAC-SHA256 Credential=a secret with blanks/x"), ""),
        (heard(), ""),
    ],
)
def test_the_key_that_a_request_claims(request_, key):
    assert claimed_key(request_) == key


@pytest.mark.parametrize(
    ("operation", "reads"),
    [
        ("GetEnvironment", True), ("ListTagsForResource", True), ("GetCallerIdentity", True),
        ("SimulatePrincipalPolicy", True), ("GetSessionToken", False),
        ("CreateCliToken", False), ("InvokeRestApi", False), ("AssumeRole", False),
        ("Getaway", False), (None, True),
    ],
)  # fmt: skip
def test_what_only_reads(operation, reads):
    assert is_read_only(operation) is reads
