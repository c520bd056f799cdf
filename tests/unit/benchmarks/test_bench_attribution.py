"""Whose CPU time it was: every second of a family is counted once, and tasks are with whoever waited for them."""

from benchmarks.attribution import (
    API,
    DATABASE,
    KINDS,
    POSTGRES,
    REST,
    SCHEDULER,
    SERVICE,
    TASK,
    WORKER,
    Member,
    attribute_growth,
)


def main(program, own, awaited=0.0):
    return Member(program, is_main=True, own=own, awaited=awaited)


def child(program, own, awaited=0.0):
    return Member(program, is_main=False, own=own, awaited=awaited)


def nonzero(found):
    return {kind: round(seconds, 6) for kind, seconds in found.items() if round(seconds, 6)}


def test_what_a_slot_waited_for_was_a_task_and_its_own_time_supervision():
    before = {(1, 1): main("worker", 5.0), (2, 2): child("worker", 1.0, awaited=10.0)}
    after = {(1, 1): main("worker", 5.5), (2, 2): child("worker", 3.0, awaited=17.0)}
    assert nonzero(attribute_growth(before, after)) == {TASK: 7.0, WORKER: 2.5}


def test_what_a_slot_that_was_replaced_used_is_divided_as_that_of_those_which_stayed():
    # it had used 2 s and waited for 4 s, then 2 s more in all; its parent waited for it and holds all 8
    before = {(1, 1): main("worker", 5.0), (2, 2): child("worker", 2.0, awaited=4.0)}
    after = {(1, 1): main("worker", 5.0, awaited=8.0), (3, 3): child("worker", 0.5, awaited=1.5)}
    found = attribute_growth(before, after)
    assert nonzero(found) == {TASK: 1.5 + 2.0 * 0.75, WORKER: 0.5 + 2.0 * 0.25}


def test_a_worker_whose_slots_did_nothing_is_all_worker():
    before = {(1, 1): main("worker", 1.0), (2, 2): child("worker", 1.0)}
    after = {(1, 1): main("worker", 1.0, awaited=2.0)}
    assert nonzero(attribute_growth(before, after)) == {WORKER: 1.0}


def test_without_a_worker_the_slots_are_the_schedulers_children():
    before = {(1, 1): main("scheduler", 1.0), (2, 2): child("scheduler", 0.0)}
    after = {(1, 1): main("scheduler", 2.0), (2, 2): child("scheduler", 0.5, awaited=3.0)}
    assert nonzero(attribute_growth(before, after)) == {SCHEDULER: 1.0, WORKER: 0.5, TASK: 3.0}


def test_with_a_worker_all_of_the_scheduler_is_the_scheduler():
    before = {(1, 1): main("scheduler", 1.0), (9, 9): main("worker", 0.0)}
    after = {(1, 1): main("scheduler", 2.0), (2, 2): child("scheduler", 0.5, awaited=3.0), (9, 9): main("worker", 0.0)}
    assert nonzero(attribute_growth(before, after)) == {SCHEDULER: 4.5}


def test_two_schedulers_are_one_kind():
    before = {(1, 1): main("scheduler", 1.0), (2, 2): main("scheduler", 1.0), (9, 9): main("worker", 0.0)}
    after = {(1, 1): main("scheduler", 2.0), (2, 2): main("scheduler", 3.0), (9, 9): main("worker", 0.0)}
    assert nonzero(attribute_growth(before, after)) == {SCHEDULER: 3.0}


def test_the_databases_share_is_the_servers_without_backends_of_others():
    before = {(1, 1): main(POSTGRES, 1.0), (2, 2): child(POSTGRES, 5.0), (3, 3): child(POSTGRES, 7.0)}
    after = {
        (1, 1): main(POSTGRES, 1.5, awaited=0.25),  # a short-lived backend has ended
        (2, 2): child(POSTGRES, 6.0),
        (3, 3): child(POSTGRES, 9.0),
        (4, 4): child(POSTGRES, 0.5),  # a new one, of others too
    }
    assert nonzero(attribute_growth(before, after, foreign={3, 4})) == {DATABASE: 1.75}


def test_everything_else_has_its_place():
    before = {}
    after = {
        (1, 1): main("api-server", 1.0),
        (2, 2): main("broker", 2.0),
        (3, 3): main("dag-processor", 3.0),
        (4, 4): main("supervisor", 4.0),
        (5, 5): main("service: caddy", 5.0),
        (6, 6): main("worker", 0.0),
    }
    assert nonzero(attribute_growth(before, after)) == {API: 1.0, REST: 9.0, SERVICE: 5.0}


def test_every_kind_is_named_even_when_it_used_nothing():
    assert tuple(attribute_growth({}, {})) == KINDS


def test_a_pid_that_was_given_out_again_is_a_process_of_its_own():
    before = {(1, 1): main("worker", 0.0), (2, 2): child("worker", 1.0, awaited=6.0)}
    after = {(1, 1): main("worker", 0.0, awaited=7.0), (2, 9): child("worker", 0.5, awaited=2.0)}
    assert sum(attribute_growth(before, after).values()) == 2.5
