from hypothesis import given
from hypothesis import strategies as st

from tradewind.bundles.buckets import Object
from tradewind.bundles.settling import Settling

SETTLE = 0.5
LONG_AGO = 0


def seen(tag: str, changed_at: float) -> Object:
    return Object("k", 1, tag, LONG_AGO, int(changed_at * 1e9))


def test_what_has_been_still_long_enough_by_its_own_clock_is_taken_at_once():
    change = Settling().judge({}, {"a": seen("1", 99.0)}, settle=SETTLE, now=5.0, wall=100.0)
    assert change.due
    assert change.settled == {"a"}


def test_a_file_in_the_middle_of_a_copy_moves_until_two_looks_agree():
    settling = Settling()
    for look in range(4):  # its clock runs ahead of ours: only our own looks can tell
        change = settling.judge({}, {"a": seen(str(look), 1e6)}, settle=SETTLE, now=look, wall=100.0 + look)
        assert not change.due
        assert change.moving == {"a"}
    assert settling.judge({}, {"a": seen("3", 1e6)}, settle=SETTLE, now=4.0, wall=104.0).settled == {"a"}


def test_the_settled_wait_for_the_moving_but_not_for_ever():
    settling = Settling(patience=1.5)
    due = []
    for look in range(3):
        found = {"still": seen("s", LONG_AGO), "growing": seen(str(look), 100.0 + look)}
        due.append(settling.judge({}, found, settle=SETTLE, now=look, wall=100.0 + look).due)
    assert due == [False, False, True]


def test_a_folder_replaced_by_rm_and_cp_is_never_seen_empty():
    settling = Settling()
    gone = settling.judge({"a": "1"}, {}, settle=SETTLE, now=0.0, wall=100.0)
    assert not gone.due
    back = settling.judge({"a": "1"}, {"a": seen("2", 100.3)}, settle=SETTLE, now=1.0, wall=101.0)
    assert (back.due, back.settled) == (True, {"a"})


def test_a_deletion_that_stays_is_taken():
    settling = Settling()
    assert not settling.judge({"a": "1"}, {}, settle=SETTLE, now=0.0, wall=100.0).due
    assert settling.judge({"a": "1"}, {}, settle=SETTLE, now=1.0, wall=101.0).settled == {"a"}


def test_nothing_has_to_settle_where_objects_appear_whole():
    assert Settling().judge({"b": "1"}, {"a": seen("1", 100.0)}, settle=0.0, now=0.0, wall=100.0).settled == {"a", "b"}


@given(
    st.dictionaries(st.sampled_from("abc"), st.sampled_from("12")),
    st.dictionaries(st.sampled_from("abc"), st.sampled_from("12")),
)
def test_a_still_bucket_is_taken_whole_within_two_looks(before, after):
    settling = Settling()
    found = {path: seen(tag, 100.0) for path, tag in after.items()}
    settling.judge(before, found, settle=SETTLE, now=0.0, wall=100.0)
    change = settling.judge(before, found, settle=SETTLE, now=1.0, wall=101.0)
    differing = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert change.settled == differing
    assert not change.moving
    assert change.due == bool(differing)
