"""Pages of a list: together they are the list, from a marker that nobody else understands."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.api.calls import Call
from tradewind.api.operations.iam.paging import page
from tradewind.iam import root_principal
from tradewind.iam.refusals import Refused

ROOT = root_principal("123456789012")


def call(**parameters):
    return Call("ListUsers", ROOT, parameters, "1")


@given(st.sets(st.text(min_size=1)), st.integers(1, 7))
def test_pages_together_are_the_list(items, size):
    found, more = [], {}
    while True:
        part, rest = page(call(MaxItems=size, **more), list(items), str)
        assert len(part) <= size
        found += part
        if not rest["IsTruncated"]:
            break
        more = {"Marker": rest["Marker"]}
    assert found == sorted(items)


@pytest.mark.parametrize("marker", ["!", "a", "====", "ä", base64.b64encode(b"\xff").decode()])
def test_garbage_is_refused(marker):
    with pytest.raises(Refused) as refused:
        page(call(Marker=marker), ["a"], str)
    assert refused.value.code == "InvalidInputException"


def test_a_made_up_marker_is_only_a_place():
    marker = base64.urlsafe_b64encode(b"m").decode()
    assert page(call(Marker=marker), ["a", "z"], str) == (["z"], {"IsTruncated": False})
