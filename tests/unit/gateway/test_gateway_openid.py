"""Sign-in through a provider as a browser goes it: page, provider, callback, page with a token, session."""

import asyncio
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from starlette.responses import PlainTextResponse

from tests.unit.access.openid.doubles import ISSUER, PUBLIC, ProviderInMemory, flow
from tests.unit.access.openid.test_openid_federation import role
from tests.unit.api.doubles import PLACE, EnvironmentsInMemory
from tests.unit.domain.samples import ID, NOW, environment
from tests.unit.gateway.doubles import Browser, alert, services
from tradewind.access.limits import BY_SOURCE
from tradewind.access.openid import Federation
from tradewind.access.providers import Provider
from tradewind.domain.environments import Phase
from tradewind.gateway import create_gateway, is_for_gateway
from tradewind.gateway.openid import COOKIE
from tradewind.gateway.services import OpenIdSignIn

pytestmark = pytest.mark.usefixtures("told")

START, CALLBACK = "/tradewind/sign-in/start", "/tradewind/sign-in/callback"


@pytest.fixture
def remote():
    return ProviderInMemory()


def wire(remote, *roles, **how):
    way = flow(remote)
    known = {each.name: each for each in (roles or (role("AirflowViewer", "Viewer"),))}
    federation = Federation(way.provider, PLACE, known.get, lambda: NOW)
    openid = OpenIdSignIn(way, federation, lambda environment: f"{environment.id}.example:8443")
    return services(openid=openid, **how)


@pytest.fixture
def wired(remote):
    return wire(remote)


@pytest.fixture
def browser(wired):
    return Browser(wired)


def begin(browser, wanted="/dags/mine", id_=ID):
    return browser.get(f"{START}?{urlencode({'environment': id_, 'next': wanted})}", mark=None)


def come_back(browser, remote, wanted="/dags/mine", **changed):
    query = {**remote.sign_in(begin(browser, wanted).headers["location"]), **changed}
    return browser.get(f"{CALLBACK}?{urlencode(query)}", mark=None)


def test_the_whole_way(browser, wired, remote, told):
    page = browser.get("/aws_mwaa/aws-console-sso?next=/dags/mine")
    assert "Sign in with Example ID</a>" in page.text
    assert f'href="{PUBLIC}{START}?environment={ID}&amp;next=%2Fdags%2Fmine"' in page.text

    away = begin(browser)
    assert away.status_code == 303
    assert away.headers["location"].startswith(f"{ISSUER}/authorize?")
    assert away.headers["referrer-policy"] == "no-referrer"
    cookie = away.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "Secure", "Path=/", "Max-Age=600", "SameSite=lax"} == set(cookie.split("; ")[1:])

    answer = browser.get(f"{CALLBACK}?{urlencode(remote.sign_in(away.headers['location']))}", mark=None)
    assert answer.status_code == 303
    assert answer.headers["cache-control"] == "no-store"
    target = urlsplit(answer.headers["location"])
    assert (target.scheme, target.netloc, target.path) == ("https", f"{ID}.example:8443", "/aws_mwaa/aws-console-sso")
    assert dict(parse_qsl(target.query)) == {"login": "true", "next": "/dags/mine"}
    assert "Max-Age=0" in answer.headers["set-cookie"]

    login = browser.request("POST", "/pluginsv2/aws_mwaa/login", data={"token": target.fragment})
    assert login.json() == {"AirflowIdentity": "assumed-role/AirflowViewer/alice"}
    assert wired.sessions.opened == [(str(ID), "assumed-role/AirflowViewer/alice", ("Viewer",))]
    assert [line["action"] for line in told] == ["signed_in", "signed_in"]
    assert target.fragment not in repr(told)


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/.//evil.example", "/%5cevil.example"])
def test_another_site_is_never_the_next_one(browser, remote, wanted):
    answer = come_back(browser, remote, wanted)
    assert dict(parse_qsl(urlsplit(answer.headers["location"]).query))["next"] == "/"


def test_the_callback_counts_once(browser, remote):
    query = urlencode(remote.sign_in(begin(browser).headers["location"]))
    kept = dict(browser.cookies)
    assert browser.get(f"{CALLBACK}?{query}", mark=None).status_code == 303
    browser.cookies = kept
    again = browser.get(f"{CALLBACK}?{query}", mark=None)
    assert (again.status_code, "too long ago" in alert(again.text)) == (403, True)


def test_an_answer_in_another_browser(browser, wired, remote):
    """Somebody sends a link with an answer of their own: the victim would be signed in as them."""
    query = urlencode(remote.sign_in(begin(browser).headers["location"]))
    answer = Browser(wired).get(f"{CALLBACK}?{query}", mark=None)
    assert (answer.status_code, "another window" in alert(answer.text)) == (403, True)
    assert "token" not in remote.asked


@pytest.mark.parametrize("name", ["state", "code", "iss"])
def test_a_parameter_that_is_there_twice(browser, remote, name):
    query = remote.sign_in(begin(browser).headers["location"])
    answer = browser.get(f"{CALLBACK}?{urlencode(query)}&{name}={query[name]}", mark=None)
    assert answer.status_code == 403
    assert "token" not in remote.asked


def test_a_query_full_of_parameters_is_read_in_linear_time(browser):
    """The proxy lets 64 KiB of them through. Compared each with each they take the service's core for half a minute."""
    names = "&".join(f"{n:x}" for n in range(12_000))
    began = time.process_time()
    assert browser.get(f"{CALLBACK}?{names}", mark=None).status_code == 403
    assert time.process_time() - began < 5


def test_a_refusal_of_the_provider_offers_to_try_again(browser, remote):
    answer = come_back(browser, remote, error="access_denied", error_description="<b>call 555</b>")
    assert (answer.status_code, alert(answer.text)) == (403, "The sign-in provider answered: access_denied.")
    assert "555" not in answer.text
    assert f"{START}?environment={ID}&amp;next=%2Fdags%2Fmine" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_who_has_no_role_is_told_what_is_missing(remote):
    wired = wire(remote, role("AirflowViewer"))
    answer = come_back(Browser(wired), remote)
    assert answer.status_code == 403
    assert "is not authorized to perform: airflow:CreateWebLoginToken" in alert(answer.text)


def test_a_provider_that_is_down(browser, remote, told):
    remote.answers["openid-configuration"] = httpx.ConnectError("no route")
    answer = begin(browser)
    assert (answer.status_code, alert(answer.text)) == (
        503, "The sign-in provider does not answer as it should. Try again later.",
    )  # fmt: skip
    assert "no route" in repr(told)
    assert "set-cookie" not in answer.headers


def test_a_provider_that_goes_down_meanwhile(browser, remote):
    remote.answers["token"] = httpx.ReadTimeout("slow")
    answer = come_back(browser, remote)
    assert answer.status_code == 503
    assert "Try again later" in alert(answer.text)


@pytest.mark.parametrize("id_", ["", "x", "bbcdefghjkmn", "../../etc", "\u00fc"])
def test_an_environment_that_is_not_there(browser, id_):
    assert begin(browser, id_=id_).status_code == 404


def test_an_environment_that_goes_away_meanwhile(remote):
    known = EnvironmentsInMemory(environment())
    browser = Browser(wire(remote, environments=known))
    query = remote.sign_in(begin(browser).headers["location"])
    known.known["sample"] = environment(phase=Phase.PROVISIONING)
    answer = browser.get(f"{CALLBACK}?{urlencode(query)}", mark=None)
    assert (answer.status_code, alert(answer.text)) == (503, "The environment is not available.")


def test_too_many_answers_that_are_none(browser):
    for _ in range(BY_SOURCE.burst):
        assert browser.get(f"{CALLBACK}?state=x&code=y", mark=None).status_code == 403
    answer = browser.get(f"{CALLBACK}?state=x&code=y", mark=None)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_without_a_provider_there_is_neither_button_nor_path():
    browser = Browser(services())
    assert "Sign in with" not in browser.get("/aws_mwaa/aws-console-sso").text
    assert browser.get(START, mark=None).status_code == 404
    assert browser.get(CALLBACK, mark=None).status_code == 404


def test_the_name_of_the_provider_is_no_markup(remote):
    from dataclasses import replace

    wired = wire(remote)
    provider = Provider(ISSUER, "c", None, {"a": "b"}, "<i>Us & Co</i>")
    wired = replace(wired, openid=replace(wired.openid, flow=replace(wired.openid.flow, provider=provider)))
    assert "Sign in with &lt;i&gt;Us &amp; Co&lt;/i&gt;</a>" in Browser(wired).get("/aws_mwaa/aws-console-sso").text


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [
        (b"/tradewind/sign-in/start", True),
        (b"/tradewind/sign-in/callback", True),
        (b"/tradewind/sign-in", False),
        (b"/tradewind/snapshots", False),
        (b"/aws_mwaa/login", False),
        (b"/tradewind/sign%2Din/start", False),
        (b"//tradewind/sign-in/start", False),
    ],
)
def test_which_requests_without_a_mark_are_for_the_gateway(path, is_ours):
    assert is_for_gateway({"headers": [(b"host", b"x")], "raw_path": path}) is is_ours


@pytest.mark.parametrize("path", ["/tradewind/sign-in/x", "/tradewind/sign-in/", "/tradewind/sign-in/start/"])
def test_other_paths_there_are_not_found(browser, path):
    assert browser.get(path, mark=None).status_code == 404


def test_a_provider_that_hangs_holds_a_few_threads_only(wired, monkeypatch):
    """Anybody may begin to sign in, and the API's calls run in the same threads."""
    waiting, most = [0], [0]

    async def with_the_provider(*_):
        waiting[0] += 1
        most[0] = max(most[0], waiting[0])
        for _ in range(3):
            await asyncio.sleep(0)
        waiting[0] -= 1
        return PlainTextResponse("at last")

    monkeypatch.setattr("tradewind.gateway.openid.start", with_the_provider)
    monkeypatch.setattr("tradewind.gateway.openid.callback", with_the_provider)

    async def many():
        transport = httpx.ASGITransport(create_gateway(wired))
        async with httpx.AsyncClient(transport=transport, base_url="https://api") as client:
            return await asyncio.gather(*(client.get(path) for path in (START, CALLBACK) * 30))

    assert {answer.status_code for answer in asyncio.run(many())} == {200}
    assert most == [16]
