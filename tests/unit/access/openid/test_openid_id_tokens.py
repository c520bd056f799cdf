"""ID tokens: each thing that is checked, by a token in which nothing else is wrong."""

import base64
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey, OctKey
from joserfc.util import int_to_base64

from tests.unit.access.openid.doubles import CLIENT, ISSUER, NOW, ProviderInMemory, key, unsigned
from tradewind.access.openid import OpenIdRefused
from tradewind.access.openid.discovery import public_keys
from tradewind.access.openid.id_tokens import Expected, verify_id_token

NONCE = "the-nonce"
EXPECTED = Expected(ISSUER, CLIENT, NONCE, "the-access-token", NOW)
SECONDS = int(NOW.timestamp())


@pytest.fixture
def remote():
    return ProviderInMemory()


def verify(token, *keys):
    known = public_keys({"keys": [each.as_dict(private=False) for each in keys or (key(),)]})
    return verify_id_token(token, lambda kid: [each for each in known if kid is None or each.kid == kid], EXPECTED)


def test_a_token_in_which_nothing_is_wrong(remote):
    assert verify(remote.id_token(NONCE))["sub"] == "248289761001"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"}, {"iss": ISSUER + "/"}, {"iss": None}, {"iss": [ISSUER]},
        {"aud": "other"}, {"aud": ["other"]}, {"aud": None}, {"aud": []}, {"aud": {"a": 1}}, {"aud": CLIENT.upper()},
        {"aud": [CLIENT, "other"]}, {"aud": [CLIENT, "other"], "azp": "other"}, {"azp": "other"},
        {"exp": SECONDS - 61}, {"exp": None}, {"exp": "tomorrow"}, {"exp": float("nan")},
        {"iat": SECONDS + 61}, {"iat": SECONDS - 661}, {"iat": None}, {"iat": "now"},
        {"nbf": SECONDS + 61},
        {"nonce": "other"}, {"nonce": None}, {"nonce": [NONCE]}, {"nonce": ""},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, {"at_hash": 7},
        {"sub": None}, {"sub": 7}, {"sub": ""}, {"sub": "x" * 256},
    ],
    ids=repr,
)  # fmt: skip
def test_a_token_with_a_claim_that_is_wrong(remote, changed):
    with pytest.raises(OpenIdRefused, match="could not be verified"):
        verify(remote.id_token(NONCE, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": SECONDS - 59}, {"iat": SECONDS + 59}, {"nbf": SECONDS + 59}, {"aud": [CLIENT]},
        {"aud": [CLIENT, "other"], "azp": CLIENT}, {"at_hash": None},
    ],
    ids=repr,
)  # fmt: skip
def test_a_minute_of_leeway_and_what_may_be_so(remote, changed):
    assert verify(remote.id_token(NONCE, **changed))


def test_a_signature_of_another_key(remote):
    remote.signing = key("one-of-somebody-else")
    with pytest.raises(OpenIdRefused):
        verify(remote.id_token(NONCE))


def test_altered_claims(remote):
    head, _, signature = remote.id_token(NONCE).split(".")
    _, body, _ = remote.id_token(NONCE, sub="root").split(".")
    with pytest.raises(OpenIdRefused):
        verify(f"{head}.{body}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "RS1", 7, None])
def test_no_signature_and_algorithms_that_do_not_count(algorithm):
    claims = {"iss": ISSUER, "aud": CLIENT, "sub": "1", "iat": SECONDS, "exp": SECONDS + 60, "nonce": NONCE}
    with pytest.raises(OpenIdRefused):
        verify(unsigned(claims, algorithm))


@pytest.mark.parametrize("of", ["PEM", "PEM without its last line end", "DER", "n"])
def test_the_public_key_as_a_shared_secret(remote, of):
    """The attack on libraries that let the token choose: HS256 with what everybody knows as the secret."""
    public = key()
    secrets = {
        "PEM": public.as_pem(private=False),
        "PEM without its last line end": public.as_pem(private=False).rstrip(b"\n"),
        "DER": public.as_der(private=False),
        "n": public.as_dict(private=False)["n"].encode(),
    }
    claims = {"iss": ISSUER, "aud": CLIENT, "sub": "1", "iat": SECONDS, "exp": SECONDS + 60, "nonce": NONCE}
    text = unsigned(claims, "HS256").rstrip(".")
    signature = base64.urlsafe_b64encode(hmac.digest(secrets[of], text.encode(), "sha256")).decode().rstrip("=")
    with pytest.raises(OpenIdRefused) as refused:
        verify(f"{text}.{signature}")
    assert "HS256" in refused.value.detail


def test_shared_secrets_and_weak_keys_are_not_among_the_keys():
    shared = OctKey.generate_key(256, {"kid": "shared"}).as_dict()
    modulus = rsa.generate_private_key(65537, 1024).public_key().public_numbers().n
    weak = {"kty": "RSA", "kid": "weak", "n": int_to_base64(modulus), "e": "AQAB"}
    encryption = key("enc").as_dict(private=False) | {"use": "enc"}
    odd = [{"kty": "RSA"}, {"kty": "EC", "crv": "P-9"}, {"kty": 7}, "x", None, {"kty": "RSA", "n": "AA", "e": 5}]
    assert public_keys({"keys": [shared, weak, encryption, *odd]}) == ()


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # as a name; providers still write it
@pytest.mark.parametrize(
    ("kind", "algorithm"), [("RSA", "PS256"), ("RSA", "RS512"), ("EC", "ES256"), ("OKP", "Ed25519"), ("OKP", "EdDSA")]
)
def test_other_kinds_of_keys(remote, kind, algorithm):
    remote.signing = key(f"k-{kind}", kind)
    remote.header = {"alg": algorithm, "kid": f"k-{kind}"}
    changed = {} if algorithm.endswith("256") else {"at_hash": None}
    assert verify(remote.id_token(NONCE, **changed), remote.signing)


def test_an_algorithm_that_is_not_the_keys(remote):
    token = remote.id_token(NONCE)
    with pytest.raises(OpenIdRefused, match="could not be verified"):
        verify(token, key("one", "EC"))


def test_a_token_without_a_key_id_is_tried_with_all(remote):
    remote.header = {"alg": "RS256"}
    assert verify(remote.id_token(NONCE), key("two"), key())


def signed_by_hand(header):
    claims = {"iss": ISSUER, "aud": CLIENT, "sub": "1", "iat": SECONDS, "exp": SECONDS + 60, "nonce": NONCE}
    text = unsigned(claims, header=header).rstrip(".")
    signature = key().private_key.sign(text.encode(), PKCS1v15(), SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_headers_of_the_providers_own():
    assert verify(signed_by_hand({"alg": "RS256", "kid": "one", "tenant": "x"}))


@pytest.mark.parametrize("crit", [["tenant"], "tenant", ["missing"]])
def test_a_critical_header_that_nobody_understands(crit):
    with pytest.raises(OpenIdRefused):
        verify(signed_by_hand({"alg": "RS256", "kid": "one", "tenant": "x", "crit": crit}))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "....", "\u00fc.b.c", "x" * 70_000, "e30.e30.e30", "W10.e30."])
def test_what_is_no_token(token):
    with pytest.raises(OpenIdRefused):
        verify(token)


def test_a_token_without_a_key_id_is_tried_with_keys_of_other_curves(remote):
    remote.signing = key("small", "EC")
    remote.header = {"alg": "ES256"}
    assert verify(remote.id_token(NONCE), ECKey.generate_key("P-384", {"kid": "large"}), remote.signing)
