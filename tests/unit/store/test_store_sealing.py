"""Sealed values: they open where they were sealed, with a key that is known, whole; and nowhere else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.store.sealing import MasterKey, Sealing, Unsealable, key_id

OLD, NEW, OTHER = (MasterKey(bytes([number]) * 32) for number in (1, 2, 3))
PLACE = "environments/abcdefghijkl"


@given(st.binary(max_size=300), st.text(max_size=40))
def test_what_was_sealed_opens_at_its_place(plain, place):
    sealing = Sealing(NEW)
    sealed = sealing.seal(plain, place)
    assert sealing.open(sealed, place) == plain
    assert sealing.is_current(sealed)
    assert key_id(sealed) == NEW.id
    assert sealed.isascii()


@given(st.binary(min_size=8, max_size=60))
def test_neither_the_value_nor_the_key_is_in_what_is_stored(plain):
    sealed = Sealing(NEW).seal(plain, PLACE)
    assert plain.hex() not in sealed
    assert plain.decode("latin-1") not in sealed
    assert sealed != Sealing(NEW).seal(plain, PLACE)


@given(st.integers(0, 47), st.integers(1, 255))
def test_a_changed_value_does_not_open(at, change):
    head, _, text = Sealing(NEW).seal(b"a secret that counts", PLACE).rpartition(".")  # of 12, 20 and 16 bytes
    box = bytearray(base64.urlsafe_b64decode(text))
    box[at] ^= change
    with pytest.raises(Unsealable, match=PLACE):
        Sealing(NEW).open(f"{head}.{base64.urlsafe_b64encode(box).decode()}", PLACE)


@pytest.mark.parametrize("length", range(20))
def test_a_value_that_was_cut_does_not_open(length):
    sealed = Sealing(NEW).seal(b"secret", PLACE)
    with pytest.raises(Unsealable, match=PLACE):
        Sealing(NEW).open(sealed[: sealed.rindex(".") + 1 + length], PLACE)


def test_a_value_does_not_open_at_another_place():
    sealed = Sealing(NEW).seal(b"secret", PLACE)
    with pytest.raises(Unsealable, match="cannot open environments/other"):
        Sealing(NEW).open(sealed, "environments/other")


def test_an_unknown_key_is_named():
    with pytest.raises(Unsealable, match=f"cannot open {PLACE}: .*{OLD.id}, which is not known"):
        Sealing(NEW, OTHER).open(Sealing(OLD).seal(b"secret", PLACE), PLACE)


def test_a_value_under_the_name_of_another_key_does_not_open():
    sealed = Sealing(OLD).seal(b"secret", PLACE).replace(OLD.id, NEW.id)
    with pytest.raises(Unsealable, match="is not whole"):
        Sealing(NEW, OLD).open(sealed, PLACE)


@pytest.mark.parametrize("text", ["", "secret", "tw1", "tw1.aa", "tw2.aa.bb", '{"fernet_key": "x"}', "tw1.a.b.c"])
def test_what_is_not_sealed_does_not_open(text):
    with pytest.raises(Unsealable, match="it is not sealed"):
        Sealing(NEW).open(text, PLACE)
    assert key_id(text) is None


def test_an_older_key_opens_and_does_not_seal():
    sealed = Sealing(OLD).seal(b"secret", PLACE)
    both = Sealing(NEW, OLD)
    assert both.open(sealed, PLACE) == b"secret"
    assert not both.is_current(sealed)
    assert key_id(both.seal(b"secret", PLACE)) == NEW.id


def test_keys_may_be_replaced_in_use():
    sealing = Sealing(OLD)
    before = sealing.seal(b"secret", PLACE)
    sealing.use(NEW, OLD)
    assert sealing.open(before, PLACE) == b"secret"
    assert sealing.is_current(sealing.seal(b"secret", PLACE))
    sealing.use(NEW)
    with pytest.raises(Unsealable):
        sealing.open(before, PLACE)


def test_errors_and_representations_hold_no_secret():
    key = MasterKey(b"k" * 32)
    assert "kkk" not in repr(key)
    assert "kkk" not in repr(Sealing(key))
    with pytest.raises(Unsealable) as caught:
        Sealing(NEW).open("my plain password", PLACE)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_has_32_bytes(length):
    with pytest.raises(ValueError, match=f"{length} bytes"):
        MasterKey(b"x" * length)


def test_drawn_keys_differ():
    assert len({MasterKey.draw().id for _ in range(5)}) == 5
