"""What a provider says about itself: when it is asked, what is believed, and keys that change."""

import httpx
import pytest
import structlog

from tests.unit.access.openid.doubles import ISSUER, Clock, ProviderInMemory, key
from tradewind.access.clients import Cookieless
from tradewind.access.openid import ProviderUnavailable
from tradewind.access.openid.discovery import Discovery
from tradewind.access.openid.fetching import Fetcher


@pytest.fixture
def remote():
    return ProviderInMemory()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def discovery(remote, clock):
    return Discovery(ISSUER, Fetcher(Cookieless(transport=httpx.MockTransport(remote)), clock), clock)


def ids(keys):
    return [key.kid for key in keys]


def test_the_document_is_asked_for_once_an_hour(discovery, remote, clock):
    for _ in range(3):
        assert discovery.metadata().token_endpoint == f"{ISSUER}/token"
    assert remote.asked == ["openid-configuration"]
    clock.now += 3600
    discovery.metadata()
    assert remote.asked == ["openid-configuration"] * 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", "https://evil.example"), ("issuer", None), ("issuer", ISSUER + "/"),
        ("token_endpoint", "http://id.example/token"), ("token_endpoint", None), ("token_endpoint", 7),
        ("token_endpoint", "https://user:pw@id.example/token"), ("token_endpoint", "file:///etc/passwd"),
        ("authorization_endpoint", "javascript:alert(1)"), ("authorization_endpoint", "https://id.example/a\nb"),
        ("jwks_uri", "//id.example/keys"), ("jwks_uri", "https://[::1"), ("jwks_uri", "https://id.example:x/"),
    ],
)  # fmt: skip
def test_a_document_that_is_not_believed(discovery, remote, name, value):
    remote.document[name] = value
    with pytest.raises(ProviderUnavailable):
        discovery.metadata()


@pytest.mark.parametrize("methods", [None, "client_secret_post", [], ["client_secret_post"]])
def test_odd_lists_of_methods_do_no_harm(discovery, remote, methods):
    remote.document["token_endpoint_auth_methods_supported"] = methods
    assert discovery.metadata().authentication == (("client_secret_post",) if methods == ["client_secret_post"] else ())


def test_a_provider_that_is_down_is_not_asked_again_at_once(discovery, remote, clock):
    remote.answers["openid-configuration"] = httpx.ConnectError("down")
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            discovery.metadata()
    assert len(remote.asked) == 1
    clock.now += 5
    del remote.answers["openid-configuration"]
    assert discovery.metadata()


def test_an_old_document_does_when_there_is_no_new_one(discovery, remote, clock):
    discovery.metadata()
    remote.answers["openid-configuration"] = httpx.Response(503)
    clock.now += 4000
    with structlog.testing.capture_logs() as told:
        for _ in range(3):
            assert discovery.metadata()
        assert [line["action"] for line in told] == ["kept_old_document"]
    clock.now += 6
    del remote.answers["openid-configuration"]
    discovery.metadata()
    assert len(remote.asked) == 3


def test_keys_are_kept_and_new_ones_found(discovery, remote, clock):
    assert ids(discovery.keys("one")) == ["one"]
    assert ids(discovery.keys(None)) == ["one"]
    assert remote.asked.count("keys") == 1
    remote.published = [key("two")]
    clock.now += 11
    assert ids(discovery.keys("two")) == ["two"]
    assert discovery.keys("one") == ()
    assert remote.asked.count("keys") == 2


def test_a_flood_of_unknown_keys_is_not_passed_on(discovery, remote, clock):
    discovery.keys("one")
    for number in range(100):
        clock.now += 0.05
        assert discovery.keys(f"made up {number}") == ()
    assert remote.asked.count("keys") == 1


def test_a_key_that_was_withdrawn_is_forgotten_after_a_quarter_of_an_hour(discovery, remote, clock):
    discovery.keys("one")
    remote.published = []
    clock.now += 899
    assert ids(discovery.keys("one")) == ["one"]
    clock.now += 2
    assert discovery.keys("one") == ()


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": "x"}])
def test_a_key_set_that_is_none(discovery, remote, document):
    remote.answers["keys"] = httpx.Response(200, json=document)
    with pytest.raises(ProviderUnavailable):
        discovery.keys("one")
