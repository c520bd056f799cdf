"""What an update would break: pure judgement over two rehearsals."""

import pytest

from tradewind.domain.errors import CannotProvide
from tradewind.reconcile import rehearsing
from tradewind.reconcile.rehearsing import Findings, newly_broken

TRACEBACK = "Traceback (most recent call last):\n  File \"a.py\", line 1\nModuleNotFoundError: No module named 'six'\n"


def test_findings_are_read_from_what_the_rehearsal_prints():
    found = Findings.read(
        {
            "modules": {"airflow.providers.fab": None, "airflow.providers.amazon": "ImportError: boto3"},
            "plugins": {"bad.py": "RuntimeError: no"},
            "files": {"a.py": {"dags": ["a"], "error": None}, "b.py": {"dags": [], "error": TRACEBACK}},
        }
    )
    assert found.modules == {"airflow.providers.fab": None, "airflow.providers.amazon": "ImportError: boto3"}
    assert found.plugins == {"bad.py": "RuntimeError: no"}
    assert found.files == {"a.py": None, "b.py": TRACEBACK}
    assert found.broken == ("b.py",)
    assert not found.is_fine
    assert Findings.read(
        {"modules": {"m": None}, "plugins": {}, "files": {"a.py": {"dags": [], "error": None}}}
    ).is_fine


def test_what_works_now_and_would_not_is_broken():
    coming = Findings({"m": "no"}, {"p.py": "no"}, {"a.py": TRACEBACK, "b.py": None})
    in_force = Findings({"m": None}, {}, {"a.py": None})
    assert newly_broken(coming, in_force) == {
        "the module m": "no", "the plugin p.py": "no", "the DAG file a.py": TRACEBACK,
    }  # fmt: skip


def test_what_is_broken_already_is_no_reason():
    coming = Findings({"m": "no"}, {"p.py": "no"}, {"a.py": TRACEBACK})
    assert newly_broken(coming, Findings({"m": None}, {"p.py": "other"}, {"a.py": "other"})) == {"the module m": "no"}
    assert newly_broken(coming, Findings({"other": "no"})) == {}, "nothing works now"


def test_a_file_that_is_not_there_now_cannot_be_broken():
    assert newly_broken(Findings(files={"new.py": TRACEBACK}), Findings(files={"a.py": None})) == {}


def test_the_refusal_names_the_file_its_error_and_the_others():
    refusal = rehearsing._refusal({"the DAG file a.py": TRACEBACK, "the plugin p.py": "no"})
    assert isinstance(refusal, CannotProvide)
    assert refusal.sentence == (
        "cannot put the update in force: the DAG file a.py would not load, as it does now: "
        "ModuleNotFoundError: No module named 'six' (and neither would the plugin p.py)"
    )
    assert refusal.code == "INCORRECT_CONFIGURATION"
    assert refusal.evidence[-1].startswith("ModuleNotFoundError")


@pytest.mark.parametrize("document", [{"modules": {}, "plugins": {}}, {"files": {}}])
def test_half_an_answer_is_an_error(document):
    with pytest.raises(KeyError):
        Findings.read(document)
