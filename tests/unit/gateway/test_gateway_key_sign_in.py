"""The form for access keys: who gets in with which roles, and what those see who do not."""

import dataclasses
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from tests.unit.api.doubles import ACCOUNT, EnvironmentsInMemory
from tests.unit.domain.samples import ID, NOW, environment
from tests.unit.gateway.doubles import (
    ORIGIN,
    TO_OURSELVES,
    Browser,
    Clock,
    Pauses,
    SessionsThatAreNoted,
    alert,
    allow,
    credential,
    deny,
    hidden,
    policy,
    services,
)
from tradewind.access.limits import BY_SOURCE
from tradewind.access.sessions import SessionRefused
from tradewind.domain.environments import Phase
from tradewind.gateway.forgery import COOKIE
from tradewind.gateway.key_sign_in import REFUSAL_SECONDS
from tradewind.iam import Holding, root_principal

pytestmark = pytest.mark.usefixtures("told")

KEY, TEMPORARY = "AKIAALICEALICEALICE0", "ASIAALICEALICEALICE0"
SECRET = "s" * 40
TOKEN = "t/+=" * 100
WRONG = "The access key ID, the secret access key or the session token is not right."
STALE = "This page was too old, or the form came from elsewhere. Please try again."
KNOWN = {
    KEY: credential(),
    TEMPORARY: credential(session_token=TOKEN, expires=NOW + timedelta(hours=1)),
    "ASIAEXPIREDEXPIRED00": credential(session_token=TOKEN, expires=NOW),
    "AKIAINACTIVEINACTIV0": credential(is_active=False),
}


@pytest.fixture
def wired():
    return services(KNOWN)


@pytest.fixture
def browser(wired):
    return Browser(wired)


def test_who_has_the_right_key_gets_airflows_session_and_goes_on(browser, wired, told):
    answer = browser.sign_in(KEY, SECRET, query="?next=%2Fdags%2Fmine%3Ftab%3Dgrid")
    assert (answer.status_code, answer.headers["location"]) == (303, "/dags/mine?tab=grid")
    assert answer.headers["cache-control"] == "no-store"
    (cookie,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith("_token=")]
    assert cookie.startswith("_token=session-1; ")
    assert {"HttpOnly", "Secure", "Path=/", "Max-Age=43200", "SameSite=lax"} == set(cookie.split("; ")[1:])
    assert wired.sessions.opened == [(str(ID), "user/alice", ("Op", "Viewer"))]
    assert [line["action"] for line in told] == ["signed_in"]


def test_temporary_credentials_need_their_token(browser):
    assert browser.sign_in(TEMPORARY, SECRET, TOKEN).status_code == 303
    assert browser.sign_in(TEMPORARY, SECRET, f" {TOKEN}\n").status_code == 303


@pytest.mark.parametrize(
    ("access_key_id", "secret", "token"),
    [
        (KEY, "x" * 40, ""),
        (KEY, SECRET[:-1], ""),
        (KEY, "", ""),
        (KEY, SECRET, TOKEN),
        ("AKIANOBODYNOBODYNOB0", SECRET, ""),
        ("AKIANOBODYNOBODYNOB0", "0" * 40, ""),
        (TEMPORARY, SECRET, ""),
        (TEMPORARY, SECRET, TOKEN[:-1]),
        (TEMPORARY, "x" * 40, TOKEN),
        ("AKIAINACTIVEINACTIV0", SECRET, ""),
        ("", SECRET, ""),
        ("' OR 1=1 --", SECRET, ""),
        (KEY, "\u00fc" * 40, ""),
        (KEY.lower(), SECRET, ""),
    ],
)
def test_a_key_that_is_no_good_is_refused_in_the_same_words_and_the_same_time(
    told, monkeypatch, access_key_id, secret, token
):
    monkeypatch.setattr("tradewind.gateway.key_sign_in.time", SimpleNamespace(monotonic=Clock()))
    pauses = Pauses()
    wired = services(KNOWN, pause=pauses)
    answer = Browser(wired).sign_in(access_key_id, secret, token)
    assert (answer.status_code, alert(answer.text)) == (403, WRONG)
    assert "_token" not in answer.headers["set-cookie"]
    assert wired.sessions.opened == []
    assert [line["action"] for line in told] == ["refused"]
    assert pauses.paused == [pytest.approx(REFUSAL_SECONDS)]


def test_a_form_that_is_sent_slowly_shows_no_more(monkeypatch):
    clock, pauses = Clock(), Pauses()
    monkeypatch.setattr("tradewind.gateway.key_sign_in.time", SimpleNamespace(monotonic=clock))
    browser = Browser(services(KNOWN, pause=pauses))
    form = urlencode(browser.open_page() | {"access_key_id": KEY, "secret_access_key": "x"}).encode()

    async def slowly():
        yield form[:10]
        clock.now += 30
        yield form[10:]

    headers = TO_OURSELVES | {"content-type": "application/x-www-form-urlencoded"}
    answer = browser.request("POST", "/aws_mwaa/sign-in", content=slowly(), headers=headers)
    assert (answer.status_code, alert(answer.text)) == (403, WRONG)
    assert pauses.paused == [pytest.approx(REFUSAL_SECONDS)]


def test_expired_credentials_are_named_to_their_owner_alone(browser):
    expired = "ASIAEXPIREDEXPIRED00"
    answer = browser.sign_in(expired, SECRET, TOKEN)
    assert (answer.status_code, alert(answer.text)) == (403, "These temporary credentials have expired.")
    assert alert(browser.sign_in(expired, "x" * 40, TOKEN).text) == WRONG


@pytest.mark.parametrize("access_key_id", [KEY, "AKIANOBODYNOBODYNOB0"])
def test_the_secret_is_nowhere(browser, told, access_key_id):
    secret, token = "S3CRET-S3CRET-S3CRET", "T0KEN-T0KEN-T0KEN"
    answer = browser.sign_in(access_key_id, secret, token)
    for place in (answer.text, repr(answer.headers), repr(told)):
        assert secret not in place
        assert token not in place
    assert access_key_id in answer.text  # it need not be typed again


def test_what_is_typed_is_no_markup(browser):
    answer = browser.sign_in('"><script>alert(1)</script>', SECRET, query="?next=/%22%3E%3Cscript%3E")
    assert "<script>alert" not in answer.text
    assert answer.text.count("<script>") == 1


@pytest.mark.parametrize(
    "holding",
    [Holding(), Holding((policy(allow("Admin", environment="other")),)), Holding((policy(deny("*"), allow("*")),))],
    ids=["nothing", "another environment", "denied"],
)
def test_who_may_use_no_role_is_told_what_is_missing(told, holding):
    wired = services({KEY: credential(holding=holding)})
    answer = Browser(wired).sign_in(KEY, SECRET)
    assert answer.status_code == 403
    words = alert(answer.text)
    assert words.startswith(
        f"User: arn:aws:iam::{ACCOUNT.account_id}:user/alice is not authorized to perform: "
        "airflow:CreateWebLoginToken on any of the resources: arn:aws:airflow:"
    )
    for role in ("Admin", "Op", "User", "Viewer", "Public"):
        assert f":role/sample/{role}" in words
    assert wired.sessions.opened == []
    assert [line["action"] for line in told] == ["denied"]


def test_conditions_see_the_browsers_address():
    only = allow(
        "Op", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "Bool": {"aws:SecureTransport": "true"}}
    )
    wired = services({KEY: credential(holding=Holding((policy(only),)))})
    assert Browser(wired).sign_in(KEY, SECRET).status_code == 303
    assert Browser(wired, address="198.51.100.1").sign_in(KEY, SECRET).status_code == 403


def test_the_root_has_every_role():
    wired = services({KEY: credential(principal=root_principal(ACCOUNT.account_id), holding=Holding())})
    assert Browser(wired).sign_in(KEY, SECRET).status_code == 303
    assert wired.sessions.opened == [(str(ID), "root", ("Admin", "Op", "User", "Viewer", "Public"))]


# -- forgery ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
        {"origin": ORIGIN, "sec-fetch-site": "same-site"},
        {"origin": "null"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "none"},
        {"origin": "http://host"},
        {"origin": "https://host:444"},
        {"origin": "https://other.host"},
        {"origin": ""},
        {"origin": "https://h\u00f6st".encode()},
    ],
    ids=repr,
)
def test_a_form_from_elsewhere(browser, wired, headers):
    answer = browser.sign_in(KEY, SECRET, headers=headers)
    assert (answer.status_code, alert(answer.text)) == (403, STALE)
    assert wired.sessions.opened == []


@pytest.mark.parametrize(
    "headers",
    [{"origin": ORIGIN}, {"sec-fetch-site": "same-origin"}, {"origin": "null", "sec-fetch-site": "same-origin"}],
)
def test_a_form_from_our_own_page(browser, headers):
    assert browser.sign_in(KEY, SECRET, headers=headers).status_code == 303


def test_a_form_needs_the_cookie_of_its_page(browser, wired):
    fields = browser.open_page() | {"access_key_id": KEY, "secret_access_key": SECRET}
    for cookies in ({}, {COOKIE: "x"}, {COOKIE: "A" * 43}):
        other = Browser(wired)
        other.cookies = cookies
        assert alert(other.submit(fields).text) == STALE
    assert browser.submit(fields).status_code == 303


def test_a_form_of_another_environment(browser):
    fields = browser.open_page() | {"access_key_id": KEY, "secret_access_key": SECRET}
    answer = browser.submit(fields, mark="bbcdefghjkmn")
    assert alert(answer.text) == STALE


@pytest.mark.parametrize("seal", ["", "0" * 64, "\u00fc"])
def test_a_form_with_another_seal(browser, seal):
    fields = browser.open_page() | {"access_key_id": KEY, "secret_access_key": SECRET, "form": seal}
    assert alert(browser.submit(fields).text) == STALE


def test_the_cookie_is_kept_so_that_two_tabs_work(browser):
    first = browser.open_page()
    kept = browser.cookies[COOKIE]
    browser.open_page()
    assert browser.cookies[COOKIE] == kept
    assert browser.submit(first | {"access_key_id": KEY, "secret_access_key": SECRET}).status_code == 303


def test_the_cookie_belongs_to_this_host_alone(browser):
    line = browser.get("/aws_mwaa/aws-console-sso").headers["set-cookie"]
    assert line.startswith("__Host-")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(line.split("; "))
    assert "domain" not in line.lower()


BODIES = {
    "too large": b"form=" + b"x" * 30_000,
    "not text": b"form=\xff\xfe",
    "twice": b"form=a&form=b",
    "many": b"&".join(b"f%d=1" % number for number in range(50)),
    "empty": b"",
}


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_form(browser, body):
    browser.open_page()
    headers = TO_OURSELVES | {"content-type": "application/x-www-form-urlencoded"}
    answer = browser.request("POST", "/aws_mwaa/sign-in", content=BODIES[body], headers=headers)
    assert (answer.status_code, alert(answer.text)) == (403, STALE)


def test_another_media_type(browser):
    fields = browser.open_page() | {"access_key_id": KEY, "secret_access_key": SECRET}
    answer = browser.request("POST", "/aws_mwaa/sign-in", json=fields, headers=TO_OURSELVES)
    assert alert(answer.text) == STALE


# -- what else may be in the way --------------------------------------------------------------------------


def test_too_many_wrong_keys(browser, wired):
    for _ in range(BY_SOURCE.burst):
        assert browser.sign_in(KEY, "x").status_code == 403
    answer = browser.sign_in(KEY, SECRET)
    assert (answer.status_code, alert(answer.text)) == (429, "Too many attempts that failed. Try again later.")
    assert int(answer.headers["retry-after"]) >= 1
    assert Browser(wired, address="198.51.100.1").sign_in(KEY, SECRET).status_code == 303


def test_right_keys_and_missing_permissions_cost_nothing():
    wired = services({KEY: credential(), "AKIAPOORPOORPOORPOO0": credential(holding=Holding())})
    browser = Browser(wired)
    for _ in range(BY_SOURCE.burst + 5):
        assert browser.sign_in(KEY, SECRET).status_code == 303
        assert browser.sign_in("AKIAPOORPOORPOORPOO0", SECRET).status_code == 403


def test_an_environment_that_is_not_up():
    wired = services(KNOWN, environments=EnvironmentsInMemory(environment(phase=Phase.PROVISIONING)))
    answer = Browser(wired).sign_in(KEY, SECRET)
    assert (answer.status_code, alert(answer.text)) == (503, "The environment is not available.")


def test_an_airflow_that_does_not_answer():
    class AirflowThatGivesNoSession(SessionsThatAreNoted):
        def open(self, *_):
            raise SessionRefused("cannot open a session: SECRET")

    answer = Browser(services(KNOWN, sessions=AirflowThatGivesNoSession())).sign_in(KEY, SECRET)
    assert (answer.status_code, alert(answer.text)) == (503, "Airflow's web server does not answer.")


def test_a_service_without_the_form(wired):
    browser = Browser(dataclasses.replace(wired, keys=None))
    page = browser.get("/aws_mwaa/aws-console-sso")
    assert "<form" not in page.text
    assert "set-cookie" not in page.headers
    assert browser.submit({"access_key_id": KEY}).status_code == 404


# -- the page ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["//evil.example", "/.//evil.example", "https://evil.example", "/%5Cevil.example"])
def test_another_site_is_never_the_next_one(browser, wanted):
    page = browser.get("/aws_mwaa/aws-console-sso", params={"next": wanted})
    assert 'data-next="/"' in page.text
    assert hidden(page.text)["next"] == "/"
    fields = browser.open_page() | {"access_key_id": KEY, "secret_access_key": SECRET, "next": wanted}
    assert browser.submit(fields).headers["location"] == "/"


def test_the_page_after_a_refusal_keeps_where_to_go(browser):
    answer = browser.sign_in(KEY, "x", query="?next=/dags/mine")
    assert hidden(answer.text)["next"] == "/dags/mine"
    assert browser.get("/aws_mwaa/sign-in").status_code == 200


def test_every_field_has_a_label_and_the_form_goes_nowhere_else(browser):
    page = browser.get("/aws_mwaa/aws-console-sso")
    for field in ("access_key_id", "secret_access_key", "session_token"):
        assert f'<label for="{field}">' in page.text
        assert f'id="{field}"' in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
