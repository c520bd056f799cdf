"""Whatever is done to a log, the first place where it was done is found."""

import dataclasses

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.audit.samples import ACCOUNT, chained
from tradewind.audit import Broken, Entry, Head, Intact, genesis, head_key, link, seal_head, verify

KEY = head_key(b"k" * 32)
TEXTS = st.lists(st.text(alphabet=st.characters(max_codepoint=127), max_size=20), min_size=1, max_size=12)


def head_of(entries, key=KEY, account=ACCOUNT):
    return seal_head(len(entries), entries[-1].hash if entries else genesis(account), account, key)


def check(entries, head=None, noted=None, key=KEY):
    return verify(entries, head or head_of(entries), ACCOUNT, key, noted)


@given(TEXTS)
def test_what_was_written_is_intact(texts):
    entries = chained(*texts)
    assert check(entries) == Intact(len(texts), entries[-1].hash)


def test_an_empty_log_is_intact():
    assert check([]) == Intact(0, genesis(ACCOUNT))


@given(TEXTS, st.data())
def test_a_changed_text_is_found_where_it_is(texts, data):
    entries = chained(*texts)
    place = data.draw(st.integers(0, len(texts) - 1))
    other = data.draw(st.text(max_size=20))
    assume(other != texts[place])
    entries[place] = dataclasses.replace(entries[place], text=other)
    assert check(entries, head_of(chained(*texts))) == Broken(place + 1, f"record {place + 1} or its hash was altered")


@given(TEXTS, st.data())
def test_a_changed_text_with_a_hash_that_fits_is_found(texts, data):
    """Whoever writes all hashes after his change anew does not have the head's key."""
    place = data.draw(st.integers(0, len(texts) - 1))
    forged = chained(*texts[:place], "forged " + texts[place], *texts[place + 1 :])
    assert not check(forged, head_of(chained(*texts)))
    assert check(forged, head_of(forged, key=b"guess")) == Broken(
        0, "the head of the log was not sealed with the account's key: it was altered"
    )


@given(TEXTS, st.data())
def test_a_removed_record_is_found(texts, data):
    entries = chained(*texts)
    head = head_of(entries)
    place = data.draw(st.integers(0, len(texts) - 1))
    del entries[place]
    found = check(entries, head)
    assert isinstance(found, Broken)
    assert found.sequence == place + 1
    assert "missing" in found.reason


@given(TEXTS, st.data())
def test_a_removed_record_is_found_when_the_others_were_numbered_anew(texts, data):
    entries = chained(*texts)
    head = head_of(entries)
    del entries[data.draw(st.integers(0, len(texts) - 1))]
    assert not check([dataclasses.replace(entry, sequence=n) for n, entry in enumerate(entries, 1)], head)


@given(TEXTS, st.data())
def test_two_that_changed_places_are_found(texts, data):
    assume(len(texts) > 1)
    entries = chained(*texts)
    head = head_of(entries)
    one = data.draw(st.integers(0, len(texts) - 1))
    other = data.draw(st.integers(0, len(texts) - 1).filter(lambda n: n != one))
    entries[one], entries[other] = entries[other], entries[one]
    found = check(entries, head)
    assert isinstance(found, Broken)
    assert found.sequence == min(one, other) + 1
    swapped = [dataclasses.replace(entry, sequence=n) for n, entry in enumerate(entries, 1)]
    assert check(swapped, head) == Broken(min(one, other) + 1, f"record {min(one, other) + 1} or its hash was altered")


@given(TEXTS, st.data(), st.text(max_size=20))
def test_one_that_was_put_in_is_found(texts, data, text):
    entries = chained(*texts)
    head = head_of(entries)
    place = data.draw(st.integers(0, len(texts)))
    before = entries[place - 1].hash if place else genesis(ACCOUNT)
    put_in = Entry(place + 1, text, link(before, place + 1, text))
    longer = [*entries[:place], put_in, *entries[place:]]
    assert not check(longer, head)
    assert not check([dataclasses.replace(entry, sequence=n) for n, entry in enumerate(longer, 1)], head)


@given(TEXTS, st.data())
def test_a_cut_end_is_found(texts, data):
    entries = chained(*texts)
    kept = data.draw(st.integers(0, len(texts) - 1))
    found = check(entries[:kept], head_of(entries))
    assert isinstance(found, Broken)
    assert found.sequence == kept + 1
    assert found.reason.startswith("the end of the log is missing")


@pytest.mark.parametrize(
    "head",
    [None, Head(2, b"x" * 32, b"y" * 32), dataclasses.replace(head_of(chained("a", "b")), count=1)],
    ids=["missing", "made up", "another count"],
)
def test_a_head_that_is_not_ours(head):
    found = verify(chained("a", "b"), head, ACCOUNT, KEY)
    assert isinstance(found, Broken)
    assert found.sequence == 0


def test_another_accounts_log_is_not_this_ones():
    entries = chained("a")
    assert not verify(entries, head_of(entries), "999999999999", KEY)
    assert not verify(entries, seal_head(1, entries[0].hash, "999999999999", KEY), "999999999999", KEY)


def test_a_log_that_was_put_back_shows_against_what_was_noted():
    older, newer = chained("a", "b"), chained("a", "b", "c")
    noted = Head(3, newer[-1].hash)
    assert check(older)
    assert check(older, noted=noted) == Broken(3, "the log ends before record 3, which was noted: it was put back")
    assert check(newer, noted=noted)
    assert check(newer, noted=Head(2, older[-1].hash))
    assert check(chained("a", "b", "d", "e"), noted=noted) == Broken(
        3, "record 3 is not the one that was noted: the log was written anew"
    )
    assert check(newer, noted=Head(0, genesis(ACCOUNT)))
    assert check(newer, noted=Head(0, genesis("999999999999"))) == Broken(0, "the noted log is another account's")


def test_the_key_of_the_head_is_not_the_token_key():
    assert head_key(b"k" * 32) != b"k" * 32
    assert head_key(b"k" * 32) != head_key(b"l" * 32)
