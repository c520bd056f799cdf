"""Which service a request is for, told from its signature or else from its form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradewind.wire import asked_service, signed_service

SCOPE = "AKIA/20260102/eu-west-1/{}/aws4_request"


def signed(service):
    return [("authorization", f"AWS4-HMAC-SHA256 Credential={SCOPE.format(service)}, SignedHeaders=host, Signature=0")]


@pytest.mark.parametrize("service", ["airflow", "iam", "sts", "s3", ""])
def test_the_credential_scope_tells(service):
    assert signed_service(signed(service), "") == service
    query = f"a=b&X-Amz-Credential={SCOPE.format(service).replace('/', '%2F')}&c"
    assert signed_service([], query) == service
    assert asked_service(signed(service), "", b"Action=GetUser&Version=2010-05-08") == service


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([], ""),
        ([("Authorization", "Bearer x")], "X-Amz-Credential=" + SCOPE.format("iam")),
        ([("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/iam")], ""),
        ([("Authorization", "AWS4-HMAC-SHA256 NoCredential=" + SCOPE.format("iam"))], ""),
        ([], "NoX-Amz-Credential=" + SCOPE.format("iam")),
        ([], "X-Amz-Credential="),
    ],
)
def test_what_is_not_whole_names_no_service(headers, query):
    assert signed_service(headers, query) is None


@pytest.mark.parametrize(
    ("query", "body", "service"),
    [
        ("", b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15", "sts"),
        ("", b"Version=2010-05-08&Action=GetUser", "iam"),
        ("Action=GetCallerIdentity&Version=2011%2D06-15", b"", "sts"),
        ("Action=GetCallerIdentity", b"Version=2011-06-15", "sts"),
        ("", b"Action=&Version=2010-05-08", None),
        ("", b"Action=GetUser&Version=2012-11-05", None),
        ("", b"Action=GetUser", None),
        ("", b"Version=2010-05-08", None),
        ("", b"", None),
        ("", b"{}", None),
    ],
)
def test_a_form_tells_where_nothing_is_signed(query, body, service):
    assert asked_service([], query, body) == service


@settings(deadline=None)
@given(st.text(), st.text(), st.binary())
def test_anything_at_all_is_read_without_an_error(authorization, query, body):
    asked_service([("Authorization", authorization)], query, body)
    asked_service([], query, body)


@pytest.mark.parametrize("body", [b"Action=x&Version=" * 400_000, b"&" * 6_000_000, b"Action=" * 900_000])
@pytest.mark.timeout(60)
def test_six_megabytes_take_no_time(body):
    assert asked_service([], "", body) is None
