"""Web login and CLI tokens: whom they let in, and everything that they must not."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.access.doubles import TokensInMemory
from tradewind.access.tokens import (
    Grant,
    Reason,
    TokenRefused,
    mint_cli_token,
    mint_web_token,
    redeem_cli_token,
    redeem_web_token,
)
from tradewind.domain.identifiers import EnvironmentId

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
KEY = bytes(range(32))
HERE = EnvironmentId("abcdefghijkm")
ELSEWHERE = EnvironmentId("bbcdefghijkm")
GRANT = Grant(HERE, "Sales", "assumed-role/Admin/alice", "assumed-role/Admin/alice", ("Admin", "Op"))
TOKEN = mint_cli_token(GRANT, KEY, NOW)


class EverythingWasUsed:
    def claim(self, jti, expires):
        return False


def refusal(token, *, environment_id=HERE, key=KEY, now=NOW, redeem=redeem_cli_token, used=None):
    with pytest.raises(TokenRefused) as refused:
        redeem(token, environment_id, key, now, *([] if used is None else [used]))
    return refused.value


def test_a_web_token_says_who_may_enter_what():
    used = TokensInMemory()
    login = redeem_web_token(mint_web_token(GRANT, KEY, NOW), HERE, KEY, NOW, used)
    assert login.grant == GRANT
    assert login.expires == datetime(2026, 3, 1, 12, 1, tzinfo=UTC)
    assert used.claimed == {login.jti: login.expires}


def test_a_web_token_works_once():
    used, token = TokensInMemory(), mint_web_token(GRANT, KEY, NOW)
    redeem_web_token(token, HERE, KEY, NOW, used)
    refused = refusal(token, redeem=redeem_web_token, used=used)
    assert refused.reason is Reason.ALREADY_USED
    assert refused.sentence == "The token has been used. Ask for a new one."


def test_two_tokens_of_one_grant_are_two():
    used = TokensInMemory()
    for _ in range(2):
        redeem_web_token(mint_web_token(GRANT, KEY, NOW), HERE, KEY, NOW, used)
    assert len(used.claimed) == 2


def test_a_token_that_is_refused_is_not_used_up():
    used, token = TokensInMemory(), mint_web_token(GRANT, KEY, NOW)
    refusal(token, redeem=redeem_web_token, used=used, environment_id=ELSEWHERE)
    refusal(token, redeem=redeem_web_token, used=used, now=NOW + timedelta(hours=1))
    redeem_web_token(token, HERE, KEY, NOW, used)


def test_a_cli_token_works_until_it_expires():
    token = mint_cli_token(GRANT, KEY, NOW)
    for seconds in (0, 30, 59.7):
        assert redeem_cli_token(token, HERE, KEY, NOW + timedelta(seconds=seconds)).grant == GRANT


@pytest.mark.parametrize("seconds", [60, 61, 86400])
def test_after_60_seconds_a_token_is_expired(seconds):
    refused = refusal(mint_cli_token(GRANT, KEY, NOW), now=NOW + timedelta(seconds=seconds))
    assert refused.reason is Reason.EXPIRED
    assert refused.sentence == "The token has expired. Ask for a new one."


def test_a_token_is_for_one_environment():
    assert refusal(mint_cli_token(GRANT, KEY, NOW), environment_id=ELSEWHERE).reason is Reason.OTHER_ENVIRONMENT


def test_a_token_is_of_one_kind():
    web, cli = mint_web_token(GRANT, KEY, NOW), mint_cli_token(GRANT, KEY, NOW)
    assert refusal(web).reason is Reason.WRONG_KIND
    assert refusal(cli, redeem=redeem_web_token, used=TokensInMemory()).reason is Reason.WRONG_KIND


def test_a_key_that_is_not_ours_altered_the_token():
    assert refusal(mint_cli_token(GRANT, bytes(32), NOW)).reason is Reason.ALTERED


def test_refusals_do_not_tell_apart_what_an_attacker_would_like_to_know():
    token = mint_cli_token(GRANT, KEY, NOW)
    sentences = {
        refusal(token, environment_id=ELSEWHERE).sentence,
        refusal(mint_web_token(GRANT, KEY, NOW)).sentence,
        refusal(token[:-2]).sentence,
        # an expired token of another environment does not tell that it has expired
        refusal(token, environment_id=ELSEWHERE, now=NOW + timedelta(days=1)).sentence,
    }
    assert sentences == {"The token is not valid."}


def _encoded(document):
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def test_a_token_without_a_signature_is_refused():
    claims = jwt.decode(mint_cli_token(GRANT, KEY, NOW), options={"verify_signature": False})
    for algorithm in ("none", "None", "HS256"):
        assert refusal(f"{_encoded({'alg': algorithm, 'typ': 'JWT'})}.{_encoded(claims)}.").reason is Reason.ALTERED


@pytest.mark.parametrize("claim", ["typ", "aud", "env", "iam", "sub", "roles", "jti", "iat", "exp"])
def test_a_token_that_lacks_a_claim_is_refused(claim):
    claims = jwt.decode(mint_cli_token(GRANT, KEY, NOW), options={"verify_signature": False, "verify_aud": False})
    del claims[claim]
    assert refusal(jwt.encode(claims, KEY, "HS256")).reason is Reason.ALTERED


def test_another_algorithm_with_our_key_is_refused():
    claims = jwt.decode(mint_cli_token(GRANT, KEY, NOW), options={"verify_signature": False, "verify_aud": False})
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode(claims, KEY, "HS512")
    assert refusal(token).reason is Reason.ALTERED


@given(st.one_of(st.text(max_size=300), st.text("eyJ.-_A9=", max_size=200), st.just("a" * 100_000), st.just("é.é.é")))
def test_no_text_is_a_token(text):
    assert refusal(text).reason is Reason.ALTERED


@given(st.data())
def test_one_changed_character_alters_a_token(data):
    # The last character of a part may hold bits that no byte uses: not a change of what is signed.
    ends = {len(TOKEN) - 1} | {place - 1 for place, letter in enumerate(TOKEN) if letter == "."}
    place = data.draw(st.integers(0, len(TOKEN) - 1).filter(lambda place: place not in ends))
    letter = data.draw(st.sampled_from("ABCabc019-_.").filter(lambda letter: letter != TOKEN[place]))
    assert refusal(TOKEN[:place] + letter + TOKEN[place + 1 :]).reason is Reason.ALTERED


@given(
    st.builds(
        Grant,
        st.just(HERE),
        st.text(max_size=80),
        st.text(max_size=100),
        st.text(min_size=1, max_size=64),
        st.lists(st.sampled_from(["Admin", "Op", "User", "Viewer", "Public"])).map(tuple),
    ),
    st.integers(1_700_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
def test_what_is_minted_is_redeemed(grant, now):
    assert redeem_cli_token(mint_cli_token(grant, KEY, now), HERE, KEY, now).grant == grant
    token = mint_web_token(grant, KEY, now)
    assert redeem_web_token(token, HERE, KEY, now, TokensInMemory()).grant == grant
    assert refusal(token, redeem=redeem_web_token, used=EverythingWasUsed(), now=now).reason is Reason.ALREADY_USED


def test_a_short_key_is_a_defect_and_no_refusal():
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        mint_web_token(GRANT, KEY[:31], NOW)
    with pytest.raises(ValueError, match="32 bytes, not 0"):
        redeem_cli_token("a.b.c", HERE, b"", NOW)
