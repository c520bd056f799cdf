"""Every command line ends with one sentence and a status, never a traceback."""

import errno

import botocore.exceptions
import pytest
import typer
from botocore.exceptions import ClientError

from tradewind.cli import running
from tradewind.cli.failures import Failure, airflow_words, explain
from tradewind.domain.errors import CannotStart


def client_error(operation="CreateEnvironment", **response):
    return ClientError(response, operation)


def ssl_error():
    return botocore.exceptions.SSLError(endpoint_url="https://localhost:1/", error=RuntimeError("self-signed"))


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (Failure("cannot x: y", 3), 3, "cannot x: y"),
        (CannotStart("cannot start: port 8443 is taken"), 1, "cannot start: port 8443 is taken"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 1, "cannot use /x: Permission denied"),
        (ZeroDivisionError("division by zero"), 1, "internal error: ZeroDivisionError: division by zero"),
        (
            client_error(Error={"Code": "ValidationException", "Message": "MinWorkers (3)\n is bad."}),
            1,
            "cannot create environment: ValidationException: MinWorkers (3) is bad.",
        ),
        (
            client_error(
                "InvokeRestApi",
                Error={"Code": "RestApiClientException", "Message": ""},
                RestApiStatusCode=404,
                RestApiResponse={"detail": "no such DAG"},
            ),
            1,
            "cannot invoke rest api: RestApiClientException: Airflow answered 404: no such DAG",
        ),
        (
            client_error("InvokeRestApi", Error={"Code": "RestApiServerException"}, RestApiStatusCode=503),
            3,
            "Airflow answered 503: nothing",
        ),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="https://localhost:1/"),
            3,
            "cannot reach the service",
        ),
        (ssl_error(), 3, "its certificate is not trusted here"),
        (botocore.exceptions.NoCredentialsError(), 1, "there are no credentials"),
        (botocore.exceptions.NoRegionError(), 1, "cannot call the service: You must specify a region."),
    ],
)
def test_errors_as_sentences(error, status, words):
    failure = explain(error)
    assert words in failure.sentence
    assert "\n" not in failure.sentence
    assert failure.status == status


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"detail": "gone"}, "gone"),
        ({"detail": [{"msg": "too short"}, {"msg": "not a number"}]}, "too short; not a number"),
        ({"detail": {"reason": "Unique constraint violation"}}, "Unique constraint violation"),
        ("plain\ntext", "plain text"),
        (None, "nothing"),
        ({"other": 1}, "{'other': 1}"),
    ],
)
def test_airflows_own_words(document, words):
    assert airflow_words(document) == words


def ending_with(monkeypatch, error):
    def app(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(running, "app", app)
    monkeypatch.setattr(running, "_let_go_of_output", lambda: None)
    return running.run([])


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "tradewind: interrupted\n"),
        (typer.Abort(), 130, "tradewind: interrupted\n"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (SystemExit(1), 141, ""),  # how typer ends for a broken pipe
        (Failure("cannot x: y", 3, ("a log line", "y")), 3, "tradewind: cannot x: y\n  | a log line\n"),
        (CannotStart("cannot start: z", evidence=("last words",)), 1, "tradewind: cannot start: z\n  | last words\n"),
    ],
)
def test_the_last_words_of_a_command_line(monkeypatch, capsys, error, status, said):
    monkeypatch.delenv("TRADEWIND_DEBUG", raising=False)
    assert ending_with(monkeypatch, error) == status
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["create"], "Missing argument 'NAME'"),
        (["create", "etl"], "Missing option '--dags'"),
        (["up", "--port", "0"], "--port"),
        (["up", "--port", "many"], "--port"),
        (["list", "--output", "yaml"], "--output"),
        (["logs", "etl", "--lines", "-1"], "--lines"),
        (["dags", "etl", "trigger"], "name the DAG"),
        (["dags", "etl", "list", "x"], "list takes no DAG"),
        (["dags", "etl", "fire", "x"], "cannot do fire with DAGs"),
        (["dags", "etl", "trigger", "x", "--conf", "{"], "it is no JSON"),
        (["dags", "etl", "trigger", "x", "--conf", "[1]"], "must be a JSON object"),
        (["dags", "etl", "trigger", "x", "run"], "trigger takes no run"),
        (["dags", "etl", "state", "x", "--wait"], "state takes no --wait"),
        (["logs", "etl", "a", "b", "c"], "name a component, or a DAG and one of its tasks"),
        (["logs", "etl", "worker", "--try", "2"], "--run, --try and --map-index are for a DAG and its task"),
    ],
)
def test_a_command_line_that_makes_no_sense(capsys, arguments, words):
    assert running.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tradewind: cannot ")
    assert words in err
    assert err.count("\n") == 1


def test_no_command_shows_the_help(capsys):
    assert running.run([]) == 2
    assert "Commands:" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["logs", "--help"]])
def test_help_and_version(capsys, arguments):
    assert running.run(arguments) == 0
    assert "tradewind" in capsys.readouterr().out
