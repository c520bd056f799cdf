"""The chain: its order, and that nothing of ours leaks when something of ours breaks."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.api.doubles import ACCOUNT, CREATE, MWAA, call, refusal, services, signed
from tests.unit.domain.samples import environment
from tradewind.api import chain as chain_module
from tradewind.api.chain import Chain
from tradewind.api.requests import RawRequest
from tradewind.iam import Denied

pytestmark = pytest.mark.usefixtures("told")


def answer(working, request):
    return Chain(MWAA, dataclasses.replace(working, now=lambda: datetime.now(UTC))).answer(request, "r-1")


REQUESTS = [
    ("PUT", "/environments/sample", CREATE),
    ("GET", "/environments/sample", None),
    ("GET", "/environments", None),
    ("PATCH", "/environments/sample", {}),
    ("DELETE", "/environments/sample", None),
    ("POST", "/clitoken/sample", None),
    ("POST", "/webtoken/sample", None),
    ("POST", "/restapi/sample", {"Path": "/dags", "Method": "GET"}),
    ("POST", "/metrics/environments/sample", {"MetricData": []}),
    ("GET", "/tags/arn%3Aaws%3Aairflow%3Aus-east-1%3A123456789012%3Aenvironment%2Fsample", None),
]


@pytest.mark.parametrize(("method", "path", "document"), REQUESTS)
def test_who_did_not_sign_gets_403_before_anything_is_looked_up(method, path, document):
    working = services(environment())
    body = b"not even json" if document is not None else b""
    response = answer(working, RawRequest(method, path, "", (("host", "localhost"),), body))
    assert refusal(response)[:2] == (403, "MissingAuthenticationTokenException")
    assert not working.environments.touched


def test_a_wrong_secret_gets_403_before_anything_is_looked_up():
    working = services(environment())
    request = signed("GET", "/environments/sample", secret="wrong")
    assert refusal(answer(working, request))[:2] == (403, "InvalidSignatureException")
    assert not working.environments.touched


def test_an_unknown_key_gets_403():
    request = signed("GET", "/environments/sample")
    headers = tuple((name, value.replace(ACCOUNT.access_key_id, "AKIAOTHER")) for name, value in request.headers)
    assert refusal(answer(services(), dataclasses.replace(request, headers=headers)))[:2] == (
        403, "UnrecognizedClientException",
    )  # fmt: skip


def test_a_request_older_than_five_minutes_gets_403():
    working = dataclasses.replace(services(environment()), now=lambda: datetime.now(UTC) + timedelta(minutes=6))
    response = Chain(MWAA, working).answer(signed("GET", "/environments/sample"), "r-1")
    assert response.status == 403
    assert not working.environments.touched


def test_an_altered_body_gets_403():
    request = signed("PUT", "/environments/e", json.dumps(CREATE).encode())
    altered = dataclasses.replace(request, body=request.body.replace(b"dags", b"dogs"))
    assert refusal(answer(services(), altered))[:2] == (403, "InvalidSignatureException")


def test_who_may_not_call_learns_nothing_more(monkeypatch):
    """Denied comes before the members are checked and before anything is looked up."""
    monkeypatch.setattr(chain_module, "decide", lambda *_: Denied("no"))
    working = services(environment())
    assert refusal(call(working, "PUT", "/environments/sample", {})) == (403, "AccessDeniedException", "no")
    assert not working.environments.touched


def test_members_are_checked_before_anything_is_looked_up():
    working = services()
    status, kind, message = refusal(call(working, "PUT", "/environments/e", CREATE | {"MinWorkers": 0}))
    assert (status, kind) == (400, "ValidationException")
    assert "minWorkers" in message
    assert not working.environments.touched


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/nothing/here"), ("POST", "/environments/x")])
def test_unknown_paths_and_methods(method, path):
    status, kind, _ = refusal(answer(services(), signed(method, path)))
    assert (status, kind) == (404, "UnknownOperationException")


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b"\xff", b'"x"', b'{"DagS3Path":"\\ud800"}', b'{"DagS3Path":' + b"[" * 5000,
        b'{"MinWorkers":' + b"9" * 5000 + b"}", b'{"MinWorkers":NaN}',
    ],
)  # fmt: skip
def test_malformed_bodies(body):
    working = services()
    response = answer(working, signed("PUT", "/environments/e", body))
    assert response.status == 400
    assert not working.environments.touched


@pytest.mark.parametrize(
    "document",
    [
        CREATE | {"DagS3Path": "a\0b"},
        CREATE | {"AirflowConfigurationOptions": {"core.x": "a\0"}},
    ],
)
def test_a_nul_is_refused(document):
    assert refusal(call(services(), "PUT", "/environments/e", document))[:2] == (400, "ValidationException")


def test_what_only_looks_like_a_nul_is_none():
    """Six characters in a value: backslash, u and four digits, as JSON inside JSON has them."""
    working = services(environment(), airflow=lambda _request: chain_answer())
    body = {"Path": "/dags/d/dagRuns", "Method": "POST", "Body": {"conf": json.dumps({"a": "\0"})}}
    assert call(working, "POST", "/restapi/sample", body).status == 200


def chain_answer():
    import httpx

    return httpx.Response(200, json={})


class StoreThatBreaks:
    def find(self, name):
        raise RuntimeError(f"postgresql://tradewind:PASSWORD@127.0.0.1/ {name}")


def test_a_defect_of_ours_is_internal_and_nothing_of_it_leaks(told):
    working = dataclasses.replace(services(), environments=StoreThatBreaks())
    response = call(working, "GET", "/environments/sample")
    assert refusal(response) == (500, "InternalServerException", "An internal error occurred.")
    assert b"PASSWORD" not in response.body
    assert not any("PASSWORD" in value for value in response.headers.values())
    (line,) = [line for line in told if line["action"] == "failed"]
    assert (line["operation"], line["log_level"]) == ("GetEnvironment", "error")
    assert line["request_id"] == response.headers["x-amzn-RequestId"]


def test_every_answer_names_its_request():
    assert answer(services(), signed("GET", "/environments")).headers["x-amzn-RequestId"] == "r-1"
    assert answer(services(), signed("GET", "/nowhere")).headers["x-amzn-RequestId"] == "r-1"


def test_calls_are_logged_without_their_parameters(told):
    call(services(), "PUT", "/environments/e", CREATE | {"AirflowConfigurationOptions": {"core.x": "HUSH"}})
    assert [(line["action"], line["operation"]) for line in told] == [("answered", "CreateEnvironment")]
    assert "HUSH" not in repr(told)


def test_a_name_that_cannot_be_looked_up_is_decided_about_all_the_same():
    for path in ("/environments/a%00b", "/environments/%ED%A0%80", "/environments/" + "a" * 5000):
        assert answer(services(environment()), signed("GET", path)).status == 400
