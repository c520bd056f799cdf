"""InvokeRestApi as boto3's users know it: every method, query values of every JSON type, Airflow's own errors whole."""

import time
from urllib.parse import quote

import psutil
import pytest

from tests.conftest import eventually, patient_rest
from tests.contract.test_mwaa_environments import refused
from tests.scenario.insight import row_of

DAG = "simple"


@pytest.fixture
def ask(mwaa, environment):
    """InvokeRestApi: (status, response)."""

    def asking(method, path, **members):
        answer = patient_rest(mwaa, Name=environment, Method=method, Path=path, **members)
        assert set(answer) == {"RestApiStatusCode", "RestApiResponse", "ResponseMetadata"}
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        return answer["RestApiStatusCode"], answer["RestApiResponse"]

    return asking


@pytest.fixture
def refuse(mwaa, environment):
    """The error of a call that must fail."""
    return lambda method, path, **members: refused(
        mwaa.invoke_rest_api, Name=environment, Method=method, Path=path, **members
    )


@pytest.fixture
def dag(ask, refuse):
    """A DAG that Airflow knows. It is paused, so that its runs stay queued."""
    eventually(lambda: DAG in ids(ask("GET", "/dags")[1]), seconds=60, what="the DAG to be known")
    ask("PATCH", f"/dags/{DAG}", Body={"is_paused": True})
    yield DAG
    for run in ask("GET", f"/dags/{DAG}/dagRuns", QueryParameters={"run_id_pattern": "contract"})[1]["dag_runs"]:
        ask("PATCH", f"/dags/{DAG}/dagRuns/{run['dag_run_id']}", Body={"state": "failed"})
        ask("DELETE", f"/dags/{DAG}/dagRuns/{run['dag_run_id']}")


def ids(answer):
    return {found["dag_id"] for found in answer["dags"]}


def test_each_method_and_an_answer_without_a_body(ask, refuse):
    status, made = ask("POST", "/variables", Body={"key": "contract", "value": "ü ✓ \U0001f600"})
    assert (status, made["value"]) == (201, "ü ✓ \U0001f600")
    assert ask("GET", "/variables/contract") == (200, made)
    status, changed = ask("PATCH", "/variables/contract", Body={"key": "contract", "value": "new"})
    assert (status, changed["value"]) == (200, "new")
    assert ask("DELETE", "/variables/contract") == (204, {})
    response = refuse("PUT", "/variables/contract", Body={"key": "contract", "value": "x"})
    assert response["RestApiStatusCode"] == 405  # Airflow 3 has no PUT there
    assert refuse("GET", "/variables/contract")["RestApiStatusCode"] == 404


def test_a_path_may_lack_its_slash(ask):
    assert ask("GET", "version") == ask("GET", "/version")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"dag_id_pattern": "simple"}, {"simple"}),
        ({"limit": 1, "order_by": "-dag_id", "dag_id_pattern": "simple"}, {"simple"}),
        ({"tags": ["tests"], "dag_id_pattern": "simple"}, {"simple"}),
        ({"tags": ["tests", "nobody-has-this"], "tags_match_mode": "all"}, set()),
        ({"tags": "tests", "dag_id_pattern": "simple"}, {"simple"}),
        ({"paused": True, "dag_id_pattern": "simple"}, {"simple"}),
        ({"paused": False, "dag_id_pattern": "simple"}, set()),
        ({"paused": None, "offset": 0, "dag_id_pattern": "simple"}, {"simple"}),
        ({"nobody_knows_this": 1.5, "dag_id_pattern": "simple"}, {"simple"}),
        ({"dag_id_pattern": "simple&limit=0 ü%41"}, set()),
        ({"tags": [], "dag_id_pattern": "simple"}, {"simple"}),
        ({}, None),
    ],
    ids=str,
)
def test_query_values_of_every_type(ask, dag, query, found):
    status, answer = ask("GET", "/dags", QueryParameters=query)
    assert status == 200
    assert found is None or ids(answer) == found


@pytest.mark.parametrize("query", [["a"], "a=b", 1, True, {"a": {"b": 1}}, {"a": [["b"]]}, {"a": [{}]}], ids=str)
def test_a_query_that_is_none(refuse, query):
    response = refuse("GET", "/dags", QueryParameters=query)
    assert response["Error"]["Code"] == "ValidationException"
    assert "QueryParameters" in response["Error"]["Message"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/dags/nobody-wrote-this", None, 404),
        ("GET", "/no/such/thing", None, 404),
        ("DELETE", "/version", None, 405),
        ("POST", f"/dags/{DAG}/dagRuns", {"logical_date": "yesterday"}, 422),
        ("POST", f"/dags/{DAG}/dagRuns", None, 422),
        ("GET", "/config", None, 403),
    ],
)
@pytest.mark.usefixtures("dag")
def test_an_error_of_airflow_reaches_the_caller_whole(refuse, method, path, body, status):
    response = refuse(method, path, **({} if body is None else {"Body": body}))
    assert response["Error"]["Code"] == "RestApiClientException"
    assert response["Error"]["Message"] == ""  # as AWS: the shape has no message
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["RestApiStatusCode"] == status
    assert response["RestApiResponse"]


def test_a_conflict_and_the_modelled_exception(mwaa, environment, ask, dag):
    body = {"dag_run_id": "contract-1", "logical_date": None}
    assert ask("POST", f"/dags/{dag}/dagRuns", Body=body)[1]["dag_run_id"] == "contract-1"
    with pytest.raises(mwaa.exceptions.RestApiClientException) as raised:
        mwaa.invoke_rest_api(Name=environment, Method="POST", Path=f"/dags/{dag}/dagRuns", Body=body)
    assert raised.value.response["RestApiStatusCode"] == 409
    assert "detail" in raised.value.response["RestApiResponse"]


def test_run_ids_make_paths_longer_than_the_model_says(ask, dag):
    run = f"contract__2026-01-01T00:00:00+00:00_{'x' * 150}"
    ask("POST", f"/dags/{dag}/dagRuns", Body={"dag_run_id": run, "logical_date": None})
    path = f"/dags/{dag}/dagRuns/{run}"
    assert len(path) > 64
    assert ask("GET", path)[1]["dag_run_id"] == run
    assert ask("GET", f"{path}/taskInstances")[1]["task_instances"]
    assert ask("GET", path.replace(":", "%3A").replace("+", "%2B"))[1]["dag_run_id"] == run


def test_a_path_of_2048_characters_is_passed_on_and_one_more_is_not(refuse):
    longest = "/dags/" + "d" * 2042
    assert refuse("GET", longest)["RestApiStatusCode"] == 404
    response = refuse("GET", f"{longest}d")
    assert response["Error"]["Code"] == "ValidationException"
    assert "'path'" in response["Error"]["Message"]


@pytest.mark.parametrize("key", ["a/b c", "%41", "a;b=c,d", "ü", "a%2Fb", "[x]", "a'\"b", "a&b"])
def test_a_path_may_hold_what_is_encoded(ask, key):
    ask("POST", "/variables", Body={"key": key, "value": "v"})
    path = f"/variables/{quote(key, safe='')}"
    try:
        assert ask("GET", path)[1]["key"] == key
    finally:
        assert ask("DELETE", path)[0] == 204


@pytest.mark.parametrize(
    "path",
    [
        "/../", "/..", "/../../auth/token", "/dags/../../../auth/tradewind/session", "/%2e%2e/x", "/%2E%2E%2Fx",
        "/dags/%252e%252e/x", "/./dags", "/dags/.", "\\..\\x", "/dags?limit=1", "/dags#x", "/dags/a\r\nHost: x",
        "/dags/a%0d%0aHost:%20x", "/dags/%00", "/dags/\x01",
    ],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused(refuse, path):
    response = refuse("GET", path)
    assert response["Error"]["Code"] == "ValidationException"
    assert response["Error"]["Message"].startswith("Path must not hold")


@pytest.mark.parametrize(
    "path",
    ["//", "//dags", "/dags/", "/api/v2/dags", "http://127.0.0.1:1/", "@127.0.0.1:1/dags", ":80/", "/%", " /dags"],
)
def test_a_path_that_leads_nowhere_is_airflows_404(refuse, path):
    response = refuse("GET", path)
    assert response["Error"]["Code"] == "RestApiClientException"
    assert response["RestApiStatusCode"] == 404


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "get", "TRACE", ""])
def test_a_method_that_the_model_does_not_have(knock, environment, method):
    answer = knock("POST", f"/restapi/{environment}", {"Path": "/dags", "Method": method})
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert "'method'" in answer.message


def test_the_caller_is_an_admin_named_after_the_identity(ask, mwaa, environment):
    identity = mwaa.create_web_login_token(Name=environment)["AirflowIdentity"]
    ask("POST", "/variables", Body={"key": "contract-who", "value": "x"})
    ask("DELETE", "/variables/contract-who")
    events = ask("GET", "/eventLogs", QueryParameters={"order_by": "-event_log_id", "limit": 2})[1]["event_logs"]
    assert {event["owner"] for event in events} == {identity}
    assert ask("GET", "/connections")[0] == 200
    assert ask("GET", "/pools")[0] == 200


def test_an_answer_that_goes_on_for_too_long_is_cut(ask, refuse, dag):
    """Airflow's `wait` says something each second until a run ends, and this run never does: the DAG is paused."""
    ask("POST", f"/dags/{dag}/dagRuns", Body={"dag_run_id": "contract-wait", "logical_date": None})
    begun = time.monotonic()
    response = refuse("GET", f"/dags/{dag}/dagRuns/contract-wait/wait", QueryParameters={"interval": 1})
    assert 9 < time.monotonic() - begun < 45
    assert response["Error"]["Code"] == "RestApiServerException"
    assert response["RestApiStatusCode"] == 504
    assert "10 seconds" in response["RestApiResponse"]["detail"]


def test_a_web_server_that_does_not_answer_is_not_waited_for(service, environment, ask, refuse):
    assert ask("GET", "/version")[0] == 200  # there is a session: asking for one would be the wait that fails, with 503
    port = row_of(service, environment)[1]["api"]
    every = psutil.process_iter(["cmdline"])
    server = next(each for each in every if f"port:{port}" in " ".join(each.info["cmdline"] or ()))
    stopped = [server, *server.children(recursive=True)]
    try:
        for process in stopped:
            process.suspend()
        begun = time.monotonic()
        response = refuse("GET", "/version")
        seconds = time.monotonic() - begun
    finally:
        for process in reversed(stopped):
            process.resume()
    assert 9 < seconds < 45
    assert response["Error"]["Code"] == "RestApiServerException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["RestApiStatusCode"] == 504
    assert ask("GET", "/version")[0] == 200
    assert psutil.pid_exists(server.pid)
