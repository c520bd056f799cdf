"""Who may not call is told so as AWS tells it: type, status and words, over the wire and through boto3."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
import urllib3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

MISMATCH = "The request signature we calculated does not match the signature you provided."


def replaced(signed, **headers):
    """The request with some headers changed after it was signed (None: left out)."""
    kept = [(name, value) for name, value in signed.headers if name.lower() not in headers]
    return dataclasses.replace(
        signed, headers=(*kept, *((name, value) for name, value in headers.items() if value is not None))
    )


def test_a_request_without_a_signature(knock):
    answer = knock.send(replaced(knock.sign("GET", "/environments"), authorization=None))
    assert (answer.status, answer.error) == (403, "MissingAuthenticationTokenException")
    assert answer.message == "Missing Authentication Token"


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"key": "AKIAIOSFODNN7EXAMPLE"}, "UnrecognizedClientException", "The security token included in the request"),
        ({"key": "AKIA';DROP--"}, "UnrecognizedClientException", "The security token included in the request"),
        ({"token": "a-session-token"}, "UnrecognizedClientException", "The security token included in the request"),
        ({"secret": "wrong"}, "InvalidSignatureException", MISMATCH),
        ({"region": "eu-west-1"}, "InvalidSignatureException", "valid region, not 'eu-west-1'"),
        ({"name": "s3"}, "InvalidSignatureException", "correct service: 'airflow'"),
        ({"name": "airflow-serverless"}, "InvalidSignatureException", "correct service: 'airflow'"),
    ],
    ids=str,
)
def test_a_signature_of_somebody_or_something_else(knock, how, error, words):
    answer = knock("GET", "/environments", **how)
    assert (answer.status, answer.error) == (403, error)
    assert words in answer.message
    assert knock.service.secret_access_key.encode() not in answer.body


@pytest.mark.parametrize(
    ("seconds", "words"), [(-305, "Signature expired"), (-86400, "expired"), (400, "Signature not yet current")]
)
def test_a_request_of_another_time(knock, seconds, words):
    answer = knock("GET", "/environments", moment=datetime.now(UTC) + timedelta(seconds=seconds))
    assert (answer.status, answer.error) == (403, "InvalidSignatureException")
    assert words in answer.message


@pytest.mark.parametrize("seconds", [-280, 280])
def test_clocks_may_differ_by_less_than_five_minutes(knock, seconds):
    assert knock("GET", "/environments", moment=datetime.now(UTC) + timedelta(seconds=seconds)).status == 200


def test_an_altered_body(knock, environment):
    signed = knock.sign("POST", f"/restapi/{environment}", {"Path": "/version", "Method": "GET"})
    assert knock.send(signed).status == 200
    altered = dataclasses.replace(signed, body=signed.body.replace(b"version", b"configs"))
    answer = knock.send(altered)
    assert (answer.status, answer.error) == (403, "InvalidSignatureException")
    assert MISMATCH in answer.message


@pytest.mark.parametrize("part", ["path", "method", "query", "host", "date"])
def test_an_altered_request(knock, environment, part):
    signed = knock.sign("GET", f"/environments/{environment}?a=1")
    earlier = datetime.now(UTC) - timedelta(seconds=90)
    altered = {
        "path": dataclasses.replace(signed, path="/environments/other?a=1"),
        "method": dataclasses.replace(signed, method="DELETE"),
        "query": dataclasses.replace(signed, path=f"/environments/{environment}?a=2"),
        "host": replaced(signed, host="elsewhere.example"),
        "date": replaced(signed, **{"x-amz-date": earlier.strftime("%Y%m%dT%H%M%SZ")}),
    }
    answer = knock.send(altered[part])
    assert (answer.status, answer.error) == (403, "InvalidSignatureException")
    assert MISMATCH in answer.message or part == "date"
    assert knock("GET", f"/environments/{environment}").status == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/b/c",
        "AWS4-HMAC-SHA256 nonsense",
        "Basic YTpi",
        "Bearer token",
        "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/airflow/aws4_request, SignedHeaders=host, Signature=",
        "AWS4-ECDSA-P256-SHA256 Credential=a, SignedHeaders=host, Signature=b",
    ],
)
def test_a_signature_that_is_not_whole(knock, authorization):
    answer = knock.send(replaced(knock.sign("GET", "/environments"), authorization=authorization))
    assert (answer.status, answer.error) == (403, "IncompleteSignatureException")
    assert answer.message


def test_two_signatures_are_none(knock):
    signed = knock.sign("GET", "/environments")
    twice = dataclasses.replace(
        signed, headers=(*signed.headers, *(h for h in signed.headers if h[0] == "Authorization"))
    )
    assert knock.send(twice).error == "IncompleteSignatureException"


def test_authentication_comes_before_the_body_is_read_for_sense(knock):
    answer = knock("PUT", "/environments/9", b"{", secret="wrong")
    assert (answer.status, answer.error) == (403, "InvalidSignatureException")


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ({"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE"}, "UnrecognizedClientException"),
        ({"aws_secret_access_key": "wrong"}, "InvalidSignatureException"),
        ({"aws_session_token": "x"}, "UnrecognizedClientException"),
        ({"region_name": "ap-south-1"}, "InvalidSignatureException"),
        (
            {"config": Config(signature_version=UNSIGNED, inject_host_prefix=False)},
            "MissingAuthenticationTokenException",
        ),
    ],
    ids=str,
)
def test_boto3_shows_the_type(service, overrides, code):
    client = service.client(**overrides)
    with pytest.raises(ClientError) as raised:
        client.list_environments()
    assert raised.value.response["Error"]["Code"] == code
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert raised.value.response["Error"]["Message"]


def test_a_presigned_url_works_and_an_altered_one_does_not(service, mwaa, environment):
    url = mwaa.generate_presigned_url("get_environment", {"Name": environment}, ExpiresIn=60)
    with urllib3.PoolManager(ca_certs=service.ca_bundle) as pool:
        assert pool.request("GET", url).json()["Environment"]["Name"] == environment
        answer = pool.request("GET", url.replace(environment, "other"))
    assert answer.status == 403
    assert answer.headers["x-amzn-ErrorType"] == "InvalidSignatureException"
