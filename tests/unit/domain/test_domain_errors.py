"""Errors carry a code, a sentence and the evidence."""

import pytest

from tradewind.domain.errors import CannotProvide, CannotStart, StaleGeneration, TradewindError


@pytest.mark.parametrize("kind", [CannotProvide, CannotStart, StaleGeneration])
def test_an_error_reads_as_its_sentence(kind):
    error = kind("cannot do it: no", "CODE", ("line 1", "line 2"))
    assert isinstance(error, TradewindError)
    assert (str(error), error.code, error.evidence) == ("cannot do it: no", "CODE", ("line 1", "line 2"))


def test_what_has_no_code_is_internal():
    assert TradewindError("cannot do it: no").code == "INTERNAL"


def test_two_errors_of_the_same_words_are_two_errors():
    assert CannotStart("x") != CannotStart("x")
