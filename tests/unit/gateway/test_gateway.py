"""The gateway: sign-in page, web login and Airflow's command line, with a store and an Airflow in memory."""

import asyncio
import base64
import dataclasses
import hashlib
import json
import re
from datetime import timedelta

import httpx
import pytest

from tests.unit.access.doubles import TokensInMemory
from tests.unit.api.doubles import ACCOUNT, EnvironmentsInMemory, SessionsForEveryone, trail
from tests.unit.domain.samples import ID, NOW, environment
from tradewind.access.sessions import SessionRefused
from tradewind.access.tokens import Grant, mint_cli_token, mint_web_token
from tradewind.domain.environments import Phase, Target
from tradewind.domain.identifiers import EnvironmentId
from tradewind.domain.manifests import Completed
from tradewind.gateway import GatewayServices, create_gateway, is_for_gateway
from tradewind.gateway import command as command_module

pytestmark = pytest.mark.usefixtures("told")

OTHER = EnvironmentId("bbcdefghjkmn")
GRANT = Grant(ID, "sample", "assumed-role/Admin/alice", "assumed-role/Admin/alice", ("Admin",))
LOGIN = ["/aws_mwaa/login", "/pluginsv2/aws_mwaa/login"]
CLI = ["/aws_mwaa/cli", "/pluginsv2/aws_mwaa/cli"]


class AirflowThatGivesNoSession(SessionsForEveryone):
    def open(self, *_):
        raise SessionRefused("cannot open a session: its API server answers 500 SECRET")


class CommandsThatSay:
    """Airflow's command line: remembers what it was asked and answers the same each time."""

    def __init__(self, completed=None):
        self.completed = completed or Completed(0, b"out", b"err")
        self.asked = []

    def __call__(self, environment, arguments):
        self.asked.append((environment.name, arguments))
        return self.completed


class Door:
    """A client of the application itself: each request comes with the proxy's mark."""

    def __init__(self, application):
        self.application = application

    def request(self, method, path, headers=(), **how):
        async def ask():
            transport = httpx.ASGITransport(self.application)
            async with httpx.AsyncClient(transport=transport, base_url="https://host") as client:
                marked = {"x-tradewind-environment": str(ID)} | dict(headers)
                return await client.request(method, path, headers=marked, **how)

        return asyncio.run(ask())

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, **how):
        return self.request("POST", path, **how)


def door(*known, run_cli=None, sessions=None, now=NOW, log=None):
    services = GatewayServices(
        account=ACCOUNT,
        environments=EnvironmentsInMemory(*(known or (environment(),))),
        sessions=sessions or SessionsForEveryone(),
        used_tokens=TokensInMemory(),
        run_cli=run_cli or CommandsThatSay(),
        now=lambda: now,
        trail=trail(log),
    )
    return Door(create_gateway(services))


def web_token(grant=GRANT, key=ACCOUNT.token_key, now=NOW):
    return mint_web_token(grant, key, now)


def cli_token(grant=GRANT, key=ACCOUNT.token_key, now=NOW):
    return mint_cli_token(grant, key, now)


def message(answer):
    return answer.json()["message"]


# -- which requests are for the gateway ---------------------------------------------------------------------------


def test_only_what_the_proxy_marked_is_for_the_gateway():
    assert is_for_gateway({"headers": [(b"x-tradewind-environment", b"x")]})
    assert not is_for_gateway({"headers": [(b"host", b"x"), (b"x-tradewind", b"x")]})


@pytest.mark.parametrize("path", ["/", "/aws_mwaa", "/aws_mwaa/other", "/pluginsv2/aws_mwaa/", "/api/v2/dags"])
def test_other_paths_are_not_found(path):
    assert door().get(path).status_code == 404


@pytest.mark.parametrize("path", [*LOGIN, *CLI])
def test_posting_paths_take_no_get(path):
    assert door().get(path).status_code == 405


# -- the page ------------------------------------------------------------------------------------------------------


@pytest.fixture
def page():
    return door().get("/aws_mwaa/aws-console-sso?login=true")


def test_the_page_is_the_same_at_both_paths(page):
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert door().get("/pluginsv2/aws_mwaa/aws-console-sso").text == page.text


@pytest.mark.parametrize(("element", "directive"), [("script", "script-src"), ("style", "style-src")])
def test_the_policy_allows_exactly_the_pages_own_script_and_style(page, element, directive):
    (inline,) = re.findall(rf"<{element}>(.*?)</{element}>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy[directive] == f"'sha256-{digest}'"
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"


def test_the_page_is_not_kept_framed_or_told_to_others(page):
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["x-content-type-options"] == "nosniff"


def test_the_page_loads_nothing_from_elsewhere(page):
    assert not re.findall(r"(?:src|href)\s*=", page.text)
    assert "https://" not in page.text
    assert "innerHTML" not in page.text


# -- signing in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LOGIN)
def test_a_token_is_exchanged_for_airflows_session(path, told):
    answer = door().post(path, data={"token": web_token()})
    assert (answer.status_code, answer.json()) == (200, {"AirflowIdentity": "assumed-role/Admin/alice"})
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("_token=opened; ")
    assert {"HttpOnly", "Secure", "Path=/", "Max-Age=43200", "SameSite=lax"} == set(cookie.split("; ")[1:])
    assert [line["action"] for line in told] == ["signed_in"]


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]
)
def test_a_form_of_another_origins_page_signs_nobody_in(site, status):
    token = web_token()
    client = door()
    answer = client.post(LOGIN[1], data={"token": token}, headers={"sec-fetch-site": site})
    assert (answer.status_code, "set-cookie" in answer.headers) == (status, status == 200)
    if status == 403:  # and the token is still its owner's to use
        assert client.post(LOGIN[1], data={"token": token}).status_code == 200


def test_a_token_works_once():
    client = door()
    token = web_token()
    assert client.post(LOGIN[0], data={"token": token}).status_code == 200
    again = client.post(LOGIN[1], data={"token": token})
    assert (again.status_code, message(again)) == (403, "The token has been used. Ask for a new one.")
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (web_token(now=NOW - timedelta(seconds=60)), "The token has expired. Ask for a new one."),
        (web_token(dataclasses.replace(GRANT, environment_id=OTHER)), "The token is not valid."),
        (web_token(key=b"x" * 32), "The token is not valid."),
        (web_token()[:-2], "The token is not valid."),
        (cli_token(), "The token is not valid."),
        ("nonsense", "The token is not valid."),
    ],
    ids=["expired", "other environment", "other key", "cut", "other kind", "nonsense"],
)
def test_a_token_that_is_no_good(token, words, told):
    answer = door().post(LOGIN[0], data={"token": token})
    assert (answer.status_code, message(answer)) == (403, words)
    assert [line["action"] for line in told] == ["refused"]
    assert token not in repr(told)


@pytest.mark.parametrize("body", [b"", b"tok=x", b"token=", b"x" * 30_000, b"\xff\xfe", b"token=x&" * 4000])
def test_a_form_without_a_token(body):
    answer = door().post(LOGIN[0], content=body)
    assert (answer.status_code, message(answer)) == (400, "The form field token is missing.")


def test_an_airflow_that_gives_no_session_is_told_without_its_words():
    answer = door(sessions=AirflowThatGivesNoSession()).post(LOGIN[0], data={"token": web_token()})
    assert (answer.status_code, message(answer)) == (503, "Airflow's web server does not answer.")


NOT_THERE = [
    environment(phase=Phase.PROVISIONING),
    environment(phase=Phase.REFUSED),
    environment(target=Target.ABSENT),
    environment(id=OTHER),
]


@pytest.mark.parametrize("known", NOT_THERE, ids=["being made", "refused", "being deleted", "another"])
@pytest.mark.parametrize("path", [LOGIN[0], CLI[0]])
def test_an_environment_that_may_not_be_used(known, path):
    answer = door(known).post(path, data={"token": web_token()})
    assert (answer.status_code, message(answer)) == (503, "The environment is not available.")


@pytest.mark.parametrize("mark", ["", "../../x", "ABCDEFGHJKMN"])
def test_a_mark_that_is_no_id(mark):
    answer = door().post(LOGIN[0], data={"token": web_token()}, headers={"x-tradewind-environment": mark})
    assert answer.status_code == 503


# -- commands -------------------------------------------------------------------------------------------------------


def run(client, body, token=None, path=CLI[0]):
    headers = {"authorization": f"Bearer {token or cli_token()}", "content-type": "text/plain"}
    return client.post(path, content=body, headers=headers)


def streams(answer):
    document = json.loads(answer.content)
    return base64.b64decode(document["stdout"]), base64.b64decode(document["stderr"])


@pytest.mark.parametrize("path", CLI)
def test_a_command_runs_and_its_output_comes_back_in_one_line(path):
    commands = CommandsThatSay(Completed(1, b"\x00\xff binary", "ü".encode()))
    answer = run(door(run_cli=commands), "dags trigger d --conf '{\"a\": 1}'", path=path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert b"\n" not in answer.content
    assert streams(answer) == (b"\x00\xff binary", "ü".encode())
    assert commands.asked == [("sample", ("dags", "trigger", "d", "--conf", '{"a": 1}'))]


def test_a_cli_token_works_again():
    client, token = door(), cli_token()
    assert [run(client, "version", token).status_code for _ in range(3)] == [200] * 3


def test_a_command_that_took_too_long_says_so():
    commands = CommandsThatSay(Completed(-9, b"begun", b"words", timed_out=True))
    assert streams(run(door(run_cli=commands), "version")) == (
        b"begun", b"words\nThe command was ended: it took too long.\n",
    )  # fmt: skip


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "token"])
def test_without_a_bearer(header):
    answer = door().post(CLI[0], content="version", headers={} if header is None else {"authorization": header})
    assert (answer.status_code, message(answer)) == (401, "A CLI token is needed: Authorization: Bearer <CliToken>.")


@pytest.mark.parametrize(
    "token",
    [
        cli_token(now=NOW - timedelta(seconds=61)),
        cli_token(dataclasses.replace(GRANT, environment_id=OTHER)),
        cli_token(key=b"x" * 32),
        web_token(),
        "nonsense",
    ],
    ids=["expired", "other environment", "other key", "other kind", "nonsense"],
)
def test_a_bearer_that_is_no_good_runs_nothing(token):
    commands = CommandsThatSay()
    assert run(door(run_cli=commands), "version", token).status_code == 403
    assert commands.asked == []


@pytest.mark.parametrize(
    "line", ["users list", "config get-value core fernet_key", "db migrate", "shell", "dags backfill d"]
)
def test_a_command_that_is_not_mwaas_is_refused_before_anything_runs(line):
    commands = CommandsThatSay()
    assert run(door(run_cli=commands), line).status_code == 403
    assert commands.asked == []


@pytest.mark.parametrize("body", [b"", b"dags 'unclosed", b"\xff\xfe", b"dags\0list"])
def test_a_body_that_is_no_command(body):
    answer = run(door(), body)
    assert answer.status_code == 400
    assert message(answer).startswith("cannot read the command: ")


def test_a_body_that_never_ends():
    answer = run(door(), b"version " * 50_000)
    assert (answer.status_code, message(answer)) == (413, "The command is longer than 200000 bytes.")


def test_two_commands_run_at_once_and_who_waits_holds_no_thread(monkeypatch):
    """Requests of everybody share the server's threads: a queue of commands must not hold them all."""
    running, most, admitted = [0], [0], [0]

    async def in_thread(work, *arguments):
        if work is command_module._admit:
            admitted[0] += 1
            return work(*arguments)
        running[0] += 1
        most[0] = max(most[0], running[0])
        for _ in range(3):
            await asyncio.sleep(0)
        running[0] -= 1
        return work(*arguments)

    monkeypatch.setattr(command_module, "run_in_threadpool", in_thread)
    monkeypatch.setattr(command_module, "_slots", type(command_module._slots)(command_module._slots.default_factory))
    commands = CommandsThatSay()
    services = GatewayServices(
        ACCOUNT,
        EnvironmentsInMemory(environment()),
        SessionsForEveryone(),
        TokensInMemory(),
        commands,
        lambda: NOW,
        trail(),
    )

    async def request():
        headers = [
            (b"authorization", f"Bearer {cli_token()}".encode()),
            (b"x-tradewind-environment", str(ID).encode()),
        ]
        scope = {
            "type": "http", "method": "POST", "path": CLI[0], "raw_path": CLI[0].encode(), "query_string": b"",
            "headers": headers, "http_version": "1.1", "scheme": "https", "server": None, "client": None,
            "root_path": "",
        }  # fmt: skip
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"version", "more_body": False}

        async def send(said):
            sent.append(said)

        await create_gateway(services)(scope, receive, send)
        return sent[0]["status"]

    async def many():
        return await asyncio.gather(*(request() for _ in range(8)))

    assert asyncio.run(many()) == [200] * 8
    assert (most[0], admitted[0], len(commands.asked)) == (2, 8, 8)
