"""How long a scheduler rests."""

from itertools import pairwise

import pytest

from tradewind_airflow.engine.pace import (
    GATHER_SECONDS,
    IDLE_SECONDS,
    SOON_SECONDS,
    Ends,
    Pass,
    Rest,
    gathering,
    rest_after,
)


def test_a_pass_that_found_nothing_is_followed_by_the_slow_poll():
    assert rest_after(Pass()) == Rest(0.0, IDLE_SECONDS)


def test_what_was_sent_is_looked_after_soon():
    assert rest_after(Pass(sent=1, taken=1)) == Rest(0.0, SOON_SECONDS)


@pytest.mark.parametrize(
    "done", [Pass(sent=16), Pass(made_room=True), Pass(failed=True), Pass(own_ends=True), Pass(others_wrote=True)]
)
def test_what_may_have_left_work_behind_is_followed_at_once(done):
    assert rest_after(done) == Rest(0.0, 0.0)


def test_a_backlog_gathers_and_the_deeper_the_longer():
    short, long = (rest_after(Pass(others_wrote=True, backlog=n, taken=5)).least for n in (5, 10))
    assert 0 < short < long < GATHER_SECONDS
    assert rest_after(Pass(sent=16, backlog=500, taken=5)) == Rest(GATHER_SECONDS, GATHER_SECONDS)


def test_a_backlog_that_nobody_works_on_gathers_nothing():
    assert rest_after(Pass(others_wrote=True, backlog=5, taken=0)) == Rest(0.0, 0.0)


def test_a_failure_does_not_wait_behind_a_backlog():
    assert rest_after(Pass(failed=True, backlog=500, taken=5)) == Rest(0.0, 0.0)


def test_no_rest_is_longer_than_the_slow_poll_and_none_is_negative():
    for backlog in range(0, 200, 7):
        for sent in (0, 1, 16):
            rest = rest_after(Pass(sent=sent, backlog=backlog, taken=3))
            assert 0.0 <= rest.least <= rest.most <= IDLE_SECONDS


def test_tasks_that_take_long_let_it_gather_longer_and_never_longer_than_half_the_backlog_lasts():
    at = [gathering(8, 5, ends_a_second) for ends_a_second in (1000.0, 40.0, 20.0, 8.0)]
    assert all(short <= long for short, long in pairwise(at))
    assert at[1:] == [0.1, 0.2, 0.5]
    assert gathering(8, 5, 0.5) == GATHER_SECONDS
    assert gathering(8, 5) == gathering(8, 5, 1000.0) > 0, "nothing ended yet"


def test_the_rate_is_that_of_the_last_two_seconds():
    now = [100.0]
    ends = Ends(lambda: now[0])
    assert ends.a_second() == 0.0
    ends.count(3)
    ends.count(0)
    now[0] += 1.5
    ends.count(5)
    assert ends.a_second() == 4.0
    now[0] += 1.0
    assert ends.a_second() == 2.5
    now[0] += 10.0
    assert ends.a_second() == 0.0
