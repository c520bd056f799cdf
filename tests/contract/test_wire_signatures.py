"""botocore signs, we verify: random requests are accepted, and any single change to one is not."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth, normalize_url_path
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from tradewind.wire import Caller, Key, SignedRequest, WireError, verify
from tradewind.wire.sigv4 import _canonical_path

REGION, SERVICE, KEY, SECRET = "eu-west-1", "airflow", "AKIAEXAMPLE", "secret/+=word"

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
SEGMENTS = TEXT.map(lambda text: quote(text, safe="~"))
PATHS = st.lists(SEGMENTS, max_size=4).map(lambda segments: "/" + "/".join(segments))
PAIRS = st.tuples(TEXT.map(lambda text: quote(text, safe="~")), TEXT.map(lambda text: quote(text, safe="~")))
QUERIES = st.lists(PAIRS.filter(lambda pair: pair[0]), max_size=4).map(
    lambda pairs: "&".join(f"{k}={v}" for k, v in pairs)
)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=20)
HEADERS = st.dictionaries(st.sampled_from(["X-Amz-Target", "Content-Type", "x-custom", "Accept"]), VALUES)
METHODS = st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE"])
HOSTS = st.sampled_from(["localhost:8443", "api.localhost:4566", "env.airflow.example.com"])


def signed_by_botocore(  # noqa: PLR0917
    method, path, query, headers, body, host
):
    url = f"https://{host}{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url, headers=headers, data=body)
    SigV4Auth(Credentials(KEY, SECRET), SERVICE, REGION).add_auth(request)
    fields = [(name, value) for name, value in request.headers.items() if name.lower() != "host"]
    return SignedRequest(method, path, query, [("Host", host), *fields], body)


def moment_of(request):
    stamp = next(value for name, value in request.headers if name == "X-Amz-Date")
    return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def verified(request, now):
    return verify(request, region=REGION, service=SERVICE, lookup={KEY: Key(SECRET)}.get, now=now)


REQUESTS = st.builds(signed_by_botocore, METHODS, PATHS, QUERIES, HEADERS, st.binary(max_size=50), HOSTS)


@settings(deadline=None)
@given(REQUESTS)
def test_what_botocore_signs_is_accepted(request):
    assert verified(request, moment_of(request)) == Caller(KEY)


def changed(request, **parts):
    fields = {name: getattr(request, name) for name in ("method", "raw_path", "raw_query", "headers", "body")}
    return SignedRequest(**{**fields, **parts})


def mutations(request):
    """Every single change: another method, path, query or body; each header altered, and each signed one left out."""
    yield changed(request, method="OPTIONS")
    yield changed(request, raw_path=request.raw_path + "x")
    yield changed(request, raw_path=request.raw_path + "%2F")
    yield changed(request, raw_query=request.raw_query + "&x=1")
    yield changed(request, body=request.body + b"x")
    names = next(value for name, value in request.headers if name == "Authorization").split("SignedHeaders=")[1]
    for at, (name, value) in enumerate(request.headers):
        without = [*request.headers[:at], *request.headers[at + 1 :]]
        if name == "Authorization" or name.lower() in names.split(",")[0].split(";"):
            yield changed(request, headers=[*without, (name, value + "0")])
            yield changed(request, headers=[*without, (name, value[:-1] + chr(ord(value[-1]) ^ 1))])
            yield changed(request, headers=without)
            yield changed(request, headers=[*request.headers, (name, "more")])


@settings(deadline=None)
@given(REQUESTS)
def test_any_single_change_is_refused(request):
    now = moment_of(request)
    for mutation in mutations(request):
        with pytest.raises(WireError):
            verified(mutation, now)


@settings(deadline=None)
@given(REQUESTS)
def test_another_secret_region_service_or_time_is_refused(request):
    now = moment_of(request)
    here = {"region": REGION, "service": SERVICE, "lookup": {KEY: Key(SECRET)}.get, "now": now}
    for other in (
        {"region": "us-east-1"},
        {"service": "execute-api"},
        {"lookup": {KEY: Key(SECRET + "x")}.get},
        {"lookup": {}.get},
        {"now": now + timedelta(minutes=5, seconds=1)},
        {"now": now - timedelta(minutes=5, seconds=1)},
    ):
        with pytest.raises(WireError):
            verify(request, **{**here, **other})


@settings(deadline=None)
@given(METHODS, PATHS, QUERIES, HOSTS, st.integers(1, 604_800))
def test_what_botocore_presigns_is_accepted(method, path, query, host, expires):
    url = f"https://{host}{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url)
    SigV4QueryAuth(Credentials(KEY, SECRET), SERVICE, REGION, expires=expires).add_auth(request)
    parts = urlsplit(request.url)
    signed = SignedRequest(method, parts.path, parts.query, [("Host", host)], b"")
    stamp = parse_qs(parts.query)["X-Amz-Date"][0]  # not the clock's: one of a second's life may be over by now
    now = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert verified(signed, now) == Caller(KEY)
    for other in (
        changed(signed, raw_query=parts.query.replace(f"Expires={expires}", f"Expires={expires % 604_800 + 1}")),
        changed(signed, method="OPTIONS"),
        changed(signed, headers=[("Host", "other")]),
        changed(signed, body=b"x"),
    ):
        with pytest.raises(WireError):
            verified(other, now)


@settings(deadline=None)
@given(st.text("abcXYZ019+/=", min_size=1, max_size=60), st.booleans())
def test_what_botocore_signs_with_a_session_token_is_accepted(token, is_presigned):
    signer = SigV4QueryAuth if is_presigned else SigV4Auth
    request = AWSRequest(method="GET", url="https://localhost/x?a=b")
    signer(Credentials(KEY, SECRET, token), SERVICE, REGION).add_auth(request)
    parts = urlsplit(request.url)
    signed = SignedRequest("GET", parts.path, parts.query, [("Host", "localhost"), *request.headers.items()], b"")
    for key, is_accepted in ((Key(SECRET, token), True), (Key(SECRET, token + "x"), False), (Key(SECRET), False)):
        here = {"region": REGION, "service": SERVICE, "lookup": {KEY: key}.get, "now": datetime.now(UTC)}
        if is_accepted:
            assert verify(signed, **here) == Caller(KEY)
        else:
            with pytest.raises(WireError, match="security token included in the request is invalid"):
                verify(signed, **here)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["", ".", "..", "a", "b%2Fc", "..."]), max_size=6).map(lambda parts: "/" + "/".join(parts))
)
def test_paths_are_resolved_as_botocore_resolves_them(path):
    assert _canonical_path(path) == quote(normalize_url_path(path), safe="/~")
