"""Given certificates: what is wrong is named, what is good is copied, what changes is looked at again."""

import base64
import ipaddress
import os
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tradewind.domain.errors import CannotStart
from tradewind.routes.given import Given, Source, covers, take_roots
from tradewind.routes.tls import Files

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NAMES = ("*.us-east-1.x.org", "mwaa.x.org")


def pair(names=NAMES, *, begins=NOW - timedelta(days=1), ends=NOW + timedelta(days=90)):
    """A certificate that signs itself, and its key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
    if names:
        said = [_general(name) for name in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(said), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM), _pem(key)


def _general(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key, password=None):
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


@pytest.fixture
def write(tmp_path):
    """Writes a pair where the service looks for it."""

    def writing(certificate, key):
        for name, content in (("c.pem", certificate), ("k.pem", key)):
            new = tmp_path / f"{name}.new"
            new.write_bytes(content)
            new.rename(tmp_path / name)
        return Given(Source(tmp_path / "c.pem", tmp_path / "k.pem", NAMES), tmp_path / "storage", lambda: NOW)

    return writing


def test_a_good_pair_is_copied_for_the_proxy_alone(write):
    certificate, key = pair()
    files = write(certificate, key).take()
    assert (files.certificate.read_bytes(), files.key.read_bytes()) == (certificate, key)
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.key.parent.stat().st_mode) == 0o700
    assert [path.name for path in files.key.parent.iterdir() if path.name.startswith(".")] == []


WRONG = {
    "it is not a certificate in PEM": lambda: (b"x", pair()[1]),
    "it is not a private key in PEM": lambda: (pair()[0], b"x"),
    "it is encrypted": lambda: (pair()[0], _pem(ec.generate_private_key(ec.SECP256R1()), b"secret")),
    "it does not belong to the certificate": lambda: (pair()[0], pair()[1]),
    "it ended on 2026-04-30": lambda: pair(begins=NOW - timedelta(days=9), ends=NOW - timedelta(days=1)),
    "it begins on 2026-05-02": lambda: pair(begins=NOW + timedelta(days=1)),
    "it does not cover mwaa.x.org (it covers *.us-east-1.x.org)": lambda: pair(NAMES[:1]),
    "it does not cover *.us-east-1.x.org, mwaa.x.org (it covers no name)": lambda: pair(()),
}


def of_an_unknown_kind():
    """A certificate whose key is of no algorithm that there is."""
    certificate, key = pair()
    elliptic = bytes.fromhex("06072a8648ce3d0201")
    der = x509.load_pem_x509_certificate(certificate).public_bytes(serialization.Encoding.DER)
    text = base64.encodebytes(der.replace(elliptic, elliptic[:-1] + b"\x7f")).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n".encode(), key


WRONG["its key is of a kind that cannot be used"] = of_an_unknown_kind


@pytest.mark.parametrize("words", WRONG)
def test_what_is_wrong_is_named_with_the_file(write, words, tmp_path):
    with pytest.raises(CannotStart) as refused:
        write(*WRONG[words]()).take()
    assert refused.value.sentence.startswith(f"cannot use the {'key' if 'private' in words or 'encr' in words else ''}")
    assert words in refused.value.sentence
    assert str(tmp_path) in refused.value.sentence


@pytest.mark.parametrize("missing", ["c.pem", "k.pem"])
def test_a_file_that_cannot_be_read_is_named(write, tmp_path, missing):
    given = write(*pair())
    (tmp_path / missing).unlink()
    with pytest.raises(CannotStart, match=rf"cannot read the \w+ .*{missing}: No such file"):
        given.take()


def test_a_renewal_is_taken_once_and_has_other_copies(write):
    given = write(*pair())
    first = given.take()
    told = []
    assert given.renewed(told.append) is None
    write(*pair())
    second = given.renewed(told.append)
    assert isinstance(second, Files)
    assert second.certificate != first.certificate
    assert first.certificate.exists()  # until the proxy no longer uses it
    assert given.renewed(told.append) is None
    assert told == []


def test_half_a_renewal_is_told_once_and_the_other_half_ends_it(write, tmp_path):
    given = write(*pair())
    given.take()
    certificate, key = pair()
    (tmp_path / "c.pem").write_bytes(certificate)
    told = []
    assert given.renewed(told.append) is None
    assert given.renewed(told.append) is None
    assert len(told) == 1
    assert "does not belong to the certificate" in told[0]
    (tmp_path / "k.pem").write_bytes(key)
    assert given.renewed(told.append) is not None
    assert len(told) == 1


def test_a_pair_that_was_only_touched_is_the_same(write, tmp_path):
    given = write(*pair())
    files = given.take()
    os.utime(tmp_path / "c.pem", (1, 1))
    assert given.renewed(pytest.fail) == files


@pytest.mark.parametrize(
    ("covered", "name", "does"),
    [
        (["*.x.org"], "a.x.org", True),
        (["*.x.org"], "A.X.org", True),
        (["*.x.org"], "*.x.org", True),
        (["*.x.org"], "x.org", False),
        (["*.x.org"], "a.b.x.org", False),
        (["a.x.org"], "*.x.org", False),
        (["*.0.0.1"], "127.0.0.1", False),
        (["127.0.0.1"], "127.0.0.1", True),
        ([], "a", False),
    ],
)
def test_what_a_certificate_covers(covered, name, does):
    assert covers(covered, name) is does


def test_roots_are_copied_and_nonsense_is_refused(tmp_path):
    (tmp_path / "r.pem").write_bytes(pair()[0] + pair()[0])
    copy = take_roots(tmp_path / "r.pem", tmp_path / "storage")
    assert copy.read_bytes() == (tmp_path / "r.pem").read_bytes()
    (tmp_path / "r.pem").write_bytes(b"nonsense")
    with pytest.raises(CannotStart, match="they are not certificates in PEM"):
        take_roots(tmp_path / "r.pem", tmp_path / "storage")
    with pytest.raises(CannotStart, match="cannot read the root certificates"):
        take_roots(tmp_path / "none.pem", tmp_path / "storage")
