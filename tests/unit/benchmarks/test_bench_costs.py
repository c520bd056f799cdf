"""Reading the kernel's words, and differences of counters."""

import pytest

from benchmarks.costs import Spent, between, between_of_survivors, busy_of, own_and_awaited, pss_of, seconds_of

ROLLUP = b"""55d0c0000000-7ffd00000000 ---p 00000000 00:00 0                  [rollup]
Rss:              165000 kB
Pss:              154321 kB
Pss_Dirty:        100000 kB
Pss_Anon:          99999 kB
"""
# pid (a name with any signs) state ppid pgrp session tty tpgid flags, four counters of page faults,
# then utime stime cutime cstime
STAT = b"4711 (airflow: a) (b c) S 1 4711 4711 0 -1 4194560 9 9 9 9 250 50 1000 200 20 0 1 0 12345 0 0"


def test_pss_is_in_bytes_and_not_one_of_its_parts():
    assert pss_of(ROLLUP) == 154321 * 1024


def test_a_rollup_without_pss_is_an_error():
    with pytest.raises(ValueError, match="no line of Pss"):
        pss_of(b"Rss: 1 kB\n")


def test_cpu_is_own_and_awaited_childrens_user_and_system_time():
    assert seconds_of(STAT, ticks=100) == 15.0


def test_own_time_and_awaited_childrens_can_be_told_apart():
    assert own_and_awaited(STAT, ticks=100) == (3.0, 12.0)


def test_the_machine_is_busy_but_while_it_waits():
    # user nice system idle iowait irq softirq steal guest guest_nice
    assert busy_of(b"cpu  100 20 30 9999 9999 4 6 7777 55 5\ncpu0 1 2 3\n", ticks=10) == 16.0


def test_what_an_ended_child_used_is_not_counted_twice():
    # the child had used 3 s, went on to 5 s and was waited for: its parent's counter holds all 5
    before = Spent({(1, 1): 10.0, (2, 1): 3.0})
    after = Spent({(1, 1): 15.0})
    assert between(before, after) == pytest.approx(2.0)


def test_of_survivors_only_growth_counts_and_newcomers_whole():
    before = Spent({(1, 1): 10.0, (2, 1): 3.0})
    after = Spent({(1, 1): 11.0, (3, 9): 0.5})
    assert between_of_survivors(before, after) == pytest.approx(1.5)


def test_a_pid_that_was_given_out_again_is_another_process():
    assert between_of_survivors(Spent({(1, 1): 10.0}), Spent({(1, 2): 0.5})) == pytest.approx(0.5)
