"""Requests for tests that are signed by hand: the vector that AWS publishes, and an independent signature."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from tradewind.wire import Key, SignedRequest, WireError, verify

KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
STAMP = "20150830T123600Z"
SCOPE = "20150830/us-east-1/service/aws4_request"
# "get-vanilla" of the test suite that AWS publishes for Signature Version 4.
VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"


def request(
    authorization=None, *, query="", body=b"", host="example.amazonaws.com", dates=(("X-Amz-Date", STAMP),), more=()
):
    headers = [("Host", host), *dates, *more]
    if authorization is not None:
        headers.append(("Authorization", authorization))
    return SignedRequest("GET", "/", query, headers, body)


def header(*, key=KEY, scope=SCOPE, names="host;x-amz-date", signature=VANILLA):
    return f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"


def sign(canonical, *, scope=SCOPE, stamp=STAMP):
    """An independent signature over a canonical request written out by hand."""
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def check(signed, *, now=NOW, region="us-east-1", service="service"):
    return verify(signed, region=region, service=service, lookup={KEY: Key(SECRET)}.get, now=now)


def refused(signed, **how):
    with pytest.raises(WireError) as raised:
        check(signed, **how)
    return raised.value.code, raised.value.message


TOKEN = "FwoGZXIvYXdzEXAMPLE//////token="
INVALID = ("UnrecognizedClientException", "The security token included in the request is invalid.")
TEMPORARY = Key(SECRET, TOKEN, NOW + timedelta(hours=1))


def answered(signed, key, now=NOW):
    try:
        return verify(signed, region="us-east-1", service="service", lookup={KEY: key}.get, now=now)
    except WireError as error:
        return error.code, error.message
