"""Signatures: AWS's published vector, every way to be refused, and AWS's own words for each.

Whether random requests that botocore signs are accepted is judged in tests/contract/test_wire_signatures.py.
"""

import hashlib
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.wire.signed import KEY, NOW, SCOPE, SECRET, STAMP, VANILLA, check, header, refused, request, sign
from tradewind.wire import Caller, Key, SignedRequest, WireError, sigv4, verify
from tradewind.wire.sigv4 import _canonical_path, _canonical_query


def test_the_published_vector_is_accepted():
    assert check(request(header())) == Caller(KEY)


@pytest.mark.parametrize(
    "authorization",
    [
        f"AWS4-HMAC-SHA256 Credential={KEY}/{SCOPE},SignedHeaders=host;x-amz-date,Signature={VANILLA}",
        f"  AWS4-HMAC-SHA256  Signature={VANILLA},  SignedHeaders=host;x-amz-date, Credential={KEY}/{SCOPE}  ",
    ],
)
def test_spaces_and_order_of_the_header_do_not_matter(authorization):
    assert check(request(authorization)) == Caller(KEY)


def test_no_signature_at_all():
    expected = ("MissingAuthenticationTokenException", "Missing Authentication Token")
    assert refused(request()) == expected
    assert refused(request(query="a=b")) == expected


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        ("", "requires 'Credential' parameter"),
        ("Bearer abc", "requires the algorithm 'AWS4-HMAC-SHA256'"),
        ("Basic abc", "requires 'SignedHeaders' parameter"),
        (header().replace("SHA256 ", "SHA1 "), "requires the algorithm"),
        ("AWS4-HMAC-SHA256", "requires 'Credential' parameter. Authorization header requires 'Signature' parameter."),
        ("AWS4-HMAC-SHA256 ", "requires 'SignedHeaders' parameter"),
        ("AWS4-HMAC-SHA256 Credential", "'Credential' not a valid key=value pair (missing equal-sign)"),
        (header().replace("Credential=", "Credential= "), "not a valid key=value pair"),
        (
            f"AWS4-HMAC-SHA256 Credential={KEY}/{SCOPE}, Signature={VANILLA}",
            "Authorization header requires 'SignedHeaders'",
        ),
        (f"AWS4-HMAC-SHA256 Credential={KEY}/{SCOPE}, SignedHeaders=host", "Authorization header requires 'Signature'"),
        (header(signature=""), "requires 'Signature' parameter"),
        (header() + f", Signature={VANILLA}", "more than one 'Signature' parameter"),
        (header(scope="20150830/us-east-1/service"), "must have exactly 5 slash-delimited elements"),
        (header(scope=SCOPE + "/x"), "must have exactly 5 slash-delimited elements"),
    ],
)
def test_a_header_that_is_not_whole(authorization, words):
    code, message = refused(request(authorization))
    assert code == "IncompleteSignatureException"
    assert words in message


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ((), "requires existence of either a 'X-Amz-Date' or a 'Date' header."),
        ((("X-Amz-Date", "now"),), "must be in ISO-8601 'basic format'. Got 'now'."),
        ((("X-Amz-Date", "20150231T000000Z"),), "must be in ISO-8601 'basic format'"),
        ((("X-Amz-Date", "20150830T123600"),), "must be in ISO-8601 'basic format'"),
        ((("X-Amz-Date", "\u0968\u0966150830T123600Z"),), "must be in ISO-8601 'basic format'"),
        ((("X-Amz-Date", STAMP), ("x-amz-date", STAMP)), "more than one date"),
        ((("Date", "yesterday"),), "must be in ISO-8601 'basic format'"),
        ((("Date", ""),), "must be in ISO-8601 'basic format'"),
        ((("Date", "Mon, 99 Xxx 99999 99:99:99 +9999"),), "must be in ISO-8601 'basic format'"),
    ],
)
def test_a_date_that_cannot_be_read(dates, words):
    code, message = refused(request(header(), dates=dates))
    assert code == "IncompleteSignatureException"
    assert words in message


def test_two_authorization_headers():
    assert refused(request(header(), more=[("authorization", header())]))[0] == "IncompleteSignatureException"


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("20150830/us-east-2/service/aws4_request", "Credential should be scoped to a valid region, not 'us-east-2'."),
        ("20150830//service/aws4_request", "Credential should be scoped to a valid region, not ''."),
        ("20150830/us-east-1/s3/aws4_request", "Credential should be scoped to correct service: 'service'."),
        ("20150830/us-east-1/service/aws5", "valid terminator: 'aws4_request', not 'aws5'"),
        ("20150831/us-east-1/service/aws4_request", "'20150831' != '20150830', from '20150830T123600Z'."),
    ],
)
def test_a_scope_that_is_not_of_here(scope, words):
    code, message = refused(request(header(scope=scope)))
    assert code == "InvalidSignatureException"
    assert words in message


def test_a_global_service_may_be_signed_for_in_other_regions():
    here = {"service": "service", "lookup": {KEY: Key(SECRET)}.get, "now": NOW, "region": "eu-west-1"}
    assert verify(request(header()), other_regions={"us-east-1", "aws-global"}, **here) == Caller(KEY)
    with pytest.raises(WireError, match="valid region, not 'us-east-1'"):
        verify(request(header()), other_regions={"aws-global"}, **here)


def test_the_host_must_be_signed():
    code, message = refused(request(header(names="x-amz-date")))
    assert code == "InvalidSignatureException"
    assert "'Host' must be a 'SignedHeader'" in message


def test_five_minutes_either_way_are_allowed_and_no_second_more():
    minutes = timedelta(minutes=5)
    assert check(request(header()), now=NOW + minutes)
    assert check(request(header()), now=NOW - minutes)
    assert refused(request(header()), now=NOW + minutes + timedelta(seconds=1)) == (
        "InvalidSignatureException",
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)",
    )
    assert refused(request(header()), now=NOW - minutes - timedelta(seconds=1)) == (
        "InvalidSignatureException",
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)",
    )


def test_the_year_one_is_a_date_too():
    scope = "00010101/us-east-1/service/aws4_request"
    code, message = refused(request(header(scope=scope), dates=[("X-Amz-Date", "00010101T000000Z")]))
    assert code == "InvalidSignatureException"
    assert "Signature expired: 00010101T000000Z" in message


@pytest.mark.parametrize("key", ["AKIDOTHER", "", "*"])
def test_a_key_that_is_not_known(key):
    expected = ("UnrecognizedClientException", "The security token included in the request is invalid.")
    assert refused(request(header(key=key))) == expected


def test_a_refusal_takes_the_same_steps_whether_a_key_exists_or_not(monkeypatch):
    signed, compared = [], []
    monkeypatch.setattr(sigv4, "_signature", lambda *_: signed.append(1) or "0" * 64)
    monkeypatch.setattr(sigv4.hmac, "compare_digest", lambda a, b: compared.append((len(a), len(b))) and False)
    for key in ("AKIDOTHER", KEY):
        refused(request(header(key=key)))
    assert len(signed) == 2
    assert compared == [(64, 64)] * 2


@pytest.mark.parametrize(
    "signed",
    [
        request(header(signature="0" * 64)),
        request(header(signature=VANILLA.upper())),
        request(header(signature=VANILLA[:-1])),
        request(header(signature="é")),
        request(header(signature="\ud800")),
        request(header(), body=b"x"),
        request(header(), query="a=b"),
        request(header(), host="api.example.amazonaws.com"),
        request(header(names="host")),
        request(header(names="host;x-amz-date;x-absent")),
        request(header(names="x-amz-date;host")),
        SignedRequest("POST", "/", "", request(header()).headers, b""),
        SignedRequest("GET", "/x", "", request(header()).headers, b""),
    ],
)
def test_a_signature_of_another_request(signed):
    code, message = refused(signed)
    assert code == "InvalidSignatureException"
    assert message.startswith("The request signature we calculated does not match the signature you provided.")


def test_a_body_must_be_signed_even_where_the_client_says_that_it_is_not():
    names = "host;x-amz-content-sha256;x-amz-date"
    lines = f"GET\n/\n\nhost:h\nx-amz-content-sha256:{{0}}\nx-amz-date:{STAMP}\n\n{names}\n{{0}}"
    for claimed in ("UNSIGNED-PAYLOAD", hashlib.sha256(b"other").hexdigest()):
        more = [("X-Amz-Content-SHA256", claimed)]
        signed = request(header(names=names, signature=sign(lines.format(claimed))), body=b"body", host="h", more=more)
        assert refused(signed)[0] == "InvalidSignatureException"
    right = hashlib.sha256(b"body").hexdigest()
    more = [("X-Amz-Content-SHA256", right)]
    assert check(request(header(names=names, signature=sign(lines.format(right))), body=b"body", host="h", more=more))


def test_a_header_that_is_signed_must_be_there_even_when_it_is_empty():
    names = "host;x-amz-date;x-empty"
    canonical = f"GET\n/\n\nhost:h\nx-amz-date:{STAMP}\nx-empty:\n\n{names}\n{hashlib.sha256(b'').hexdigest()}"
    authorization = header(names=names, signature=sign(canonical))
    assert check(request(authorization, host="h", more=[("X-Empty", " ")]))
    assert refused(request(authorization, host="h"))[0] == "InvalidSignatureException"


def test_the_canonical_request_written_out_by_hand():
    names = "host;x-amz-date;x-many"
    canonical = (
        "PUT\n/tags/arn%253Aaws%253Aa%252Fb\na=1&a=2&b=%20&c=\n"
        f"host:api.localhost:8443\nx-amz-date:{STAMP}\nx-many:a b,c\n\n{names}\n{hashlib.sha256(b'{}').hexdigest()}"
    )
    signed = SignedRequest(
        "PUT",
        "/tags/arn%3Aaws%3Aa%2Fb",
        "b=+&a=2&c&a=1",
        [
            ("X-Many", "  a   b "),
            ("host", "api.localhost:8443"),
            ("X-Amz-Date", STAMP),
            ("x-many", "c"),
            ("Authorization", header(names=names, signature=sign(canonical))),
        ],
        b"{}",
    )
    assert check(signed) == Caller(KEY)


def test_the_date_header_serves_where_there_is_no_other():
    names = "date;host"
    date = "Sun, 30 Aug 2015 12:36:00 GMT"
    canonical = f"GET\n/\n\ndate:{date}\nhost:h\n\n{names}\n{hashlib.sha256(b'').hexdigest()}"
    assert check(request(header(names=names, signature=sign(canonical)), host="h", dates=[("Date", date)]))


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("", "/"),
        ("/", "/"),
        ("//", "/"),
        ("/a/", "/a/"),
        ("/a//b", "/a/b"),
        ("/a/./b/../c", "/a/c"),
        ("/../a", "/a"),
        ("/a%2Fb~-._", "/a%252Fb~-._"),
        ("/a:b", "/a%3Ab"),
        ("/é", "/%C3%A9"),
    ],
)
def test_paths_are_resolved_and_encoded_once_more(raw, canonical):
    assert _canonical_path(raw) == canonical


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("", ""),
        ("b=2&a=1", "a=1&b=2"),
        ("a=2&a=1&a", "a=&a=1&a=2"),
        ("a=%7e%2b+%2F:", "a=~%2B%20%2F%3A"),
        ("a-b=1&a=2", "a=2&a-b=1"),
        ("a=b=c", "a=b%3Dc"),
        ("&&a=1&", "a=1"),
        ("a=%zz&b=%ff", "a=%25zz&b=%FF"),
    ],
)
def test_queries_are_sorted_and_encoded_anew(raw, canonical):
    assert _canonical_query(raw, leave_signature_out=False) == canonical


@settings(deadline=None)
@given(
    st.text(),
    st.text(),
    st.text(),
    st.lists(st.tuples(st.sampled_from(["Authorization", "Date", "X-Amz-Date", "Host"]), st.text())),
)
def test_no_request_is_more_than_a_wire_error(path, query, authorization, headers):
    for given_ in (
        authorization,
        header(signature=authorization),
        f"AWS4-HMAC-SHA256 {authorization}",
        header(names=authorization),
    ):
        for query_ in (query, f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={STAMP}&{query}"):
            for more in ([], headers):
                signed = SignedRequest(
                    "GET", path, query_, [("Authorization", given_), ("Date", authorization), *more], b""
                )
                with pytest.raises(WireError):
                    check(signed)
