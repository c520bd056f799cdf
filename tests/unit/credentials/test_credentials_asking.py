"""The proof that the process shows is one that the control plane takes, once and for its own environment alone."""

import dataclasses
from datetime import timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.samples import NOW, SECRETS, environment
from tradewind.access import execution_roles
from tradewind.recipe.execution_roles import endpoint_token, signing_key
from tradewind_airflow.credentials import asking
from tradewind_airflow.credentials.asking import ControlPlane

ENVIRONMENT = environment()
ROLE = ENVIRONMENT.spec.execution_role_arn


class TokensUsedOnce:
    def __init__(self):
        self.used = {}

    def claim(self, jti, expires):
        return self.used.setdefault(jti, expires) is expires


def plane(*, of=ENVIRONMENT, at=NOW, role=ROLE):
    key = signing_key(of.secrets).encode()
    return ControlPlane("https://e/x", "", str(of.id), role, key, clock=at.timestamp)


def redeem(proof, *, at=NOW, used=None):
    return execution_roles.redeem(proof, ENVIRONMENT, at, used or TokensUsedOnce())


def test_both_sides_mean_the_same():
    assert (asking.ISSUER, asking.AUDIENCE) == (execution_roles.ISSUER, execution_roles.AUDIENCE)
    assert redeem(plane().proof()) == ROLE
    assert redeem(plane(role="arn:aws:iam::111111111111:role/other").proof()).endswith("other")


def test_a_proof_is_good_once():
    used, proof = TokensUsedOnce(), plane().proof()
    redeem(proof, used=used)
    with pytest.raises(execution_roles.ProofRefused):
        redeem(proof, used=used)
    assert all(expires > NOW for expires in used.used.values())


@pytest.mark.parametrize(("seconds", "is_good"), [(-4, True), (-6, False), (59, True), (60, False), (3600, False)])
def test_a_proof_is_good_for_a_minute(seconds, is_good):
    proof, at = plane().proof(), NOW + timedelta(seconds=seconds)
    if is_good:
        assert redeem(proof, at=at) == ROLE
    else:
        with pytest.raises(execution_roles.ProofRefused):
            redeem(proof, at=at)


OTHER = dataclasses.replace(ENVIRONMENT, secrets=dataclasses.replace(SECRETS, assertion_secret="x" * 64))
CLAIMS = {
    "iss": "tradewind-environment", "aud": "execution-role", "sub": str(ENVIRONMENT.id), "role": ROLE,
    "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 60, "jti": "j",
}  # fmt: skip
KEY = signing_key(SECRETS).encode()


@pytest.mark.parametrize(
    "proof",
    [
        pytest.param("", id="nothing"),
        pytest.param("a.b.c", id="rubbish"),
        pytest.param("ä" * 10, id="not ASCII"),
        pytest.param("x" * 10_000, id="long"),
        pytest.param(plane(of=OTHER).proof(), id="another environment's key"),
        pytest.param(jwt.encode(CLAIMS, SECRETS.assertion_secret, "HS256"), id="the assertion secret itself"),
        pytest.param(jwt.encode(CLAIMS, endpoint_token(SECRETS), "HS256"), id="the token of tasks"),
        pytest.param(jwt.encode(CLAIMS, KEY * 2, "HS384"), id="another algorithm"),
        pytest.param(jwt.encode(CLAIMS, None, "none"), id="no signature"),
        *(
            pytest.param(asking.sign({**CLAIMS, **change}, KEY), id=str(change))
            for change in (
                {"iss": "tradewind"}, {"aud": str(ENVIRONMENT.id)}, {"sub": "bbcdefghjkmn"}, {"role": 1},
                {"role": None},
                {"exp": CLAIMS["exp"] + 1}, {"exp": "soon"}, {"iat": None}, {"jti": ["a"]}, {"jti": 7},
            )
        ),
        *(
            pytest.param(asking.sign({n: v for n, v in CLAIMS.items() if n != name}, KEY), id=f"no {name}")
            for name in CLAIMS
        ),
    ],
)  # fmt: skip
def test_anything_else_proves_nothing(proof):
    with pytest.raises(execution_roles.ProofRefused):
        redeem(proof)


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()), st.binary(min_size=32))
def test_our_own_signature_is_a_jwt(claims, key):
    """Claims with a meaning of their own are left out: PyJWT reads those."""
    plain = {
        name: value for name, value in claims.items() if name not in {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}
    }
    assert jwt.decode(asking.sign(plain, key), key, algorithms=["HS256"]) == plain


def test_each_key_is_of_one_environment_and_one_purpose():
    keys = [derive(each) for derive in (signing_key, endpoint_token) for each in (SECRETS, OTHER.secrets)]
    assert len({*keys, SECRETS.assertion_secret}) == 5
    assert all(len(key) == 64 for key in keys)
