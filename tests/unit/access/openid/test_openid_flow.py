"""The way through a provider: what counts as an answer to this browser, and what does not."""

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.unit.access.doubles import TokensInMemory
from tests.unit.access.openid.doubles import (
    CLIENT,
    ISSUER,
    NOW,
    PROVIDER,
    PUBLIC,
    Clock,
    ProviderInMemory,
    flow,
)
from tradewind.access.openid import OpenIdRefused, ProviderUnavailable
from tradewind.access.openid.attempts import Attempts

ENVIRONMENT = "abcdefghjkmn"
STALE = "This sign-in was begun in another window, or too long ago. Please try again."


@pytest.fixture
def remote():
    return ProviderInMemory()


@pytest.fixture
def wired(remote):
    return flow(remote)


def come_back(wired, remote, **changed):
    """Begin, sign in at the provider, come back with an answer that a test changed, and finish."""
    url, kept = wired.begin(ENVIRONMENT, "/dags")
    query = {**remote.sign_in(url), **changed}
    query = {name: value for name, value in query.items() if value is not None}
    return wired.finish(query, wired.attempt_of(query, kept))


def test_claims_of_who_signed_in(wired, remote):
    claims = come_back(wired, remote)
    assert claims["sub"] == "248289761001"
    assert claims["groups"] == ["staff"]
    assert remote.asked == ["openid-configuration", "token", "keys"]


def test_where_the_browser_goes(wired, remote):
    first, second = (wired.begin(ENVIRONMENT, "/dags")[0] for _ in range(2))
    parts = urlsplit(first)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/authorize"
    query = parse_qs(parts.query)
    assert query["client_id"] == [CLIENT]
    assert query["redirect_uri"] == [f"{PUBLIC}/tradewind/sign-in/callback"]
    assert query["scope"] == ["openid profile email"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(query[name][0]) >= 43
        assert query[name] != parse_qs(urlsplit(second).query)[name]


def test_the_attempt_remembers_where_it_came_from(wired, remote):
    url, kept = wired.begin(ENVIRONMENT, "/dags/mine-alone")
    attempt = wired.attempt_of(remote.sign_in(url), kept)
    assert (attempt.environment, attempt.destination) == (ENVIRONMENT, "/dags/mine-alone")
    for secret in (attempt.verifier, attempt.nonce, attempt.state, "mine-alone"):
        assert secret not in kept


@pytest.mark.parametrize("state", ["", "x", None, "\u00fc"])
def test_an_answer_with_another_state(wired, remote, state):
    with pytest.raises(OpenIdRefused, match="another window"):
        come_back(wired, remote, state=state)
    assert "token" not in remote.asked


def test_an_answer_in_another_browser(wired, remote):
    url, _ = wired.begin(ENVIRONMENT, "/")
    _, of_another = wired.begin(ENVIRONMENT, "/")
    query = remote.sign_in(url)
    for kept in (None, "", "x.y.z", of_another, "a" * 9000):
        with pytest.raises(OpenIdRefused, match="another window"):
            wired.attempt_of(query, kept)


def test_an_altered_cookie_and_one_of_another_key(wired, remote):
    url, kept = wired.begin(ENVIRONMENT, "/")
    query = remote.sign_in(url)
    parts = kept.split(".")
    for place in (0, 2, 3, 4):
        part = parts[place]
        changed = [*parts[:place], part[:-4] + ("AAAA" if part[-4:] != "AAAA" else "BBBB"), *parts[place + 1 :]]
        with pytest.raises(OpenIdRefused):
            wired.attempt_of(query, ".".join(changed))
    other = Attempts(b"x" * 32, lambda: NOW)
    with pytest.raises(OpenIdRefused):
        wired.attempt_of(query, other.seal(wired.attempts.open(kept)))


def test_ten_minutes(remote):
    now = [NOW]
    wired = flow(remote, now=lambda: now[0])
    url, kept = wired.begin(ENVIRONMENT, "/")
    query = remote.sign_in(url)
    now[0] = NOW + timedelta(seconds=599)
    assert wired.attempt_of(query, kept)
    now[0] = NOW + timedelta(seconds=600)
    with pytest.raises(OpenIdRefused, match="too long ago"):
        wired.attempt_of(query, kept)


def test_an_answer_counts_once(wired, remote):
    url, kept = wired.begin(ENVIRONMENT, "/")
    query = remote.sign_in(url)
    attempt = wired.attempt_of(query, kept)
    wired.finish(query, attempt)
    remote.codes[query["code"]] = parse_qs(urlsplit(url).query)  # even if the provider took the code again
    with pytest.raises(OpenIdRefused, match="too long ago"):
        wired.finish(query, attempt)
    assert remote.asked.count("token") == 1


def test_two_control_planes_share_what_was_used(remote):
    used = TokensInMemory()
    one, two = flow(remote, used=used), flow(remote, used=used)
    url, kept = one.begin(ENVIRONMENT, "/")
    query = remote.sign_in(url)
    one.finish(query, one.attempt_of(query, kept))
    with pytest.raises(OpenIdRefused):
        two.finish(query, two.attempt_of(query, kept))


@pytest.mark.parametrize("iss", ["https://evil.example", "", ISSUER + "/", None])
def test_an_answer_of_another_provider_gets_no_code(wired, remote, iss):
    with pytest.raises(OpenIdRefused, match="another sign-in provider"):
        come_back(wired, remote, iss=iss)
    assert "token" not in remote.asked


def test_a_provider_that_never_names_itself(wired, remote):
    del remote.document["authorization_response_iss_parameter_supported"]
    assert come_back(wired, remote, iss=None)
    with pytest.raises(OpenIdRefused, match="another sign-in provider"):
        come_back(wired, remote, iss="https://evil.example")


@pytest.mark.parametrize(
    ("error", "word"),
    [("access_denied", "access_denied"), ("<script>", "an error"), ("x" * 99, "an error"), ("", "an error")],
)
def test_an_error_from_the_provider(wired, remote, error, word):
    with pytest.raises(OpenIdRefused) as refused:
        come_back(wired, remote, error=error, error_description="call 555-1234")
    assert refused.value.sentence == f"The sign-in provider answered: {word}."
    assert "token" not in remote.asked


@pytest.mark.parametrize("code", ["", None, "x" * 5000])
def test_an_answer_without_a_code(wired, remote, code):
    with pytest.raises(OpenIdRefused, match="Please try again"):
        come_back(wired, remote, code=code)
    assert "token" not in remote.asked


def test_a_code_that_the_provider_does_not_take(wired, remote):
    with pytest.raises(OpenIdRefused) as refused:
        come_back(wired, remote, code="stolen")
    assert refused.value.detail == "the token endpoint answers 400 'invalid_grant'"


def test_a_code_of_somebody_elses_attempt(wired, remote):
    """PKCE: a stolen code is worth nothing in another attempt."""
    stolen = remote.sign_in(wired.begin(ENVIRONMENT, "/")[0])["code"]
    with pytest.raises(OpenIdRefused, match="did not accept"):
        come_back(wired, remote, code=stolen)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"error": "x"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=["x"]),
        httpx.Response(302, headers={"location": "https://evil.example"}),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
    ],
    ids=["error", "html", "list", "redirect", "down", "slow"],
)
def test_a_token_endpoint_that_does_not_answer_as_it_should(wired, remote, answer):
    remote.answers["token"] = answer
    with pytest.raises(ProviderUnavailable) as unavailable:
        come_back(wired, remote)
    assert unavailable.value.sentence == "The sign-in provider does not answer as it should. Try again later."


@pytest.mark.parametrize("document", [{}, {"access_token": "x"}, {"id_token": 7}, {"id_token": None}])
def test_an_answer_without_an_id_token(wired, remote, document):
    remote.answers["token"] = httpx.Response(200, json=document)
    with pytest.raises(OpenIdRefused, match="did not accept"):
        come_back(wired, remote)


def test_a_nonce_of_another_attempt(wired, remote):
    url, kept = wired.begin(ENVIRONMENT, "/")
    query = remote.sign_in(url)
    remote.codes[query["code"]]["nonce"] = "replayed"
    with pytest.raises(OpenIdRefused, match="could not be verified"):
        wired.finish(query, wired.attempt_of(query, kept))


def test_a_provider_that_drips(remote):
    """Each read is quick, and all of them together are not."""
    clock = Clock()

    class Drip(httpx.SyncByteStream):
        def __iter__(self):
            for _ in range(100):
                clock.now += 1
                yield b" "

    remote.answers["openid-configuration"] = httpx.Response(200, stream=Drip())
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        flow(remote, clock).begin(ENVIRONMENT, "/")
    assert clock.now <= 5000 + 12
    assert time.monotonic() - began < 60


def test_a_provider_that_says_too_much(remote):
    remote.answers["openid-configuration"] = httpx.Response(200, content=b" " * (1024 * 1024 + 1))
    with pytest.raises(ProviderUnavailable) as unavailable:
        flow(remote).begin(ENVIRONMENT, "/")
    assert "more than" in unavailable.value.detail


@pytest.mark.parametrize(
    ("methods", "secret", "is_header", "fields"),
    [
        (["client_secret_basic", "client_secret_post"], "s", True, set()),
        (["client_secret_post"], "s", False, {"client_id", "client_secret"}),
        (["private_key_jwt"], "s", True, set()),
        (["none"], None, False, {"client_id"}),
    ],
)
def test_how_the_client_says_who_it_is(remote, methods, secret, is_header, fields):
    remote.document["token_endpoint_auth_methods_supported"] = methods
    seen = {}

    def token(request):
        seen["form"] = parse_qs(request.content.decode())
        seen["header"] = "authorization" in request.headers
        return httpx.Response(400, json={"error": "invalid_client"})

    remote.token = token
    from dataclasses import replace

    with pytest.raises(OpenIdRefused):
        come_back(flow(remote, provider=replace(PROVIDER, client_secret=secret)), remote)
    assert seen["header"] is is_header
    assert {name for name in seen["form"] if name.startswith("client_")} == fields
    assert "code_verifier" in seen["form"]
