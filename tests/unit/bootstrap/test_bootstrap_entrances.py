"""From settings to the door: addresses, and whose certificates are shown."""

import dataclasses

import pytest

from tests.unit.routes.test_routes_given import NOW, pair
from tradewind.bootstrap.entrances import certificates, private_addresses, problem
from tradewind.domain.errors import CannotStart
from tradewind.routes.tls import Acme, Files, Internal
from tradewind.settings import Settings, TlsSettings


@pytest.mark.parametrize(
    ("private", "addresses"),
    [
        ("127.0.0.1", ("127.0.0.1",)),
        ("10.0.0.1", ("127.0.0.1", "10.0.0.1")),
        ("::1", ("127.0.0.1", "::1")),
        ("0.0.0.0", ("0.0.0.0",)),
    ],
)
def test_this_machine_is_always_let_in(tmp_path, private, addresses):
    assert private_addresses(Settings(tmp_path, private_address=private)) == addresses


def test_the_internal_authority_is_the_default(tmp_path):
    assert certificates(Settings(tmp_path), 443) == (Internal(), None)


def test_acme_answers_its_challenge_at_the_public_address(tmp_path):
    asked = Settings(tmp_path, domain="x.org", public_address="127.0.0.3", tls=TlsSettings("acme", acme_email="a@b"))
    tls, given = certificates(asked, 8443)
    assert given is None
    assert tls == Acme("https://acme-v02.api.letsencrypt.org/directory", "a@b", None, 8443, "127.0.0.3")


def test_a_given_pair_must_cover_the_hosts_of_environments_and_the_public_names(tmp_path, monkeypatch):
    for name, content in zip(("c.pem", "k.pem"), pair(("*.us-east-1.x.org",)), strict=True):
        (tmp_path / name).write_bytes(content)
    asked = Settings(tmp_path, domain="x.org", tls=TlsSettings("files", tmp_path / "c.pem", tmp_path / "k.pem"))
    monkeypatch.setattr("tradewind.bootstrap.entrances.now", lambda: NOW)
    tls, given = certificates(asked, 443)
    assert problem(asked) is None
    assert isinstance(tls, Files)
    assert given is not None
    with pytest.raises(CannotStart, match=r"does not cover mwaa\.x\.org"):
        certificates(dataclasses.replace(asked, public_names=("mwaa.x.org",)), 443)
    assert "does not cover" in problem(dataclasses.replace(asked, public_names=("mwaa.x.org",)))
