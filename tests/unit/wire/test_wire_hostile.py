"""Requests as great as the door lets them in, and as odd as can be: a bounded time, and never more than a WireError."""

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.wire.signed import KEY, NOW, SCOPE, SECRET, STAMP, header, request
from tradewind.wire import Key, SignedRequest, WireError, load_service, verify

MWAA = load_service("mwaa")
MEGABYTE = 1024 * 1024
SECONDS = 10  # of CPU; at most 1 s was measured, and machines of CI are busy


def verified(signed):
    with suppress(WireError):
        verify(signed, region="us-east-1", service="service", lookup={KEY: Key(SECRET)}.get, now=NOW)


SIGNED = {
    "body": request(header(), body=b"x" * (6 * MEGABYTE)),
    "authorization": request("AWS4-HMAC-SHA256 " + "a=b, " * (MEGABYTE // 5)),
    "parts": request("AWS4-HMAC-SHA256 " + ", ".join(f"a{n}=b" for n in range(100_000))),
    "spaces": request("AWS4-HMAC-SHA256" + " " * MEGABYTE),
    "credential": request(header(key="a/" * MEGABYTE)),
    "signature": request(header(signature="0" * MEGABYTE)),
    "signed headers": request(header(names=";".join(["host", *(f"h{n}" for n in range(100_000))]))),
    "a header signed often": request(header(names="host;" * 200_000)),
    "headers": request(header(), more=[(f"h{n}", "  x  ") for n in range(100_000)]),
    "headers of one name": request(header(names="host;x-amz-date;a"), more=[("a", "b")] * 100_000),
    "tokens": request(header(), more=[("X-Amz-Security-Token", "t")] * 100_000),
    "date": request(header(), dates=[("Date", "1" * MEGABYTE)]),
    "date of many parts": request(header(), dates=[("Date", "Mon, 1 " * (MEGABYTE // 7))]),
    "date in brackets": request(header(), dates=[("Date", "(" * MEGABYTE)]),
    "query": request(header(), query="a=b&" * (MEGABYTE // 4)),
    "percents": request(header(), query="%" * MEGABYTE),
    "path": SignedRequest("GET", "/a/.." * (MEGABYTE // 5), "", request(header()).headers, b""),
    "presigned": request(
        query=f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={KEY}/{SCOPE}&X-Amz-Date={STAMP}&X-Amz-Expires="
        + "9" * MEGABYTE
        + "&X-Amz-SignedHeaders=host&X-Amz-Signature=0",
    ),
}


@pytest.mark.parametrize("name", SIGNED)
def test_a_giant_signature_takes_a_bounded_time(name):
    begun = time.process_time()
    verified(SIGNED[name])
    assert time.process_time() - begun < SECONDS


BODIES = {
    "brackets": b"[" * (6 * MEGABYTE),
    "objects": b'{"a":' * MEGABYTE,
    "number": b'{"MaxWorkers":' + b"9" * (6 * MEGABYTE) + b"}",
    "text": b'{"DagS3Path":"' + b"a" * (6 * MEGABYTE) + b'"}',
    "escapes": b'{"DagS3Path":"' + b"\\u0041" * MEGABYTE + b'"}',
    "tags": b'{"Tags":{' + b",".join(b'"%d":"%d"' % (n, n) for n in range(300_000)) + b"}}",
    "options": b'{"AirflowConfigurationOptions":{' + b",".join(b'"a%d.":"\\n"' % n for n in range(300_000)) + b"}}",
    "empty": b'{"NetworkConfiguration":{"SubnetIds":[' + b'"",' * 1_000_000 + b'""]}}',
    "nulls": b'{"NetworkConfiguration":{"SubnetIds":[' + b"null," * 1_000_000 + b"null]}}",
}


@pytest.mark.parametrize("name", BODIES)
def test_a_giant_document_takes_a_bounded_time(name):
    begun = time.process_time()
    try:
        MWAA.check("CreateEnvironment", MWAA.decode("CreateEnvironment", {"Name": "e"}, "", [], BODIES[name]))
    except WireError as error:
        MWAA.encode_error(error, "id")
    assert time.process_time() - begun < SECONDS


ODD = st.text(max_size=20) | st.sampled_from(["", STAMP, "host", header(), KEY, SCOPE, "AWS4-HMAC-SHA256", "t"])
NAMES = st.sampled_from(["Authorization", "Date", "X-Amz-Date", "Host", "X-Amz-Security-Token"]) | st.text(max_size=5)
FIELDS = st.sampled_from(["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token"])


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, ODD)), st.lists(st.tuples(FIELDS, ODD)), st.sampled_from([None, "t"]))
def test_no_headers_and_no_query_are_more_than_a_wire_error(headers, fields, token):
    query = "&".join(f"X-Amz-{name}={value}" for name, value in fields)
    signed = SignedRequest("GET", "/", query, headers, b"")
    with pytest.raises(WireError):
        verify(signed, region="us-east-1", service="service", lookup=lambda _: Key(SECRET, token), now=NOW)


@settings(deadline=None)
@given(st.sampled_from(MWAA.operations), st.text(), st.binary(), st.lists(st.tuples(st.text(), st.text())))
def test_no_rest_request_is_more_than_a_wire_error(operation, query, body, headers):
    labels = dict.fromkeys(("Name", "EnvironmentName", "ResourceArn"), query)
    try:
        MWAA.check(operation, MWAA.decode(operation, labels, query, headers, body))
    except WireError as error:
        MWAA.encode_error(error, "id")
