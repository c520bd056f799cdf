"""The endpoint over real loopback sockets: who gets an answer, and who learns nothing."""

import http.client
import json
import socket
import threading
import time

import botocore.credentials
import botocore.utils
import pytest

from tradewind_airflow.credentials import serving
from tradewind_airflow.credentials.role import Credentials, NoCredentials
from tradewind_airflow.credentials.serving import AT_ONCE, PATH, Endpoint

TOKEN = "0123456789abcdef" * 4
ROLE = "arn:aws:iam::111111111111:role/execution"
SECRET = "sEcReT"


class Answers:
    """What the endpoint was asked for, and what it answers."""

    def __init__(self):
        self.asked, self.refusal = 0, None

    def __call__(self):
        self.asked += 1
        if self.refusal is not None:
            raise self.refusal
        return Credentials("ASIAX", SECRET, "token", 0, 4_000_000_000).answer(ROLE)


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def endpoint(answers):
    server = Endpoint(0, TOKEN, answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def ask(endpoint, *, method="GET", path=PATH, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.server_port, timeout=30)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_the_token_opens_it(endpoint):
    status, body = ask(endpoint, Authorization=TOKEN)
    assert status == 200
    assert json.loads(body) == {
        "AccessKeyId": "ASIAX", "SecretAccessKey": SECRET, "Token": "token",
        "Expiration": "2096-10-02T07:06:40Z", "RoleArn": ROLE,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": TOKEN[:-1]}, 401),
        ({"Authorization": TOKEN.upper()}, 401),
        ({"Authorization": f"Bearer {TOKEN}"}, 401),
        ({"Authorization": "ä".encode().decode("latin-1")}, 401),
        ({"Authorization": TOKEN, "Host": "evil.example"}, 403),
        ({"Authorization": TOKEN, "Host": "127.0.0.1"}, 403),
        ({"Authorization": TOKEN, "Host": "127.0.0.1:1"}, 403),
    ],
)
def test_nothing_else_does(endpoint, answers, headers, status):
    found, body = ask(endpoint, **headers)
    assert found == status
    assert SECRET not in body
    assert json.loads(body).keys() == {"code", "message"}
    assert answers.asked == 0


@pytest.mark.parametrize("path", ["/", "/v1/credentials/", "/v1/credentials?x", "/v1", "/../v1/credentials"])
def test_there_is_nothing_but_the_one_path(endpoint, answers, path):
    assert ask(endpoint, path=path, Authorization=TOKEN)[0] == 404
    assert answers.asked == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "DELETE", "OPTIONS"])
def test_there_is_nothing_but_get(endpoint, answers, method):
    assert ask(endpoint, method=method, Authorization=TOKEN)[0] == 501
    assert answers.asked == 0


def test_a_refusal_reaches_who_asked_in_its_own_words(endpoint, answers):
    answers.refusal = NoCredentials(403, "RoleUnavailable", "cannot give credentials: there is no role execution")
    status, body = ask(endpoint, Authorization=TOKEN)
    assert status == 403
    assert json.loads(body) == {"code": "RoleUnavailable", "message": answers.refusal.sentence}


def test_it_listens_on_loopback_alone(endpoint):
    assert endpoint.server_address[0] == "127.0.0.1"


def test_more_than_it_has_room_for_are_sent_away_and_room_comes_back(endpoint, monkeypatch):
    monkeypatch.setattr(serving, "_REQUEST_SECONDS", 60)
    crowd = [socket.create_connection(("127.0.0.1", endpoint.server_port), timeout=30) for _ in range(AT_ONCE)]
    late = socket.create_connection(("127.0.0.1", endpoint.server_port), timeout=30)
    assert late.recv(1) == b""
    for each in (*crowd, late):
        each.close()
    for _ in range(100):
        try:
            assert ask(endpoint, Authorization=TOKEN)[0] == 200
        except (http.client.HTTPException, OSError):
            continue
        return
    pytest.fail("no room came back")


def test_a_request_that_drips_in_does_not_hold_its_place(endpoint, answers, monkeypatch):
    """Every task on the machine can reach the port: so many of these would keep the environment's own tasks out."""
    monkeypatch.setattr(serving, "_REQUEST_SECONDS", 0.3)
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", endpoint.server_port), timeout=0.05) as slow:
        slow.sendall(f"GET {PATH} HTTP/1.1\r\nX: ".encode())
        while time.monotonic() < began + 60:
            try:
                if slow.recv(1000) == b"":
                    break
            except TimeoutError:  # nothing yet: a byte more
                slow.sendall(b"x")
            except ConnectionError:
                break
    assert time.monotonic() - began < 30
    assert answers.asked == 0


def provider(endpoint, token):
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{endpoint.server_port}{PATH}",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
    }
    fetcher = botocore.utils.ContainerMetadataFetcher(sleep=lambda _seconds: None)
    return botocore.credentials.ContainerProvider(environ=environ, fetcher=fetcher)


def test_botocore_takes_it(endpoint):
    found = provider(endpoint, TOKEN).load().get_frozen_credentials()
    assert (found.access_key, found.secret_key, found.token) == ("ASIAX", SECRET, "token")


def test_botocore_shows_people_the_reason(endpoint, answers):
    answers.refusal = NoCredentials(403, "RoleUnavailable", "there is no role execution")
    with pytest.raises(botocore.exceptions.CredentialRetrievalError, match="there is no role execution"):
        provider(endpoint, TOKEN).load().get_frozen_credentials()
