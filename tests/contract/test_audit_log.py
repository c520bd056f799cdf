"""The audit log of a running service: what became of each call and sign-in, and that nobody can change it unseen.

Who is to be refused comes from an address of its own: refusals of one address are limited, and other tests have theirs.
"""

import functools
import json
import socket

import psycopg
import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.conftest import tradewind
from tests.contract import knocking
from tests.contract.entering import HALF_A_MINUTE, post_command
from tests.scenario.insight import superuser

# Of environments' own processes, and what refusals in other tests came to.
BACKGROUND = {"AssumeRole", "RefusalsWithheld"}


@pytest.fixture
def audit(service):
    """`tradewind audit`: status and output."""

    def run(*words):
        done = tradewind("audit", *words, data=service.data_dir)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def records(audit):
    """All records that have these members."""

    def listed(**members):
        status, out, err = audit("list", "--limit", "100000", "--output", "json")
        assert status == 0, err
        found = json.loads(out)["Records"]
        return [one for one in found if all(one.get(name) == value for name, value in members.items())]

    return listed


class FromElsewhere(HTTPAdapter):
    """Connections come from another loopback address."""

    def init_poolmanager(self, *arguments, **named):
        super().init_poolmanager(*arguments, source_address=("127.9.9.8", 0), **named)


@pytest.fixture
def log_in(service):
    """POST a web token to the login endpoint: the status."""
    with requests.Session() as session:
        session.mount("https://", FromElsewhere())

        def post(host, token):
            where = f"https://{host}/aws_mwaa/login"
            return session.post(where, {"token": token}, verify=service.ca_bundle, timeout=HALF_A_MINUTE).status_code

        yield post


def only(found):
    (one,) = found
    return one


def test_an_allowed_call_leaves_one_record(mwaa, service, records):
    answer = mwaa.list_environments()
    found = only(records(requestID=answer["ResponseMetadata"]["RequestId"]))
    assert (found["eventName"], found["readOnly"]) == ("ListEnvironments", True)
    assert found["userIdentity"]["type"] == "Root"
    assert found["userIdentity"]["accessKeyId"] == service.access_key_id
    assert found["sourceIPAddress"] == "127.0.0.1"
    assert found["userAgent"].startswith("Boto3/")
    assert found["recipientAccountId"] == service.account_id
    assert "errorCode" not in found


def test_a_refused_call_leaves_one_record(mwaa, records):
    with pytest.raises(mwaa.exceptions.ResourceNotFoundException) as raised:
        mwaa.get_environment(Name="nobody-made-this")
    found = only(records(requestID=raised.value.response["ResponseMetadata"]["RequestId"]))
    assert found["errorCode"] == "ResourceNotFoundException"
    assert found["requestParameters"] == {"Name": "nobody-made-this"}


def test_a_bad_signature_leaves_one_record_and_no_address_that_the_client_made_up(knock, records, monkeypatch):
    connect = functools.partial(socket.create_connection, source_address=("127.9.9.9", 0))
    monkeypatch.setattr(knocking.socket, "create_connection", connect)
    answer = knock("GET", "/environments/x", secret="wrong", headers=(("X-Forwarded-For", "6.6.6.6"),))
    assert answer.status == 403
    found = only(records(requestID=answer.headers["x-amzn-requestid"]))
    assert (found["userIdentity"]["type"], found["requestParameters"]) == ("Unknown", None)
    assert found["sourceIPAddress"] == "127.9.9.9"


def test_health_is_not_recorded(knock, records):
    before = {one["eventID"] for one in records()}
    assert knock("GET", "/healthz").status == 200
    new = [one for one in records() if one["eventID"] not in before and one["eventName"] not in BACKGROUND]
    assert new == []


def test_sign_ins_and_commands_leave_one_record_each_and_no_token(service, mwaa, environment, records, log_in):
    before = {one["eventID"] for one in records()}
    web, cli = mwaa.create_web_login_token(Name=environment), mwaa.create_cli_token(Name=environment)
    host = web["WebServerHostname"]
    assert [log_in(host, web["WebToken"]) for _ in range(2)] == [200, 403]
    assert post_command(service, host, cli["CliToken"], "variables set audited S3CR3T").status_code == 200
    # an environment's own process may have asked for its role meanwhile
    found = [one for one in records() if one["eventID"] not in before and one["eventName"] not in BACKGROUND]
    assert [(one["eventName"], one.get("errorCode")) for one in found] == [
        ("CreateWebLoginToken", None), ("CreateCliToken", None),
        ("AirflowLogin", None), ("AirflowLogin", "AccessDeniedException"), ("RunAirflowCommand", None),
    ]  # fmt: skip
    text = json.dumps(found)
    assert "S3CR3T" not in text
    assert web["WebToken"] not in text
    assert cli["CliToken"] not in text
    assert found[-1]["requestParameters"]["command"] == ["variables", "set", "audited", "HIDDEN"]


def test_the_log_is_intact_and_a_change_by_the_superuser_is_found(service, mwaa, audit):
    mwaa.list_environments()
    status, out, err = audit("verify")
    assert (status, "The audit log is intact" in out) == (0, True), err
    noted = out.split()[-1]
    assert audit("verify", "--noted", noted)[0] == 0
    with psycopg.connect(superuser(service)) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"), connection.transaction():
            connection.execute("UPDATE audit_records SET record = '{}' WHERE sequence = 1")
        (record,) = connection.execute("SELECT record FROM audit_records WHERE sequence = 1").fetchone()
        change = "UPDATE audit_records SET record = %s WHERE sequence = 1"
        connection.execute("ALTER TABLE audit_records DISABLE TRIGGER append_only")
        connection.execute(change, (record.replace("127.0.0.1", "6.6.6.6") + " ",))
        connection.commit()
        try:
            status, _, err = audit("verify")
            assert (status, err) == (1, "tradewind: cannot trust the audit log: record 1 or its hash was altered\n")
            assert json.loads(audit("verify", "--output", "json")[1])["sequence"] == 1
        finally:
            connection.execute(change, (record,))
            connection.execute("ALTER TABLE audit_records ENABLE TRIGGER append_only")
            connection.commit()
    assert audit("verify")[0] == 0


def test_lists_for_people(audit, mwaa):
    with pytest.raises(mwaa.exceptions.ResourceNotFoundException):
        mwaa.get_environment(Name="nobody-made-this-either")
    status, out, _ = audit("list", "--errors", "--user", "root", "--event", "GetEnvironment", "--since", "5m")
    assert status == 0
    head, *rows = out.splitlines()
    assert head.split() == ["TIME", "WHO", "FROM", "EVENT", "ON", "OUTCOME"]
    assert rows[-1].split()[1:] == [
        "root", "127.0.0.1", "GetEnvironment", "nobody-made-this-either", "ResourceNotFoundException",
    ]  # fmt: skip


def test_without_a_service_it_says_so(tmp_path):
    done = tradewind("audit", "verify", data=tmp_path / "none")
    assert done.returncode == 1
    assert done.stderr.startswith("tradewind: cannot read the audit log: no service was ever started")
