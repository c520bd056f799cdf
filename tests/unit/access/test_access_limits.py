"""Limits for wrong secrets, in a time that the test makes."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.access.doubles import Clock
from tradewind.access.limits import BY_KEY, BY_SOURCE, Buckets, Rate, Wait, WrongTries, source_of


@pytest.fixture
def clock():
    return Clock()


def try_often(tries, times, address, key=None):
    """How many of so many wrong tries were looked at."""
    looked_at = 0
    for _ in range(times):
        if tries.wait(address, key) is None:
            looked_at += 1
            tries.wrong(address, key)
    return looked_at


def test_a_bucket_holds_its_burst_and_fills_again(clock):
    buckets = Buckets(Rate(3, 0.5), clock)
    for _ in range(3):
        assert buckets.wait("a") is None
        buckets.take("a")
    assert buckets.wait("a") == Wait(2)
    assert buckets.wait("b") is None
    clock.now += 1.9
    assert buckets.wait("a") == Wait(1)
    clock.now += 0.2
    assert buckets.wait("a") is None
    clock.now += 1e6
    for _ in range(3):
        assert buckets.wait("a") is None
        buckets.take("a")
    assert buckets.wait("a") is not None


def test_what_many_threads_took_at_once_is_paid_for_later(clock):
    buckets = Buckets(Rate(2, 1.0), clock)
    for _ in range(50):
        buckets.take("a")
    assert buckets.wait("a") == Wait(3)  # from -2 to 1, however many they were


def test_quiet_names_are_forgotten(clock):
    buckets = Buckets(Rate(10, 1.0), clock)
    for number in range(100):
        buckets.take(str(number))
    assert len(buckets) == 100
    clock.now += 20
    buckets.take("late")
    assert len(buckets) == 1


def test_never_more_names_than_there_is_room_for(clock):
    buckets = Buckets(Rate(10, 0.001), clock, capacity=64)
    for number in range(5000):
        buckets.take(str(number))
        assert len(buckets) <= 64
    assert buckets.wait("4999") is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30)), max_size=60))
def test_nobody_gets_more_than_burst_and_gain(steps):
    clock, rate = Clock(), Rate(4, 0.5)
    buckets, began, let_through = Buckets(rate, clock), clock.now, dict.fromkeys("abc", 0)
    for name, pause in steps:
        clock.now += pause
        if buckets.wait(name) is None:
            buckets.take(name)
            let_through[name] += 1
    for count in let_through.values():
        assert count <= rate.burst + (clock.now - began) * rate.per_second + 1e-6


def test_who_is_never_wrong_is_never_asked_to_wait(clock):
    tries = WrongTries(clock)
    for _ in range(10_000):
        assert tries.wait("192.0.2.1", "AKIAONE") is None
        tries.right("192.0.2.1", "AKIAONE")


def test_an_address_that_is_wrong_too_often_waits(clock):
    tries = WrongTries(clock)
    assert try_often(tries, 1000, "192.0.2.1") == BY_SOURCE.burst
    assert tries.wait("192.0.2.1") == Wait(1)
    assert tries.wait("192.0.2.2") is None
    clock.now += 30
    assert try_often(tries, 1000, "192.0.2.1") == 30


def test_a_flood_from_one_address_does_not_lock_the_keys_owner_out(clock):
    tries = WrongTries(clock)
    for _ in range(400):
        clock.now += 1
        try_often(tries, 200, "192.0.2.66", "AKIAALICE")
        assert tries.wait("192.0.2.1", "AKIAALICE") is None
    assert tries.wait("192.0.2.66", "AKIAALICE") is not None


def test_a_key_that_many_addresses_try_is_refused_to_strangers_and_not_to_its_owner(clock):
    tries = WrongTries(clock)
    tries.right("198.51.100.7", "AKIAALICE")
    looked_at = sum(try_often(tries, 50, f"192.0.2.{number}", "AKIAALICE") for number in range(200))
    assert looked_at == BY_KEY.burst
    assert tries.wait("203.0.113.1", "AKIAALICE") is not None
    assert tries.wait("203.0.113.1", "AKIABOB") is None
    assert tries.wait("198.51.100.7", "AKIAALICE") is None
    clock.now += 3601
    try_often(tries, 50, "192.0.2.250", "AKIAALICE")
    for number in range(200):
        try_often(tries, 50, f"192.0.2.{number}", "AKIAALICE")
    assert tries.wait("198.51.100.7", "AKIAALICE") is not None


def test_an_owner_who_is_wrong_too_often_waits_all_the_same(clock):
    tries = WrongTries(clock)
    tries.right("192.0.2.1", "AKIAALICE")
    assert try_often(tries, 1000, "192.0.2.1", "AKIAALICE") == BY_SOURCE.burst


def test_known_pairs_are_bounded(clock):
    tries = WrongTries(clock, capacity=10)
    for number in range(1000):
        tries.right("192.0.2.1", f"AKIA{number}")
    assert len(tries._known._since) == 10


@pytest.mark.parametrize(("source", "key"), [(Rate(5, 1), Rate(5, 2)), (Rate(5, 1), Rate(50, 1))])
def test_rates_by_which_one_address_could_lock_others_out_are_refused(source, key):
    with pytest.raises(ValueError, match="smaller and slower"):
        WrongTries(by_source=source, by_key=key)


def test_many_threads(clock):
    buckets = Buckets(Rate(10_000, 0.001), clock)
    threads = [threading.Thread(target=lambda: [buckets.take("a") for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert buckets._level("a", clock.now) == 6000


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        (None, "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_the_name_that_an_address_is_counted_under(address, name):
    assert source_of(address) == name
