"""InvokeRestApi: which paths may pass, how Airflow's answers come back, and that nothing holds us up."""

import dataclasses
import json
from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.api.doubles import call, refusal, services
from tests.unit.domain.samples import NOW, environment
from tradewind.access.sessions import SessionRefused
from tradewind.api.callers import Caller
from tradewind.api.calls import Call
from tradewind.api.operations import rest
from tradewind.api.operations.rest import _query, _safe_path, invoke_rest_api
from tradewind.domain.identifiers import EnvironmentId
from tradewind.iam import root_principal
from tradewind.wire import WireError

API = "http://127.0.0.1:18080/api/v2"


# -- paths ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/dags", "/dags"),
        ("dags", "/dags"),
        ("/dags/a b", "/dags/a%20b"),
        ("/dags/a%20b", "/dags/a%20b"),
        ("/dags/dä", "/dags/d%C3%A4"),
        ("/dags/d/dagRuns/manual__2026-03-01T00:00:00+00:00", "/dags/d/dagRuns/manual__2026-03-01T00:00:00+00:00"),
        ("//evil.example.org/dags", "//evil.example.org/dags"),
        ("/dags/a..b", "/dags/a..b"),
        ("/dags/...", "/dags/..."),
        ("/dags/\x7f", "/dags/%7F"),
        ("/@evil.example.org/", "/@evil.example.org/"),
    ],
)
def test_paths_that_pass(path, sent):
    assert _safe_path(path) == sent


@pytest.mark.parametrize(
    "path",
    [
        "..", "/..", "/../x", "/dags/../../../auth", "/dags/.", "/./dags", "/dags/..",
        "/%2e%2e/x", "/%2E%2e", "/.%2e/x", "/%2e/x", "/%252e%252e/x", "/..%2fx", "/dags%2f..%2fx", "/dags/%2e%2e%2fx",
        "/dags?x=1", "/dags#x", "/dags\\..\\x", "/dags\0", "/dags\r\nX: y", "/dags\t",
    ],
)  # fmt: skip
def test_paths_that_do_not(path):
    with pytest.raises(WireError) as refused:
        _safe_path(path)
    assert refused.value.code == "ValidationException"


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60))
def test_whatever_passes_stays_below_the_api(path):
    try:
        sent = _safe_path(path)
    except WireError:
        return
    url = httpx.URL(f"{API}{sent}")
    assert (url.host, url.port) == ("127.0.0.1", 18080)
    assert url.raw_path.startswith(b"/api/v2/")
    assert not url.query
    assert not url.fragment


# -- queries ---------------------------------------------------------------------------------------------------


def test_values_as_airflow_reads_them():
    asked = {"limit": 5, "paused": False, "tags": ["a", "b", True], "x": 1.5, "none": None, "order_by": "-id"}
    assert list(_query(asked)) == [
        ("limit", "5"), ("paused", "false"), ("tags", "a"), ("tags", "b"), ("tags", "true"), ("x", "1.5"),
        ("order_by", "-id"),
    ]  # fmt: skip
    assert list(_query(None)) == []
    assert list(_query({})) == []


@pytest.mark.parametrize("asked", [[], "x=1", 3, {"a": {"b": 1}}, {"a": [[1]]}, {"a": [{}]}])
def test_what_is_no_query_is_refused(asked):
    with pytest.raises(WireError) as refused:
        list(_query(asked))
    assert refused.value.code == "ValidationException"


# -- answers -----------------------------------------------------------------------------------------------------


def invoke(airflow, **members):
    working = services(environment(), airflow=airflow)
    return call(working, "POST", "/restapi/sample", {"Path": "/dags", "Method": "GET"} | members)


def document(response):
    return json.loads(response.body)


def test_an_answer_comes_back_with_its_status():
    seen = []

    def airflow(request):
        seen.append(request)
        return httpx.Response(201, json={"dag_run_id": "r"})

    response = invoke(airflow, Path="/dags/d/dagRuns", Method="POST", Body={"a": 1}, QueryParameters={"q": "ä&b=c"})
    assert (response.status, document(response)) == (
        200, {"RestApiStatusCode": 201, "RestApiResponse": {"dag_run_id": "r"}},
    )  # fmt: skip
    (request,) = seen
    assert str(request.url) == f"{API}/dags/d/dagRuns?q=%C3%A4%26b%3Dc"
    assert json.loads(request.content) == {"a": 1}
    assert request.headers["authorization"] == "Bearer session-1"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_reading_sends_no_body(method):
    seen = []

    def airflow(request):
        seen.append(request.content)
        return httpx.Response(204)

    assert document(invoke(airflow, Method=method, Body={})) == {"RestApiStatusCode": 204, "RestApiResponse": {}}
    assert seen == [b""]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "RestApiClientException"), (404, "RestApiClientException"), (500, "RestApiServerException")],
)
def test_airflows_errors_are_400_with_what_it_said(status, kind):
    response = invoke(lambda _request: httpx.Response(status, json={"detail": "why"}))
    assert refusal(response) == (400, kind, "")
    assert document(response) == {"RestApiStatusCode": status, "RestApiResponse": {"detail": "why"}}


def test_a_redirect_leads_nowhere():
    response = invoke(lambda _request: httpx.Response(307, headers={"location": "http://169.254.169.254/"}))
    assert refusal(response)[1] == "RestApiClientException"
    assert document(response)["RestApiStatusCode"] == 404


@pytest.mark.parametrize("content", [b"plain words", b"{", b"NaN", b'{"a": 1e999}', b"[" * 100_000], ids=repr)
@pytest.mark.parametrize("status", [200, 400])
def test_what_is_no_json_comes_back_as_text(content, status):
    response = invoke(lambda _request: httpx.Response(status, content=content, headers={"content-type": "text/plain"}))
    assert document(response) == {"RestApiStatusCode": status, "RestApiResponse": content.decode()}


def test_a_session_that_airflow_does_not_know_is_replaced_once():
    working = services(
        environment(),
        airflow=lambda r: httpx.Response(401 if r.headers["authorization"].endswith("-1") else 200, json={}),
    )  # fmt: skip
    assert call(working, "POST", "/restapi/sample", {"Path": "/dags", "Method": "GET"}).status == 200
    assert working.sessions.forgotten == ["session-1"]


def test_a_401_that_stays_is_airflows_answer():
    working = services(environment(), airflow=lambda _request: httpx.Response(401, json={}))
    response = call(working, "POST", "/restapi/sample", {"Path": "/dags", "Method": "GET"})
    assert document(response)["RestApiStatusCode"] == 401
    assert working.sessions.given == 2


def raising(error):
    def airflow(_request):
        raise error

    return airflow


@pytest.mark.parametrize(
    ("error", "status"),
    [(httpx.ReadTimeout("x"), 504), (httpx.ConnectError("x"), 503), (SessionRefused("cannot open: no"), 503)],
)
def test_an_airflow_that_does_not_answer(error, status):
    response = invoke(raising(error))
    assert refusal(response) == (400, "RestApiServerException", "")
    assert document(response)["RestApiStatusCode"] == status
    assert document(response)["RestApiResponse"]["status"] == status


def test_an_answer_of_six_megabytes_passes_and_one_byte_more_does_not():
    whole = b'"' + b"x" * (rest._LIMIT - 2) + b'"'
    assert invoke(lambda _request: httpx.Response(200, content=whole)).status == 200
    response = invoke(lambda _request: httpx.Response(200, content=whole + b" "))
    assert document(response)["RestApiStatusCode"] == 502


class Dripping(httpx.SyncByteStream):
    """An answer of which a byte comes now and then: never silent, never ready."""

    def __init__(self, clock):
        self.clock = clock
        self.sent = 0

    def __iter__(self):
        while self.sent < 1000:
            self.clock[0] += timedelta(seconds=3)
            self.sent += 1
            yield b"x"


def test_an_answer_that_drips_ends_after_ten_seconds():
    clock = [NOW]
    stream = Dripping(clock)
    working = services(environment(), airflow=lambda _request: httpx.Response(200, stream=stream), now=lambda: clock[0])
    asked = Call(
        "InvokeRestApi",
        Caller(root_principal("123456789012")),
        {"Name": "sample", "Path": "/dags", "Method": "GET"},
        "r",
        {"x-tradewind-listener": "private"},
    )
    with pytest.raises(WireError) as refused:
        invoke_rest_api(working, asked)
    assert refused.value.members["RestApiStatusCode"] == 504
    assert stream.sent < 6


def test_a_query_longer_than_any_url_is_refused():
    response = invoke(lambda _request: httpx.Response(200, json={}), QueryParameters={"x": "y" * 70_000})
    assert refusal(response)[:2] == (400, "ValidationException")


def test_a_path_may_be_longer_than_the_model_says():
    long = "/dags/" + "d" * 1990
    assert invoke(lambda _request: httpx.Response(200, json={}), Path=long).status == 200
    assert refusal(invoke(raising(AssertionError()), Path="/" + "d" * 2048))[1] == "ValidationException"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "get", "TRACE"])
def test_other_methods_are_refused(method):
    assert refusal(invoke(raising(AssertionError()), Method=method))[1] == "ValidationException"


def test_the_secret_of_another_environment_is_not_used():
    """The assertion secret and port are of the environment that is named."""
    other = dataclasses.replace(environment(), name="other", ports=dataclasses.replace(environment().ports, api=28080))
    seen = []

    def airflow(request):
        seen.append(request.url.port)
        return httpx.Response(200, json={})

    working = services(environment(), other, airflow=airflow)
    call(working, "POST", "/restapi/other", {"Path": "/dags", "Method": "GET"})
    assert seen == [28080]


# -- private environments --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "listener", "status"),
    [
        ("PRIVATE_ONLY", "private", 200),
        ("PRIVATE_ONLY", "public", 403),
        ("PRIVATE_ONLY", "", 403),
        ("PUBLIC_ONLY", "public", 200),
        ("PUBLIC_AND_PRIVATE", "public", 200),
    ],
)
def test_a_private_environment_is_not_called_from_outside(mode, listener, status):
    known = environment()
    known = dataclasses.replace(known, spec=dataclasses.replace(known.spec, webserver_access_mode=mode))
    working = services(known, airflow=lambda _request: httpx.Response(200, json={}))
    asked = {"Path": "/dags", "Method": "GET"}
    response = call(working, "POST", "/restapi/sample", asked, {"X-Tradewind-Listener": listener})
    assert response.status == status
    if status == 403:
        assert refusal(response)[1] == "AccessDeniedException"


def test_a_cookie_of_one_environment_reaches_no_other():
    """Airflow believes its cookie before the bearer's token, and all environments have one address."""
    other = dataclasses.replace(environment(), name="other", ports=dataclasses.replace(environment().ports, api=28080))
    seen = []

    def airflow(request):
        seen.append(request.headers.get("cookie"))
        return httpx.Response(200, json={}, headers={"set-cookie": "_token=of-somebody-else; Path=/"})

    working = services(environment(), other, airflow=airflow)
    for name in ("sample", "other", "sample"):
        call(working, "POST", f"/restapi/{name}", {"Path": "/dags", "Method": "GET"})
    assert seen == [None, None, None]


def test_an_environment_that_hangs_does_not_hold_all_threads(monkeypatch):
    monkeypatch.setattr(rest, "MOST_AT_ONCE", 1)
    other = dataclasses.replace(
        environment(), id=EnvironmentId("bbcdefghjkmn"), name="other",
        ports=dataclasses.replace(environment().ports, api=28080),
    )  # fmt: skip
    seen = []

    def ask(name):
        return call(working, "POST", f"/restapi/{name}", {"Path": "/dags", "Method": "GET"})

    def airflow(request):
        if request.url.port != 28080 and not seen:
            seen.extend([refusal(ask("sample"))[:2], ask("other").status])
        return httpx.Response(200, json={})

    working = services(environment(), other, airflow=airflow)
    assert ask("sample").status == 200
    assert seen == [(400, "ThrottlingException"), 200]
    assert ask("sample").status == 200
    assert not rest._under_way
