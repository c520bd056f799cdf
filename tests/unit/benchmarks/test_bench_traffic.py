"""Heads of answers, and requests as they go over the wire."""

import pytest
from botocore.awsrequest import AWSPreparedRequest, HeadersDict

from benchmarks.signing import as_bytes
from benchmarks.traffic import Head, head_of


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n", Head(200, 12, is_chunked=False, closes=False)),
        ("HTTP/1.1 404 Not Found\r\ncontent-length:0\r\nConnection: close\r\n", Head(404, 0, False, True)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", Head(200, None, is_chunked=True, closes=False)),
        ("HTTP/1.1 200 \r\n", Head(200, None, is_chunked=False, closes=True)),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n", Head(200, 1, is_chunked=False, closes=True)),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive\r\n", Head(200, 1, False, False)),
    ],
)
def test_a_head_says_how_the_body_ends_and_whether_the_connection_stays(text, head):
    assert head_of(text.encode() + b"\r\n") == head


def request(method, url, body=b"", **headers):
    return AWSPreparedRequest(method, url, HeadersDict(headers), body, stream_output=False)


def test_a_request_has_its_path_and_query_as_they_were_signed():
    text = as_bytes(request("GET", "https://a.b:8443/environments/x%2Fy?MaxResults=25", Authorization="sig"))
    assert text == b"GET /environments/x%2Fy?MaxResults=25 HTTP/1.1\r\nHost: a.b:8443\r\nAuthorization: sig\r\n\r\n"


def test_a_body_has_its_length():
    head, _, body = as_bytes(request("POST", "http://a", '{"ü": 1}', **{"X-Signed": b"yes"})).partition(b"\r\n\r\n")
    assert head == b"POST / HTTP/1.1\r\nHost: a\r\nX-Signed: yes\r\nContent-Length: 9"
    assert body == '{"ü": 1}'.encode()
