"""XComs of every type: what comes out is what went in, or what stock makes of it."""

import dataclasses
import datetime as dt
import decimal
import enum
import uuid

import pendulum
from airflow.sdk import dag, get_current_context, task
from semantics_types import Model, Own, Place, Spot


@dataclasses.dataclass
class Here:
    """In a DAG file: its module's name holds a hash of the file's path."""

    name: str


class Colour(enum.Enum):
    RED = "red"


VALUES = {
    "str": 'a ä \U0001f600 \n "quoted"',
    "int": 2**62,
    "negative": -5,
    "float": 0.1,
    "bool": True,
    "dict": {"a": {"b": [1, None]}},
    "list": [1, "two", 3.0, None],
    "tuple": (1, (2, 3)),
    "set": {1, 2},
    "frozenset": frozenset({1}),
    "datetime": dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC),
    "naive_datetime": dt.datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001
    "pendulum": pendulum.datetime(2026, 1, 2, tz="Europe/Berlin"),
    "date": dt.date(2026, 1, 2),
    "timedelta": dt.timedelta(days=1, microseconds=5),
    "decimal": decimal.Decimal("1.10"),
    "uuid": uuid.UUID(int=5),
    "dataclass": Place("here", 1),
    "attrs": Spot("there"),
    "pydantic": Model(name="model"),
    "own": Own(5),
    "nested": {"place": Place("in", 2), "when": [dt.datetime(2026, 1, 2, tzinfo=dt.UTC)]},
    "empty": "",
    "large": "x" * 300_000,
    "bytes": b"a",
    "enum": Colour.RED,
    "object": object(),
    "complex": 1j,
    "number_as_key": {1: "a"},
    "nan": float("nan"),
    "of_dag_file": Here("there"),
}


@dag(schedule=None, tags=["semantics"])
def sem_xcom():  # noqa: C901  (a list of tasks, not a function)
    @task
    def give():
        ti = get_current_context()["ti"]
        pushed = {}
        for name, value in VALUES.items():
            try:
                ti.xcom_push(name, value)
                pushed[name] = "pushed"
            except Exception as error:  # noqa: BLE001  (which one is what is asked)
                pushed[name] = type(error).__name__
        ti.xcom_push("none", None)
        return pushed

    @task
    def take(pushed):
        ti = get_current_context()["ti"]
        found = {}
        for name, value in VALUES.items():
            if pushed[name] != "pushed":
                found[name] = f"push: {pushed[name]}"
                continue
            try:
                pulled = ti.xcom_pull(task_ids="give", key=name)
            except Exception as error:  # noqa: BLE001
                found[name] = f"pull: {type(error).__name__}"
                continue
            same = type(pulled) is type(value) and pulled == value
            found[name] = "same" if same else f"{type(pulled).__name__}: {str(pulled)[:60]}"
        found["none"] = repr(ti.xcom_pull(task_ids="give", key="none", default="default"))
        found["missing"] = repr(ti.xcom_pull(task_ids="give", key="missing", default="default"))
        found["several"] = repr(ti.xcom_pull(task_ids=["give", "take"], key="int"))
        return found

    @task(multiple_outputs=True)
    def several():
        return {"one": 1, "two": 2}

    @task(do_xcom_push=False)
    def quiet():
        return "not pushed"

    @task
    def returns_none(one):
        return None if one == 2 else one

    take(give())
    returns_none(several()["two"])
    quiet()


sem_xcom()
