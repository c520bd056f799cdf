"""Sign-in through a real OpenID Connect provider (npm's oidc-provider, a process of its own on loopback).

The gateway is the real one with its real HTTP client; only the store and Airflow are in memory. A person's browser is
two clients: one at the gateway, one at the provider, which signs in and consents in its forms.
Needs Node.js and `npm ci --prefix tests/oidc`, which CI does.
"""

import dataclasses
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx
import pytest

from tests.unit.access.doubles import TokensInMemory
from tests.unit.access.openid.test_openid_federation import role
from tests.unit.api.doubles import ACCOUNT, PLACE
from tests.unit.domain.samples import ID
from tests.unit.gateway.doubles import Browser, alert, services
from tradewind.access.openid import Federation, open_flow
from tradewind.access.openid.flow import CALLBACK, START
from tradewind.access.providers import Provider
from tradewind.gateway.services import OpenIdSignIn

HERE = Path(__file__).parents[1] / "oidc"
NODE = shutil.which("node")
PUBLIC = "https://localhost:8443"
CLIENT, SECRET = "trade wind:1", "s%cr+t:/=?&"
PEOPLE = {
    "alice": {"preferred_username": "alice", "email": "alice@example.com", "groups": ["staff", "admins"]},
    "bob": {"email": "bob@example.com", "email_verified": True, "groups": ["staff"]},
    "carol": {"preferred_username": "carol", "groups": ["guests"]},
    "d/ave": {"groups": "staff"},
}
pytestmark = pytest.mark.skipif(
    not (NODE and (HERE / "node_modules" / "oidc-provider").is_dir()),
    reason="needs Node.js and `npm ci --prefix tests/oidc`",
)


class RunningProvider:
    """The process, and what it says on its standard output."""

    def __init__(self, public=PUBLIC):
        asked = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uri": public + CALLBACK, "people": PEOPLE}
        self.process = subprocess.Popen(
            [NODE, "provider.mjs", json.dumps(asked)],
            cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.issuer = self.said()["issuer"]

    def said(self):
        line = self.process.stdout.readline()
        assert line, "the provider has ended"
        return json.loads(line)

    def rotate(self):
        """A new signing key; the old one is not published any more."""
        self.process.stdin.write("rotate\n")
        self.process.stdin.flush()
        assert self.said()["rotated"]

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def shared():
    running = RunningProvider()
    yield running
    running.end()


@pytest.fixture
def wire():
    """The gateway with a provider; its connections end with the test."""
    opened = []

    def wiring(running, **changed):
        provider = Provider(
            running.issuer, CLIENT, SECRET, {"admins": "AirflowAdmin", "staff": "AirflowViewer"}, "Real ID",
            scopes="openid profile email groups",
        )  # fmt: skip
        provider = dataclasses.replace(provider, **changed)
        way = open_flow(provider, PUBLIC, ACCOUNT.token_key, TokensInMemory(), clock)
        opened.append(way.fetcher.client)
        federation = Federation(provider, PLACE, roles_of(provider).get, clock)
        openid = OpenIdSignIn(way, federation, lambda environment: f"{environment.id}.example")
        return services(openid=openid, now=clock)

    yield wiring
    for client in opened:
        client.close()


@pytest.fixture
def wired(shared, wire):
    return wire(shared)


def clock():
    return datetime.now(UTC)


def roles_of(provider):
    trust = [{
        "Effect": "Allow",
        "Principal": {"Federated": provider.arn(ACCOUNT.account_id)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{provider.path}:aud": CLIENT}},
    }]  # fmt: skip
    granted = {"AirflowAdmin": "Admin", "AirflowViewer": "Viewer"}
    return {name: role(name, airflow, trust=trust) for name, airflow in granted.items()}


class Person:
    """A browser at the provider."""

    def __init__(self, running):
        self.client = httpx.Client(trust_env=False, timeout=10)
        self.issuer = running.issuer

    def go(self, url, login, *, gives_up=False):
        """From our redirect to the provider's redirect back to us; its URL."""
        answer = self.client.get(url)
        for _ in range(12):
            if answer.is_redirect:
                target = urljoin(str(answer.url), answer.headers["location"])
                if target.startswith(PUBLIC):
                    return target
                assert target.startswith(self.issuer)
                answer = self.client.get(target)
                continue
            assert answer.status_code == 200, answer.text
            if gives_up:
                answer = self.client.get(unescape(re.search(r'href="([^"]*/abort)"', answer.text)[1]))
                continue
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)[1]
            form = {"prompt": prompt, **({"login": login, "password": "x"} if prompt == "login" else {})}
            answer = self.client.post(unescape(re.search(r'action="([^"]*)"', answer.text)[1]), data=form)
        raise AssertionError("the provider never sends the browser back")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()


def begin(browser, wanted="/dags/mine"):
    answer = browser.get(f"{START}?{urlencode({'environment': ID, 'next': wanted})}", mark=None)
    assert answer.status_code == 303, alert(answer.text)
    return answer.headers["location"]


def come_back(browser, target):
    parts = urlsplit(target)
    return browser.get(f"{parts.path}?{parts.query}", mark=None)


def sign_in(browser, running, login, **how):
    with Person(running) as person:
        return come_back(browser, person.go(begin(browser), login, **how))


@pytest.mark.parametrize(
    ("login", "identity", "roles"),
    [
        ("alice", "assumed-role/AirflowAdmin/alice", ("Admin",)),
        ("bob", "assumed-role/AirflowViewer/bob@example.com", ("Viewer",)),
    ],
)
def test_people_come_in_by_their_groups(wired, shared, login, identity, roles):
    browser = Browser(wired)
    answer = sign_in(browser, shared, login)
    assert answer.status_code == 303, alert(answer.text)
    target = urlsplit(answer.headers["location"])
    assert target.netloc == f"{ID}.example"
    assert dict(parse_qsl(target.query))["next"] == "/dags/mine"
    login_answer = browser.request("POST", "/aws_mwaa/login", data={"token": target.fragment})
    assert login_answer.json() == {"AirflowIdentity": identity}
    assert wired.sessions.opened == [(str(ID), identity, roles)]


def test_a_name_that_iam_does_not_know(wired, shared):
    answer = sign_in(Browser(wired), shared, "d/ave")
    assert answer.status_code == 303


def test_who_is_in_no_mapped_group(wired, shared):
    answer = sign_in(Browser(wired), shared, "carol")
    assert (answer.status_code, alert(answer.text)) == (
        403, "No IAM role is mapped to what Real ID says about you (claim groups).",
    )  # fmt: skip


def test_who_gives_up_at_the_provider(wired, shared):
    answer = sign_in(Browser(wired), shared, "alice", gives_up=True)
    assert (answer.status_code, alert(answer.text)) == (403, "The sign-in provider answered: access_denied.")


def test_an_answer_counts_once(wired, shared):
    browser = Browser(wired)
    with Person(shared) as person:
        target = person.go(begin(browser), "alice")
    kept = dict(browser.cookies)
    assert come_back(browser, target).status_code == 303
    browser.cookies = kept
    assert come_back(browser, target).status_code == 403


def test_a_code_counts_once_at_the_provider_too(wired, shared):
    """Even if we had forgotten that the attempt was used."""
    browser = Browser(wired)
    with Person(shared) as person:
        target = person.go(begin(browser), "alice")
    kept = dict(browser.cookies)
    assert come_back(browser, target).status_code == 303
    browser.cookies = kept
    wired.openid.flow.used.claimed.clear()
    answer = come_back(browser, target)
    assert "did not accept the sign-in" in alert(answer.text)


def test_somebody_elses_code_in_my_attempt(wired, shared):
    """A stolen code with my own state: PKCE binds it to the browser that began."""
    thief, victim = Browser(wired), Browser(wired)
    with Person(shared) as person:
        stolen = dict(parse_qsl(urlsplit(person.go(begin(victim), "alice")).query))["code"]
    with Person(shared) as person:
        mine = dict(parse_qsl(urlsplit(person.go(begin(thief), "bob")).query))
    answer = thief.get(f"{CALLBACK}?{urlencode(mine | {'code': stolen})}", mark=None)
    assert (answer.status_code, "did not accept the sign-in" in alert(answer.text)) == (403, True)


def test_the_provider_names_itself_and_nobody_else_counts(wired, shared):
    browser = Browser(wired)
    with Person(shared) as person:
        query = dict(parse_qsl(urlsplit(person.go(begin(browser), "alice")).query))
    assert query["iss"] == shared.issuer
    answer = browser.get(f"{CALLBACK}?{urlencode(query | {'iss': 'https://evil.example'})}", mark=None)
    assert alert(answer.text) == "The answer came from another sign-in provider."


def test_a_wrong_secret(shared, wire):
    answer = sign_in(Browser(wire(shared, client_secret="other")), shared, "alice")
    assert (answer.status_code, "did not accept the sign-in" in alert(answer.text)) == (403, True)


def test_an_issuer_that_only_nearly_is_the_providers(shared, wire):
    browser = Browser(wire(shared, issuer=shared.issuer.replace("127.0.0.1", "localhost")))
    answer = browser.get(f"{START}?environment={ID}", mark=None)
    assert answer.status_code == 503


def test_keys_change_and_the_provider_goes(wire):
    """A provider of this test's own, since it does not come back."""
    running = RunningProvider()
    try:
        wired = wire(running)
        assert sign_in(Browser(wired), running, "alice").status_code == 303
        running.rotate()
        discovery = wired.openid.flow.discovery
        discovery._keys = (discovery._keys[0], discovery._keys[1] - 11)  # eleven seconds later
        assert sign_in(Browser(wired), running, "alice").status_code == 303

        browser = Browser(wired)
        with Person(running) as person:
            target = person.go(begin(browser), "alice")
    finally:
        running.end()
    answer = come_back(browser, target)
    assert answer.status_code == 503
    assert alert(answer.text) == "The sign-in provider does not answer as it should. Try again later."
    assert Browser(wire(running)).get(f"{START}?environment={ID}", mark=None).status_code == 503


def test_an_id_token_that_has_become_old(wired, shared):
    """Our clock is an hour ahead: the provider's token is over before it comes."""
    way = dataclasses.replace(wired.openid.flow, now=lambda: clock() + timedelta(hours=1))
    wired = dataclasses.replace(wired, openid=dataclasses.replace(wired.openid, flow=way))
    answer = sign_in(Browser(wired), shared, "alice")
    assert (answer.status_code, alert(answer.text)) == (403, "The sign-in provider's answer could not be verified.")
