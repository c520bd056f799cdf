"""Which variables were read while modules were imported, and what they answered first."""

import os

import pytest

from tradewind_airflow.preload.reads import Reads


def test_reads_are_written_down_with_the_first_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("THERE", "1")
    monkeypatch.delenv("ABSENT", raising=False)
    monkeypatch.delenv("WRITTEN", raising=False)
    with Reads() as reads:
        assert os.environ.get("THERE") == "1"
        assert "ABSENT" not in os.environ
        assert os.getenv("WRITTEN") is None
        os.environ["WRITTEN"] = "x"
        assert os.environ["WRITTEN"] == "x"
    assert os.environ["WRITTEN"] == "x"
    assert reads.written == {"WRITTEN": "x"}
    assert reads.different({"THERE": "1"}, ()) == []
    assert reads.different({"THERE": "2", "ABSENT": "", "WRITTEN": "y"}, ()) == ["ABSENT", "THERE", "WRITTEN"]
    assert reads.different({"ABSENT": "z", "OTHER": "z"}, ("THERE",)) == ["ABSENT"]
    monkeypatch.delenv("WRITTEN")
