"""How much outsiders may fill: bounded, and nothing is lost but detail."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.samples import MOMENT
from tradewind.audit import Withheld, Withholding
from tradewind.audit.withholding import OTHERS, source_of


def after(seconds):
    return MOMENT + timedelta(seconds=seconds)


def test_each_source_has_so_many_a_minute():
    limit = Withholding(each=3)
    assert [limit.admit("192.0.2.1", after(n)) for n in range(5)] == [True] * 3 + [False] * 2
    assert limit.admit("192.0.2.2", after(5))
    assert limit.settle(after(59)) == ()
    assert limit.settle(after(60)) == (Withheld("192.0.2.1", 2, after(3), after(4)),)
    assert limit.settle(after(61)) == ()
    assert limit.admit("192.0.2.1", after(62))


def test_all_together_have_so_many():
    limit = Withholding(each=3, together=5)
    admitted = [limit.admit(f"192.0.2.{n}", MOMENT) for n in range(20)]
    assert admitted == [True] * 5 + [False] * 15
    assert sum(each.count for each in limit.settle(after(60))) == 15
    assert limit.admit("192.0.2.1", after(60))


def test_beyond_so_many_sources_the_others_share_a_count():
    limit = Withholding(each=2, sources=3)
    for n in range(50):
        limit.admit(f"192.0.2.{n}", MOMENT)
    (others,) = limit.settle(after(60))
    assert (others.source, others.count) == (OTHERS, 45)


def test_the_end_settles_what_is_open():
    limit = Withholding(each=0)
    limit.admit("192.0.2.1", MOMENT)
    assert limit.settle(MOMENT) == ()
    assert limit.settle(MOMENT, is_end=True) == (Withheld("192.0.2.1", 1, MOMENT, MOMENT),)


def test_what_could_not_be_recorded_is_counted_again():
    limit = Withholding(each=1)
    for n in range(3):
        limit.admit("192.0.2.1", after(n))
    settled = limit.settle(after(60))
    limit.put_back(settled)
    assert not limit.admit("192.0.2.1", after(61))
    assert limit.settle(after(200)) == (Withheld("192.0.2.1", 3, after(1), after(61)),)


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", OTHERS),
        ("unix", OTHERS),
    ],
)
def test_what_an_address_counts_by(address, source):
    assert source_of(address) == source


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 30)), max_size=200))
def test_every_refusal_is_recorded_or_counted(refusals):
    """And no minute has more records than all may have together, twice (windows are not aligned)."""
    limit, clock, recorded, counted = Withholding(each=2, together=5, sources=4), 0, 0, 0
    for source, pause in refusals:
        clock += pause
        counted += sum(each.count for each in limit.settle(after(clock)))
        recorded += limit.admit(f"192.0.2.{source}", after(clock))
    counted += sum(each.count for each in limit.settle(after(clock), is_end=True))
    assert recorded + counted == len(refusals)
    assert recorded <= 5 * (clock // 60 + 1)
