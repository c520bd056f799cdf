"""Leases: one holder at a time, and a token that grows with each new one. Time is the database's."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import sqlalchemy as sa

from tradewind.store import Leases


def expire(engine, subject):
    """As if its seconds had passed."""
    with engine.begin() as connection:
        statement = sa.text("UPDATE leases SET until = now() - interval '1 second' WHERE subject = :subject")
        assert connection.execute(statement, {"subject": subject}).rowcount == 1


def test_one_holder_at_a_time(engine):
    mine, theirs = Leases(engine, "mine"), Leases(engine, "theirs")
    lease = mine.take("x", 60)
    assert lease is not None
    assert theirs.take("x", 60) is None
    assert mine.take("x", 60) == lease
    assert theirs.take("y", 60) is not None


def test_a_lease_that_ran_out_is_anyones_with_a_greater_token(engine):
    mine, theirs = Leases(engine, "mine"), Leases(engine, "theirs")
    first = mine.take("x", 60)
    expire(engine, "x")
    second = theirs.take("x", 60)
    assert second.token == first.token + 1
    assert mine.take("x", 60) is None
    expire(engine, "x")
    assert mine.take("x", 60).token == second.token + 1


def test_seconds_are_seconds(engine):
    mine, theirs = Leases(engine, "mine"), Leases(engine, "theirs")
    assert mine.take("x", 4) is not None
    assert theirs.take("x", 60) is None
    time.sleep(4.1)
    assert theirs.take("x", 60) is not None


def test_renewing_makes_it_last(engine):
    mine, theirs = Leases(engine, "mine"), Leases(engine, "theirs")
    mine.take("x", 60)
    expire(engine, "x")
    renewed = mine.take("x", 60)
    assert renewed.token == 1
    assert theirs.take("x", 60) is None


def test_a_released_lease_is_anyones_at_once(engine):
    mine, theirs = Leases(engine, "mine"), Leases(engine, "theirs")
    lease = mine.take("x", 60)
    mine.release(lease)
    assert theirs.take("x", 60).token == lease.token + 1


def test_releasing_what_was_lost_takes_nothing_away(engine):
    mine, theirs = Leases(engine, "mine"), Leases(engine, "theirs")
    lost = mine.take("x", 60)
    expire(engine, "x")
    theirs.take("x", 60)
    mine.release(lost)
    assert Leases(engine, "third").take("x", 60) is None


def test_of_many_who_want_it_one_gets_it(engine):
    for subject in ("a", "b", "c"):
        together = Barrier(8)

        def take(number, subject=subject, together=together):
            together.wait(20)
            return Leases(engine, f"holder-{number}").take(subject, 60)

        with ThreadPoolExecutor(8) as pool:
            assert len([lease for lease in pool.map(take, range(8)) if lease is not None]) == 1
