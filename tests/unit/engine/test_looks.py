"""Which running DAG runs a pass looks at."""

import pytest

from tradewind_airflow.engine.looks import OFTEN_SECONDS, SHARE, SLICE_SECONDS, Looks

RUNS = [("d", str(number)) for number in range(30)]


def test_without_a_price_a_batch_is_what_is_configured():
    looks = Looks(20)
    looks.tell(RUNS)
    assert looks.next() == RUNS[:20]
    assert looks.next() == RUNS[20:]
    assert looks.next() == []


def test_a_slice_is_what_its_time_allows():
    looks = Looks(20)
    looks.took(10, 10 * SLICE_SECONDS / 3.5)
    assert looks.slice == 3
    looks.tell(RUNS)
    assert looks.next() == RUNS[:3]
    looks.tell(RUNS[:1])
    assert looks.next() == RUNS[3:6], "those that wait longest first"


def test_one_is_always_looked_at_and_never_more_than_a_batch():
    looks = Looks(20)
    looks.took(1, 100 * SLICE_SECONDS)
    assert looks.slice == 1
    looks = Looks(20)
    looks.took(20, 0.0001)
    assert looks.slice == 20


def test_prices_follow_the_last_ones():
    looks = Looks(20)
    looks.took(1, 1.0)
    for _ in range(20):
        looks.took(10, 0.01)
    assert looks.slice > 10
    looks.took(0, 5.0)
    assert looks.slice > 10, "a look at none says nothing"


def test_batches_take_their_share_of_the_time_and_no_more():
    looks = Looks(20)
    assert looks.pause == OFTEN_SECONDS
    looks.took(20, 0.8)
    looks.batched(RUNS[:20])
    assert looks.pause == pytest.approx(0.8 / SHARE)
    looks.took(1, 0.04)
    assert looks.pause == pytest.approx(0.8 / SHARE), "a slice in between is no batch"
    looks.batched(RUNS[:1])
    assert looks.pause == OFTEN_SECONDS


def test_what_was_looked_at_is_forgotten():
    looks = Looks(20)
    looks.tell(RUNS[:3])
    looks.batched([RUNS[1], ("another", "run")])
    assert looks.next() == [RUNS[0], RUNS[2]]
