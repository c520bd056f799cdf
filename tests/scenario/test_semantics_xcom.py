"""The contract of XComs: what a type becomes on its way through the database."""

import pytest

from tests.scenario.engines import Engine

pytestmark = pytest.mark.timeout(900)
DAG = "sem_xcom"
SAME = (
    "str", "int", "negative", "float", "bool", "dict", "list", "tuple", "set", "frozenset", "datetime",
    "naive_datetime", "pendulum", "date",
    "timedelta", "decimal", "uuid", "dataclass", "attrs", "pydantic", "own", "nested", "empty", "large",
)  # fmt: skip
# What is not the same as it went in.
CHANGED = {
    "number_as_key": "dict: {'1': 'a'}",
    "of_dag_file": "pull: ImportError",  # it can be pushed, and then nobody can read it
    "bytes": "push: TypeError",
    "enum": "push: TypeError",
    "object": "push: TypeError",
    "complex": "push: TypeError",
    "nan": "push: AirflowRuntimeError",  # refused by the API, as no JSON
}


@pytest.mark.parametrize("kind", SAME)
def test_what_comes_out_is_what_went_in(engine: Engine, kind: str) -> None:
    assert engine.xcom(DAG, "take")[kind] == "same"


@pytest.mark.parametrize(("kind", "found"), CHANGED.items())
def test_what_stock_makes_of_it(engine: Engine, kind: str, found: str) -> None:
    assert engine.xcom(DAG, "take")[kind] == found


def test_every_type_is_covered(engine: Engine) -> None:
    assert set(engine.xcom(DAG, "take")) == {*SAME, *CHANGED, "none", "missing", "several"}


def test_what_is_missing_is_none_whatever_the_default(engine: Engine) -> None:
    """Stock 3.3 pays no heed to `default=` where a task is named."""
    found = engine.xcom(DAG, "take")
    assert found["none"] == "None"
    assert found["missing"] == "None"
    assert found["several"] == f"[{2**62}, None]"


def test_multiple_outputs_are_keys_of_their_own(engine: Engine) -> None:
    assert {("several", "one"), ("several", "two"), ("several", "return_value")} <= engine.xcoms(DAG)


def test_nothing_is_pushed_by_who_does_not_push_or_returns_none(engine: Engine) -> None:
    left = {task for task, _ in engine.xcoms(DAG)}
    assert "quiet" not in left
    assert "returns_none" not in left
    assert engine.task(DAG, "returns_none") == ("success", 1)
