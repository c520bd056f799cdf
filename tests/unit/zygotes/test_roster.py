"""Who gets a zygote, who waits, and whose place is taken."""

import pytest

from tradewind_airflow.zygotes.roster import FEW, MOST, OFTEN_SECONDS, PARSE_SECONDS_MOST, REST_SECONDS, Answer, Roster


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def roster(clock):
    return Roster(clock)


def made(roster, *keys, parsed=True):
    for key in keys:
        assert roster.ask(key, at_once=True) is Answer.MAKE
        roster.made(key, f"control of {key}", f"first of {key}")
        if parsed:
            roster.parsed(key)


def test_the_first_task_makes_none_the_second_does(roster):
    assert roster.ask("a") is Answer.LATER
    assert roster.ask("b") is Answer.LATER
    assert roster.ask("a") is Answer.MAKE


def test_a_file_whose_tasks_come_seldom_gets_none(roster, clock):
    for _ in range(5):
        assert roster.ask("a") is Answer.LATER
        clock.now += OFTEN_SECONDS + 1
    roster.ask("a")
    clock.now += OFTEN_SECONDS
    assert roster.ask("a") is Answer.MAKE


def test_who_cannot_wait_gets_one_at_once(roster):
    assert roster.ask("a", at_once=True) is Answer.MAKE


def test_who_comes_while_it_parses_gets_it_with_the_first(roster):
    made(roster, "a", parsed=False)
    assert roster.ask("a") is Answer.WAIT
    roster.entries["a"].waiting.append("second")
    assert roster.parsed("a") == ["first of a", "second"]
    assert roster.parsed("a") == []
    assert roster.ask("a") is Answer.JOIN


def test_a_refused_file_is_refused_to_all(roster):
    made(roster, "a", parsed=False)
    assert roster.refuse("a", "it asks time.time") == ["first of a"]
    assert roster.ask("a") is roster.ask("a", at_once=True) is Answer.REFUSED
    assert roster.reason("a") == "it asks time.time"
    assert roster.entries == {}


def test_one_that_ended_is_made_again_with_the_next_task(roster):
    roster.ask("a")
    made(roster, "a")
    assert roster.forget("a") == []
    assert roster.ask("a") is Answer.MAKE
    assert roster.forget("never made") == []


def test_a_further_file_takes_the_place_of_one_that_rests(roster, clock):
    keys = [f"{number}" for number in range(MOST)]
    made(roster, *keys)
    assert roster.ask("further", at_once=True) is Answer.LATER, "all are in use"
    clock.now += REST_SECONDS
    for key in keys[1:]:
        assert roster.ask(key) is Answer.JOIN
    assert roster.ask("further", at_once=True) is Answer.MAKE
    assert roster.to_end() == keys[0]
    roster.forget(keys[0])
    assert roster.to_end() is None


def test_where_memory_is_short_there_are_few(clock):
    short = [True]
    roster = Roster(clock, lambda: not short[0])
    made(roster, *(f"{number}" for number in range(FEW)))
    assert roster.ask("further", at_once=True) is Answer.LATER
    short[0] = False
    assert roster.ask("further", at_once=True) is Answer.MAKE
    assert roster.to_end() is None


def test_one_that_is_used_without_being_asked_for_keeps_its_place(roster, clock):
    keys = [f"{number}" for number in range(MOST)]
    made(roster, *keys)
    clock.now += REST_SECONDS
    for key in keys[:-1]:
        roster.used(key)  # its slots are connected to it
    assert roster.ask("further", at_once=True) is Answer.MAKE
    assert roster.to_end() == keys[-1]


def test_one_that_parses_is_nobodys_place(roster, clock):
    keys = [f"{number}" for number in range(MOST)]
    made(roster, *keys, parsed=False)
    clock.now += REST_SECONDS
    assert roster.ask("further", at_once=True) is Answer.LATER


def test_a_parse_without_end_is_overdue(roster, clock):
    made(roster, "a", parsed=False)
    made(roster, "b")
    clock.now += PARSE_SECONDS_MOST
    assert roster.overdue() == ["a"]


def test_what_was_refused_is_forgotten_some_day(roster):
    for number in range(1002):
        made(roster, number, parsed=False)
        roster.refuse(number, "no")
    assert roster.ask(0, at_once=True) is Answer.MAKE
    assert roster.ask(1001, at_once=True) is Answer.REFUSED
