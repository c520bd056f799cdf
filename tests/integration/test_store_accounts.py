"""The account is made once, whoever asks at the same time; one-time tokens are used once."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import sqlalchemy as sa

from tests.unit.domain.samples import SEALING
from tradewind.store import Accounts, UsedTokens
from tradewind.store.tables import used_tokens


def test_the_account_is_made_once(engine):
    first = Accounts(engine, SEALING).ensure()
    assert Accounts(engine, SEALING).ensure() == first
    assert re.fullmatch(r"[1-9]\d{11}", first.account_id)
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", first.access_key_id)
    assert len(first.secret_access_key) == 40
    assert len(first.token_key) == 32
    assert first.secret_access_key not in repr(first)


def test_those_who_ask_at_once_get_the_same(new_engine):
    together = Barrier(8)

    def ensure(_number):
        engine = new_engine()
        together.wait(20)
        return Accounts(engine, SEALING).ensure()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ensure, range(8)))
    assert len({account.access_key_id for account in found}) == 1


def test_a_token_is_claimed_by_one_of_twenty(engine):
    tokens = UsedTokens(engine)
    until = datetime.now(UTC) + timedelta(seconds=60)
    for number in range(10):
        together = Barrier(20)

        def claim(_caller, number=number, together=together):
            together.wait(20)
            return tokens.claim(f"token-{number}", until)

        with ThreadPoolExecutor(20) as pool:
            assert sorted(pool.map(claim, range(20))) == [False] * 19 + [True]


def test_a_token_stays_used_and_is_forgotten_after_its_end(engine):
    tokens = UsedTokens(engine)
    now = datetime.now(UTC)
    assert tokens.claim("a", now + timedelta(seconds=60))
    assert not tokens.claim("a", now + timedelta(seconds=60))
    assert tokens.claim("over", now - timedelta(seconds=1))
    assert tokens.claim("b", now + timedelta(seconds=60))
    with engine.connect() as connection:
        assert set(connection.execute(sa.select(used_tokens.c.jti)).scalars()) == {"a", "b"}
