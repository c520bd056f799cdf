"""Each sign-in and each command leaves one record, allowed or not; what cannot be recorded does not happen."""

import json

import pytest

from tests.unit.api.doubles import ACCOUNT, LogInMemory, trail
from tests.unit.domain.samples import ID, NOW
from tests.unit.gateway.doubles import Browser, Clock, services
from tests.unit.gateway.test_gateway import (
    CLI,
    LOGIN,
    AirflowThatGivesNoSession,
    CommandsThatSay,
    cli_token,
    door,
    message,
    run,
    web_token,
)
from tradewind.access.limits import Rate, WrongTries
from tradewind.audit import document
from tradewind.domain.errors import TradewindError

pytestmark = pytest.mark.usefixtures("told")


@pytest.fixture
def log():
    return LogInMemory()


def only(log):
    (record,) = log.records
    return document(record)


CALLER = {
    "type": "AssumedRole",
    "arn": f"arn:aws:sts::{ACCOUNT.account_id}:assumed-role/Admin/alice",
    "accountId": ACCOUNT.account_id,
    "sessionContext": {
        "sessionIssuer": {
            "type": "Role",
            "arn": f"arn:aws:iam::{ACCOUNT.account_id}:role/Admin",
            "accountId": ACCOUNT.account_id,
            "userName": "Admin",
        }
    },
}
PLACE = {"name": "sample", "environmentId": str(ID)}


def test_a_sign_in(log):
    token = web_token()
    headers = {"x-forwarded-for": "192.0.2.9", "user-agent": "Firefox"}  # the server has read the former by then
    assert door(log=log).post(LOGIN[0], data={"token": token}, headers=headers).status_code == 200
    found = only(log)
    assert (found["eventName"], found["eventType"], found["eventSource"]) == (
        "AirflowLogin", "AwsConsoleSignIn", "tradewind",
    )  # fmt: skip
    assert found["userIdentity"] == CALLER
    assert found["requestParameters"] == PLACE
    assert found["responseElements"] == {"airflowIdentity": "assumed-role/Admin/alice", "roles": ["Admin"]}
    assert (found["sourceIPAddress"], found["userAgent"]) == ("127.0.0.1", "Firefox")
    assert "errorCode" not in found
    assert token not in json.dumps(found)
    assert "opened" not in json.dumps(found)  # Airflow's session


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        ({"token": "nonsense"}, "AccessDeniedException", {"method": "WebLoginToken", "reason": "altered"}),
        ({"tok": "x"}, "ValidationException", {"method": "WebLoginToken"}),
    ],
)
def test_a_sign_in_that_is_refused(log, body, code, reason):
    answer = door(log=log).post(LOGIN[1], data=body)
    found = only(log)
    assert (found["errorCode"], found["errorMessage"]) == (code, message(answer))
    assert found["userIdentity"] == {"type": "Unknown"}
    assert found["additionalEventData"] == reason
    assert "nonsense" not in json.dumps(found)


def test_a_sign_in_that_airflow_does_not_take(log):
    door(log=log, sessions=AirflowThatGivesNoSession()).post(LOGIN[0], data={"token": web_token()})
    found = only(log)
    assert found["errorCode"] == "ServiceUnavailableException"
    assert found["userIdentity"] == CALLER
    assert found["responseElements"] is None


def test_a_command_is_recorded_before_it_runs_and_without_its_secret(log):
    class CommandsThatLook(CommandsThatSay):
        def __call__(self, *asked):
            assert len(log.records) == 1
            return super().__call__(*asked)

    token, commands = cli_token(), CommandsThatLook()
    assert run(door(log=log, run_cli=commands), "variables set key HUSH", token).status_code == 200
    found = only(log)
    assert len(commands.asked) == 1
    assert (found["eventName"], found["eventType"]) == ("RunAirflowCommand", "AwsApiCall")
    assert found["requestParameters"] == PLACE | {"command": ["variables", "set", "key", "HIDDEN"]}
    assert found["userIdentity"] == CALLER
    assert "HUSH" not in json.dumps(found)
    assert token not in json.dumps(found)


@pytest.mark.parametrize(
    ("line", "token", "code"),
    [
        ("users list", None, "AccessDeniedException"),
        ("version", "nonsense", "AccessDeniedException"),
        ("version", " ", "MissingAuthenticationTokenException"),
        ("'", None, "ValidationException"),
        ("x" * 250_000, None, "RequestEntityTooLargeException"),
    ],
    ids=["not on the list", "no token of ours", "no token", "unreadable", "too long"],
)
def test_a_command_that_is_refused(log, line, token, code):
    commands = CommandsThatSay()
    run(door(log=log, run_cli=commands), line, token)
    assert only(log)["errorCode"] == code
    assert not commands.asked


def test_a_path_that_is_none(log):
    assert door(log=log).get("/aws_mwaa/other").status_code == 404
    assert door(log=log).get(CLI[0]).status_code == 405
    first, second = map(document, log.records)
    assert first["additionalEventData"] == {"method": "GET", "path": "/aws_mwaa/other"}
    assert second["errorCode"] == "UnknownOperationException"


def test_the_page_itself_is_not_recorded(log):
    door(log=log).get("/aws_mwaa/aws-console-sso")
    assert log.records == []


BROKEN = TradewindError("cannot write the audit log: disk")


def test_no_record_no_session(told):
    answer = door(log=LogInMemory(BROKEN)).post(LOGIN[0], data={"token": web_token()})
    assert answer.status_code == 503
    assert "set-cookie" not in answer.headers
    assert [line["event"] for line in told if line["log_level"] == "error"] == ["audit"]


def test_no_record_no_command():
    commands = CommandsThatSay()
    assert run(door(log=LogInMemory(BROKEN), run_cli=commands), "version").status_code == 503
    assert commands.asked == []


def test_outsiders_cannot_fill_the_log(log):
    client = door(log=log, now=NOW)
    for _ in range(100):
        client.post(LOGIN[0], data={"token": "nonsense"})
    assert len(log.records) == 60


@pytest.mark.parametrize("path", [LOGIN[0], CLI[0]])
def test_wrong_tokens_beyond_the_limit_are_recorded_and_lock_no_right_one_out(log, path):
    """Tasks on this machine share an address with people who sign in from it."""
    tries = WrongTries(Clock(), by_source=Rate(3, 0.1), by_key=Rate(9, 1.0))
    browser = Browser(services(tries=tries, trail=trail(log)))

    def ask(token):
        headers = {"authorization": f"Bearer {token}"} if path == CLI[0] else {}
        content = "version" if path == CLI[0] else f"token={token}"
        return browser.request("POST", path, headers=headers, content=content)

    assert [ask("nonsense").status_code for _ in range(5)] == [403, 403, 403, 429, 429]
    assert ask("nonsense").headers["retry-after"] == "10"
    codes = [document(record).get("errorCode") for record in log.records]
    assert codes == [*["AccessDeniedException"] * 3, *["ThrottlingException"] * 3]
    assert ask(cli_token() if path == CLI[0] else web_token()).status_code == 200


class AirflowThatBreaks:
    """A defect of ours, or a database that is away."""

    def open(self, *_):
        raise RuntimeError("HUSH")


def test_an_attempt_that_meets_a_defect_is_recorded_with_who_it_was(log):
    browser = Browser(services(sessions=AirflowThatBreaks(), trail=trail(log)))
    with pytest.raises(RuntimeError):  # handed on to the server, which logs it
        browser.request("POST", LOGIN[0], data={"token": web_token()})
    found = only(log)
    assert (found["eventName"], found["errorCode"]) == ("AirflowLogin", "InternalFailure")
    assert found["userIdentity"] == CALLER
    assert found["errorMessage"] == "An internal error occurred."
    assert "HUSH" not in json.dumps(found)


def test_a_command_that_breaks_has_its_one_record_from_before(log):
    def commands_that_break(*_):
        raise RuntimeError

    browser = Browser(services(run_cli=commands_that_break, trail=trail(log)))
    with pytest.raises(RuntimeError):
        browser.request("POST", CLI[0], content="version", headers={"authorization": f"Bearer {cli_token()}"})
    assert only(log)["eventName"] == "RunAirflowCommand"
