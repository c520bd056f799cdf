"""The AWS CLI from PyPI, in a virtualenv of its own, with nothing but the variables that `up` prints.

The virtualenv is made once for a lock file, in `$TRADEWIND_TEST_RUNTIMES` (default `.venvs/`), and used again: the
CLI pins a botocore of its own, which must not meet ours.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import NETWORK, ROLE, ROOT

LOCK = ROOT / "requirements" / "awscli.txt"
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="session")
def program():
    """The CLI's own interpreter and script."""
    kept = Path(os.environ.get("TRADEWIND_TEST_RUNTIMES", ROOT / ".venvs"))
    folder = kept / f"awscli-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    done = folder / ".installed"
    if not done.exists():
        subprocess.run([UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True, timeout=120)
        subprocess.run(
            [UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python", "--require-hashes", "-r", LOCK],
            check=True, timeout=240,
        )  # fmt: skip
        done.touch()
    return [str(folder / "bin" / "python"), str(folder / "bin" / "aws")]


@pytest.fixture
def aws(program, service, tmp_path):
    """Runs `aws mwaa ...` as a person would after the exports."""

    def run(*arguments, **variables):
        surroundings = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_PAGER": ""}
        return subprocess.run(
            [*program, "mwaa", *arguments], env=surroundings | service.variables() | variables,
            capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    return run


def told(done):
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout) if done.stdout.strip() else None


def test_get_environment(aws, service, environment):
    found = told(aws("get-environment", "--name", environment))["Environment"]
    assert found["Status"] == "AVAILABLE"
    assert found["LastUpdate"]["Status"] == "SUCCESS"
    assert isinstance(found["CreatedAt"], int | float)  # the CLI prints times as they come
    told(aws("list-tags-for-resource", "--resource-arn", found["Arn"]))
    text = aws("get-environment", "--name", environment, "--query", "Environment.Status", "--output", "text")
    assert (text.returncode, text.stdout) == (0, "AVAILABLE\n")
    assert service.secret_access_key not in text.stdout


def test_list_environments_page_by_page(aws, environment, failed):
    name = failed()["Name"]
    found = told(aws("list-environments", "--page-size", "1"))
    assert {name, environment} <= set(found["Environments"])
    limited = told(aws("list-environments", "--max-items", "1"))
    assert len(limited["Environments"]) == 1
    rest = told(aws("list-environments", "--starting-token", limited["NextToken"]))
    assert sorted(limited["Environments"] + rest["Environments"]) == sorted(found["Environments"])


def test_create_and_delete(aws, service, unused):
    name = unused()
    made = aws(
        "create-environment", "--name", name, "--execution-role-arn", ROLE, "--source-bucket-arn",
        "arn:aws:s3:::is-not-there", "--dag-s3-path", "dags", "--network-configuration", json.dumps(NETWORK),
        "--environment-class", "mw1.micro", "--tags", "a=b,c=d", "--airflow-configuration-options",
        '{"core.default_timezone":"utc"}',
    )  # fmt: skip
    assert told(made) == {"Arn": f"arn:aws:airflow:{service.region}:{service.account_id}:environment/{name}"}
    found = service.wait(name)
    assert found["Tags"] == {"a": "b", "c": "d"}
    assert found["AirflowConfigurationOptions"] == {"core.default_timezone": "utc"}
    assert told(aws("delete-environment", "--name", name)) is None
    service.wait_gone(name)


def test_invoke_rest_api(aws, environment):
    call = ("invoke-rest-api", "--name", environment, "--method", "GET")
    query = ("--query-parameters", '{"limit": 1, "paused": null, "order_by": ["dag_id"]}')
    found = told(aws(*call, "--path", "/dags", *query))
    assert found["RestApiStatusCode"] == 200
    assert "dags" in found["RestApiResponse"]


def test_tokens(aws, environment):
    cli = told(aws("create-cli-token", "--name", environment))
    web = told(aws("create-web-login-token", "--name", environment))
    assert cli["WebServerHostname"] == web["WebServerHostname"]
    assert cli["CliToken"] != web["WebToken"]
    assert web["IamIdentity"] == "root"


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (("get-environment", "--name", "nobody-made-this"), {},
         "An error occurred (ResourceNotFoundException) when calling the GetEnvironment operation: "),
        (("get-environment", "--name", "9"), {}, "An error occurred (ValidationException)"),
        (("list-environments",), {"AWS_SECRET_ACCESS_KEY": "x"}, "An error occurred (InvalidSignatureException)"),
        (("list-environments",), {"AWS_ACCESS_KEY_ID": "x"}, "An error occurred (UnrecognizedClientException)"),
        (("update-environment", "--name", "{environment}", "--airflow-version", "2.10.3"), {},
         "Airflow version 2.10.3 is not supported. Supported versions: "),
        (("invoke-rest-api", "--name", "{environment}", "--method", "GET", "--path", "/dags/none"), {},
         "An error occurred (RestApiClientException) when calling the InvokeRestApi operation"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)  # fmt: skip
def test_an_error_is_shown_and_the_status_says_so(aws, environment, arguments, variables, words):
    done = aws(*(argument.format(environment=environment) for argument in arguments), **variables)
    assert done.returncode in {254, 255}  # newer and older releases of the CLI
    assert words in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
