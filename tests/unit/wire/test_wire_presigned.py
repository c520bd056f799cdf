"""Presigned requests: the signature, its scope, its end and its session token are in the query."""

import hashlib
from datetime import timedelta

import pytest

from tests.unit.wire.signed import (
    INVALID,
    KEY,
    NOW,
    SCOPE,
    STAMP,
    TEMPORARY,
    TOKEN,
    answered,
    check,
    refused,
    request,
    sign,
)
from tradewind.wire import Caller, SignedRequest


def presigned(*, expires="60", stamp=STAMP, algorithm="AWS4-HMAC-SHA256", signature=None, token="", more=""):
    token = f"&X-Amz-Security-Token={token.replace('/', '%2F').replace('=', '%3D')}" if token else ""
    query = (
        f"X-Amz-Algorithm={algorithm}&X-Amz-Credential={KEY}%2F{SCOPE.replace('/', '%2F')}&X-Amz-Date={stamp}"
        f"&X-Amz-Expires={expires}{token}&X-Amz-SignedHeaders=host{more}"
    )
    canonical = f"GET\n/\n{query}\nhost:h\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    return request(query=f"{query}&X-Amz-Signature={signature or sign(canonical, stamp=stamp)}", host="h", dates=())


def test_a_presigned_request_is_accepted_until_it_expires():
    assert check(presigned()) == Caller(KEY)
    assert check(presigned(), now=NOW + timedelta(seconds=60))
    assert check(presigned(expires="604800"), now=NOW + timedelta(days=6))
    code, message = refused(presigned(), now=NOW + timedelta(seconds=61))
    assert code == "InvalidSignatureException"
    assert message.endswith("(20150830T123701Z - 1 min.)")
    assert refused(presigned(), now=NOW - timedelta(minutes=6))[0] == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"expires": "0"}, "IncompleteSignatureException"),
        ({"expires": "604801"}, "IncompleteSignatureException"),
        ({"expires": "-1"}, "IncompleteSignatureException"),
        ({"expires": "x"}, "IncompleteSignatureException"),
        ({"expires": ""}, "IncompleteSignatureException"),
        ({"stamp": "now"}, "IncompleteSignatureException"),
        ({"algorithm": "AWS4-HMAC-SHA1"}, "IncompleteSignatureException"),
        ({"more": "&X-Amz-Date=20150830T123600Z"}, "IncompleteSignatureException"),
        ({"signature": "0" * 64}, "InvalidSignatureException"),
        ({"more": "&X-Amz-Security-Token=t"}, "UnrecognizedClientException"),
    ],
)
def test_a_presigned_request_that_is_not_right(how, code):
    assert refused(presigned(**how))[0] == code


def test_a_presigned_request_has_its_session_token_in_the_query():
    assert answered(presigned(token=TOKEN), TEMPORARY) == Caller(KEY)
    assert answered(presigned(token="x"), TEMPORARY) == INVALID
    assert answered(presigned(), TEMPORARY) == INVALID
    assert answered(presigned(token=TOKEN, more=f"&X-Amz-Security-Token={TOKEN}"), TEMPORARY) == INVALID
    for token in (TOKEN, "x"):
        signed = presigned(token=TOKEN)
        headers = [*signed.headers, ("X-Amz-Security-Token", token)]
        assert answered(SignedRequest("GET", "/", signed.raw_query, headers, b""), TEMPORARY) == INVALID


def test_a_presigned_request_whose_date_is_the_last_there_is():
    signed = presigned(stamp="99991231T235959Z")
    assert refused(signed)[0] == "InvalidSignatureException"


def test_a_presigned_request_lacks_a_part():
    code, message = refused(request(query="X-Amz-Signature=x&X-Amz-Algorithm=AWS4-HMAC-SHA256"))
    assert code == "IncompleteSignatureException"
    assert "AWS query-string parameters must include 'X-Amz-Credential'." in message
    assert "'X-Amz-Signature'" not in message
