"""CreateCliToken and `/aws_mwaa/cli`: the user guide's sample works, and nothing gets in that should not."""

import base64
import json
import re

import pytest
import requests

from tests.conftest import eventually
from tests.contract.entering import ago, claims, grant_like, key_of, post_command, run_command, tampered
from tradewind.access.tokens import mint_cli_token

OTHER = "aaaaaaaaaaaa"


@pytest.fixture
def token(mwaa, environment):
    return mwaa.create_cli_token(Name=environment)


@pytest.fixture
def command(service, environment):
    """Runs a command with a token of its own."""
    return lambda words: run_command(service, environment, words)


def test_a_token_names_the_host_and_is_good_for_a_minute(mwaa, environment, token):
    assert {"CliToken", "WebServerHostname"} == set(token) - {"ResponseMetadata"}
    assert token["WebServerHostname"] == mwaa.get_environment(Name=environment)["Environment"]["WebserverUrl"]
    said = claims(token["CliToken"])
    assert said["exp"] - said["iat"] == 60


def test_the_answer_is_one_line_of_base64_in_json(service, environment, token):
    answer = post_command(service, token["WebServerHostname"], token["CliToken"], "version")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.text.splitlines()) == 1
    document = answer.json()
    assert set(document) == {"stdout", "stderr"}
    assert re.fullmatch(r"[A-Za-z0-9+/]+=*", document["stdout"])
    assert base64.b64decode(document["stdout"]) == b"3.3.1\n"


def test_what_is_asked_for_as_json_is_json_and_nothing_else(command):
    def listed():
        return {dag["dag_id"] for dag in json.loads(command("dags list -o json").stdout)}

    eventually(lambda: {"simple", "inward"} <= listed(), seconds=60, what="the DAGs to be listed")


def test_a_dag_is_triggered(service, environment, command):
    def known():
        return "simple" in {dag["dag_id"] for dag in service.rest(environment, "GET", "/dags")["dags"]}

    eventually(known, seconds=60, what="the DAG to be known")
    service.rest(environment, "PATCH", "/dags/simple", Body={"is_paused": True})  # nobody works at the run but this
    said = command('dags trigger simple --run-id contract-cli --conf \'{"a": "b c"}\' -o json')
    try:
        assert json.loads(said.stdout)[0]["dag_run_id"] == "contract-cli"
        run = service.rest(environment, "GET", "/dags/simple/dagRuns/contract-cli")
        assert run["conf"] == {"a": "b c"}
    finally:
        path = "/dags/simple/dagRuns/contract-cli"
        service.rest(environment, "PATCH", path, Body={"state": "failed"})
        service.rest(environment, "DELETE", path)


def test_variables_are_set_and_read(command):
    try:
        assert "contract-cli" in command("variables set contract-cli 'a  b'").stdout
        assert command("variables get contract-cli").stdout == "a  b\n"
    finally:
        command("variables delete contract-cli")


def test_a_connection_is_added(service, environment, command):
    try:
        assert command("connections add contract-cli --conn-uri http://user:pass-word@host:1234/x").stdout
        found = service.rest(environment, "GET", "/connections/contract-cli")
        assert (found["host"], found["port"], found["login"]) == ("host", 1234, "user")
    finally:
        service.rest(environment, "DELETE", "/connections/contract-cli")


def test_a_command_that_fails_says_so_on_stderr(command):
    said = command("variables get nobody-set-this")
    assert said.stdout == ""
    assert "nobody-set-this" in said.stderr


@pytest.mark.parametrize(
    "words",
    [
        "users list", "config list", "db migrate", "db shell", "connections list", "connections get x",
        "variables export /tmp/x", "airflow version", "/bin/sh", "--help; id", "version; id", "dags", "dags backfill x",
        "-v version", "-- version", "dags show simple --save /tmp/x.png",
        "tasks test simple give 2026-01-01 --env-vars {}",
        "celery worker", "standalone", "info", "plugins",
    ],
)  # fmt: skip
def test_a_command_that_is_not_on_the_list_is_refused(service, token, words):
    answer = post_command(service, token["WebServerHostname"], token["CliToken"], words)
    assert answer.status_code == 403
    assert answer.json()["message"]


@pytest.mark.parametrize("words", ["", "   ", "dags 'list", "version \\", "a\0b"])
def test_a_command_that_cannot_be_read(service, token, words):
    answer = post_command(service, token["WebServerHostname"], token["CliToken"], words)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("cannot read the command: ")


def test_a_command_of_any_length_is_not_read(service, token):
    answer = post_command(service, token["WebServerHostname"], token["CliToken"], f"variables set x {'x' * 250_000}")
    assert answer.status_code == 413


@pytest.mark.parametrize("how", tampered("a.eyJhIjoxfQ.b"))
def test_a_token_that_was_tampered_with(service, token, how):
    answer = post_command(service, token["WebServerHostname"], tampered(token["CliToken"])[how], "version")
    assert answer.status_code == 403
    assert answer.json() == {"message": "The token is not valid."}


def test_a_token_for_signing_in(service, mwaa, environment, token):
    web = mwaa.create_web_login_token(Name=environment)["WebToken"]
    answer = post_command(service, token["WebServerHostname"], web, "version")
    assert (answer.status_code, answer.json()["message"]) == (403, "The token is not valid.")


def test_a_token_of_another_environment(service, token):
    other = mint_cli_token(grant_like(token["CliToken"], environment=OTHER), key_of(service), ago(0))
    answer = post_command(service, token["WebServerHostname"], other, "version")
    assert (answer.status_code, answer.json()["message"]) == (403, "The token is not valid.")


@pytest.mark.parametrize(("age", "status"), [(50, 200), (60, 403), (3600, 403)])
def test_a_token_is_good_for_sixty_seconds(service, token, age, status):
    old = mint_cli_token(grant_like(token["CliToken"]), key_of(service), ago(age))
    answer = post_command(service, token["WebServerHostname"], old, "users list" if status == 403 else "version")
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["message"] == "The token has expired. Ask for a new one."


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "{token}", "Token {token}"])
def test_a_request_without_a_token(service, token, authorization):
    headers = {} if authorization is None else {"Authorization": authorization.format(token=token["CliToken"])}
    url = f"https://{token['WebServerHostname']}/aws_mwaa/cli"
    answer = requests.post(url, headers=headers, data="version", verify=service.ca_bundle, timeout=30)
    assert answer.status_code == 401


def test_a_token_in_the_query_does_not_count(service, token):
    url = f"https://{token['WebServerHostname']}/aws_mwaa/cli?token={token['CliToken']}"
    assert requests.post(url, data="version", verify=service.ca_bundle, timeout=30).status_code == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/aws_mwaa/cli", "/pluginsv2/aws_mwaa/cli"])
def test_commands_are_posted(service, token, method, path):
    headers = {"Authorization": f"Bearer {token['CliToken']}"}
    url = f"https://{token['WebServerHostname']}{path}"
    answer = requests.request(method, url, headers=headers, data="version", verify=service.ca_bundle, timeout=30)
    assert answer.status_code == 405


def test_the_other_path_and_its_trailing_slash(service, token):
    for path in ("/pluginsv2/aws_mwaa/cli", "/aws_mwaa/cli/"):
        answer = post_command(service, token["WebServerHostname"], token["CliToken"], "users list", path)
        assert (answer.status_code, "users" in answer.json()["message"]) == (403, True)


def test_at_the_apis_own_host_there_is_no_command_line(service, token):
    host = service.endpoint_url.removeprefix("https://")
    answer = post_command(service, host, token["CliToken"], "version")
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")
