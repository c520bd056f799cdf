"""The provider as it is configured."""

import pytest

from tradewind.access.providers import is_safe_url, read_provider
from tradewind.domain.errors import CannotStart

GIVEN = {"oidc_issuer": "https://id.example/realms/staff/", "oidc_client_id": "tradewind", "oidc_roles": '{"a": "A"}'}


def test_nothing_is_no_provider():
    assert read_provider({}) is None


def test_what_is_given_and_what_is_not():
    provider = read_provider(GIVEN)
    assert (provider.issuer, provider.client_secret, provider.name) == (GIVEN["oidc_issuer"], None, "id.example")
    assert (provider.scopes, provider.claim, provider.public_url) == ("openid profile email", "groups", None)
    assert provider.path == "id.example/realms/staff"
    assert provider.arn("123456789012") == "arn:aws:iam::123456789012:oidc-provider/id.example/realms/staff"
    assert "hidden" not in repr(read_provider(GIVEN | {"oidc_client_secret": "hidden"}))


def test_roles_of_a_variable_keep_their_order():
    provider = read_provider(GIVEN | {"oidc_roles": '{"z": "Z", "a": "A", "m": "M"}'})
    assert list(provider.roles.items()) == [("z", "Z"), ("a", "A"), ("m", "M")]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"oidc_client_id": ""}, "belong together"),
        ({"oidc_issuer": "http://id.example"}, "must be an https URL"),
        ({"oidc_issuer": "https://id.example/?a=b"}, "without a query"),
        ({"oidc_issuer": "id.example"}, "must be an https URL"),
        ({"oidc_scopes": "profile"}, "openid must be one of them"),
        ({"oidc_public_url": "http://api.example"}, "must read https://host"),
        ({"oidc_public_url": "https://api.example/path"}, "must read https://host"),
        ({"oidc_ca_file": "/nowhere/ca.pem"}, "no such file"),
    ],
)
def test_settings_that_make_no_sense(changed, words):
    with pytest.raises(CannotStart, match=words):
        read_provider(GIVEN | changed)


@pytest.mark.parametrize("roles", [None, "", "{}", "{", "[]", '{"a": 7}', "7"])
def test_a_table_of_roles_that_is_none(roles):
    with pytest.raises(CannotStart, match="oidc_roles"):
        read_provider({**GIVEN, "oidc_roles": roles})


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://id.example", True),
        ("https://id.example:8443/a?b=c", True),
        ("http://127.0.0.1:9000", True),
        ("http://[::1]:9000/x", True),
        ("http://localhost:9000", True),
        ("http://id.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost.evil.example", False),
        ("https://user@id.example", False),
        ("https://id.example/#x", False),
        ("https://id.example/a b", False),
        ("https://id.ex\u00e4mple/", False),
        ("https://", False),
        ("https:id.example", False),
        ("https://id.example:99999", False),
        ("ftp://id.example", False),
        ("", False),
    ],
)
def test_where_codes_and_secrets_may_go(url, is_safe):
    assert is_safe_url(url) is is_safe
