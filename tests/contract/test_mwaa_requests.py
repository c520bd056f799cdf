"""Bodies, paths and methods as an enemy or an accident sends them: each gets AWS's answer, none gets another's."""

import json

import pytest

MIB = 1024 * 1024
VERSION = {"Path": "/version", "Method": "GET"}


@pytest.fixture
def post(knock, environment):
    """InvokeRestApi with a raw body."""
    return lambda body: knock("POST", f"/restapi/{environment}", body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", "SerializationException"),
        (b'{"Path": "/version", "Method": "GET"', "SerializationException"),
        (b'{"Path": "/version", "Method": "GET"}}', "SerializationException"),
        (b"{'Path': '/version'}", "SerializationException"),
        (b"[]", "SerializationException"),
        (b'"text"', "SerializationException"),
        (b"null", "SerializationException"),
        (b"12", "SerializationException"),
        (b'{"Path": "\xff", "Method": "GET"}', "SerializationException"),
        (json.dumps(VERSION).encode("utf-16"), "SerializationException"),
        (b"\xef\xbb\xbf" + json.dumps(VERSION).encode(), "SerializationException"),
        (b'{"Path": "\\ud800", "Method": "GET"}', "SerializationException"),
        (b'{"Path": "/version", "Method": "GET", "Body": NaN}', "SerializationException"),
        (b'{"Path": "/version", "Method": "GET", "Body": ' + b"9" * 5000 + b"}", "SerializationException"),
        (b"[" * 100_000, "SerializationException"),
        (b'{"Body": ' + b'{"a": ' * 5000 + b"1" + b"}" * 5001, "SerializationException"),
        (b'{"Path": "/a\\u0000", "Method": "GET"}', "ValidationException"),
        (b"", "ValidationException"),
        (b"{}", "ValidationException"),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else value,
)
def test_a_body_that_makes_no_sense(post, body, error):
    answer = post(body)
    assert (answer.status, answer.error) == (400, error)
    assert answer.message


def test_of_a_member_given_twice_the_last_one_counts(post):
    answer = post(b'{"Path": "/nope", "Path": "/version", "Method": "GET"}')
    assert answer.document["RestApiStatusCode"] == 200


def test_text_that_spells_an_escape_is_only_text(mwaa, environment):
    """Six characters, a backslash and `u0000`, are not the NUL character that PostgreSQL cannot store."""
    value = "\\u0000 and \\\\u0000"
    try:
        made = mwaa.invoke_rest_api(
            Name=environment, Path="/variables", Method="POST", Body={"key": "escape", "value": value}
        )
        assert made["RestApiResponse"]["value"] == value
    finally:
        mwaa.invoke_rest_api(Name=environment, Path="/variables/escape", Method="DELETE")


def test_six_megabytes_are_read_and_one_byte_more_is_not(post):
    answer = post(b"x" * (6 * MIB))
    assert (answer.status, answer.error) == (400, "SerializationException")
    for size in (6 * MIB + 1, 8 * MIB):
        answer = post(b"x" * size)
        assert (answer.status, answer.error) == (413, "RequestEntityTooLargeException")


def test_six_megabytes_of_sense_reach_airflow(post):
    def asking(text):
        body = {"logical_date": None, "conf": {"text": text}}
        return json.dumps({"Path": "/dags/none/dagRuns", "Method": "POST", "Body": body})

    whole = asking("x" * (6 * MIB - len(asking(""))))
    assert len(whole) == 6 * MIB
    answer = post(whole)
    assert (answer.status, answer.error) == (400, "RestApiClientException")
    assert answer.document["RestApiStatusCode"] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/", "/nope", "/Environments", "/environments/", "/environments//", "/environments/a/b", "/environments/a/",
        "//environments", "/./environments", "/environments/../environments", "/environments/.", "/environments/..",
        "/environments/%2e%2e/tags", "/environments%2Fa", "/x/../environments", "/tags", "/tags/", "/restapi",
        "/metrics/environments", "/api/v2/dags", "/aws_mwaa/login", "/aws_mwaa/cli", "/%2e%2e/%2e%2e/etc/passwd",
    ],
)  # fmt: skip
def test_a_path_that_is_no_operation(knock, path):
    answer = knock("GET", path)
    if path in {"/environments/.", "/environments/.."}:  # a name of dots, which no environment has
        assert (answer.status, answer.error) == (400, "ValidationException")
    else:
        assert (answer.status, answer.error) == (404, "UnknownOperationException")


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO", "get"])
def test_a_method_that_is_no_operation(knock, method):
    answer = knock(method, "/environments")
    assert (answer.status, answer.error) == (404, "UnknownOperationException")


def test_head_is_no_get(knock):
    answer = knock("HEAD", "/environments")
    assert (answer.status, answer.error, answer.body) == (404, "UnknownOperationException", b"")


@pytest.mark.parametrize("label", ["a%2Fb", "..%2Fshared", "%2e%2e", "a%00b", "a%0d%0ab", "%C3%A9", "a%20b", "9a", "*"])
def test_a_label_is_decoded_once_and_then_checked(knock, label):
    answer = knock("GET", f"/environments/{label}")
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert "'name'" in answer.message


def test_a_label_that_is_no_text(knock):
    answer = knock("GET", "/environments/%ff")
    assert (answer.status, answer.error) == (400, "ValidationException")


def test_a_label_may_be_encoded_more_than_it_must(knock, environment):
    encoded = "".join(f"%{ord(letter):02x}" for letter in environment)
    assert knock("GET", f"/environments/{encoded}").document["Environment"]["Name"] == environment


def test_an_arn_arrives_percent_encoded_or_with_its_colons(knock, service, environment):
    arn = f"arn:aws:airflow:{service.region}:{service.account_id}:environment%2F{environment}"
    for path in (arn, arn.replace(":", "%3A"), arn.replace(":", "%3a").replace("%2F", "%2f")):
        answer = knock("GET", f"/tags/{path}")
        assert answer.status == 200, path
        assert "Tags" in answer.document


@pytest.mark.parametrize("query", ["?MaxResults=abc", "?MaxResults=1&MaxResults=2", "?MaxResults=", "?MaxResults=1.0"])
def test_a_query_that_makes_no_sense(knock, query):
    answer = knock("GET", f"/environments{query}")
    assert (answer.status, answer.error) == (400, "SerializationException")


def test_queries_that_nobody_asked_for_are_ignored(knock, environment):
    assert knock("GET", f"/environments/{environment}?x=1&Name=other").status == 200
    assert knock("GET", "/environments?MaxResults=25&maxresults=0&NextToken=").status == 200


def test_http_1_0_is_understood(knock, environment):
    answer = knock.send(knock.sign("GET", f"/environments/{environment}"), version="HTTP/1.0")
    assert answer.status == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /environments HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /environments HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /environments HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /restapi/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET /environments HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=lambda raw: repr(raw[:50]),
)
def test_what_is_hardly_http_is_refused_and_the_service_lives(knock, raw):
    assert 400 <= knock.write(raw).status < 600
    assert knock("GET", "/environments").status == 200


def test_headers_that_only_the_proxy_may_set_lead_nowhere(knock, mwaa, environment):
    id_ = mwaa.get_environment(Name=environment)["ResponseMetadata"]["HTTPHeaders"]["x-tradewind-environment-id"]
    for name in ("X-Tradewind-Environment", "X_Tradewind_Environment"):
        answer = knock("GET", "/aws_mwaa/aws-console-sso", headers=((name, id_),))
        assert (answer.status, answer.error) == (404, "UnknownOperationException")


def test_an_answer_does_not_say_what_serves_it(knock):
    assert not {"server", "via", "x-powered-by"} & set(knock("GET", "/environments").headers)
