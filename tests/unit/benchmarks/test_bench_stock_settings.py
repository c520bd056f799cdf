"""The stock side is left as Airflow has it, but for what connects its parts."""

from pathlib import Path

import pytest

from benchmarks.stock.settings import (
    FASTEST,
    SETUPS,
    Ports,
    Secrets,
    commands,
    options,
    standalone_options,
    surroundings,
)

PORTS = Ports(1, 2, 3, 4)
SECRETS = Secrets("f", "j", "a", "p")
URL = "postgresql://role:word@127.0.0.1:5/base"


def of(contender):
    return options(SETUPS[contender], PORTS, SECRETS, URL)


def test_the_fast_one_differs_from_the_default_one_by_the_documented_settings_only():
    default, fast = of("stock"), of("stock-fast")
    assert dict(fast.items() - default.items()) == FASTEST
    assert default.items() <= fast.items()


@pytest.mark.parametrize("contender", sorted(set(SETUPS) - {"stock-fast"}))
def test_nothing_that_decides_about_speed_is_set_by_default(contender):
    for found in (of(contender), standalone_options(PORTS)):
        assert not any(key.startswith(("scheduler.", "dag_processor.", "triggerer.")) for key in found)
        assert {key for key in found if key.startswith("celery.")} <= {"celery.broker_url", "celery.worker_concurrency"}


def test_slots_are_the_same_on_both_executors_and_as_many_as_the_environment_class_has():
    assert of("stock-celery")["celery.worker_concurrency"] == of("stock-local")["core.parallelism"] == "5"
    assert of("stock")["celery.worker_concurrency"] == "3"
    assert "core.parallelism" not in of("stock-celery")
    assert not any(key.startswith("celery.") for key in of("stock-local"))


def test_a_worker_is_started_where_there_is_celery_and_as_many_schedulers_as_asked_for():
    assert set(commands(SETUPS["stock-local"])) == {"api-server", "scheduler-1", "dag-processor", "triggerer"}
    found = commands(SETUPS["stock-celery-2"])
    assert set(found) == {"api-server", "scheduler-1", "scheduler-2", "dag-processor", "triggerer", "worker"}
    assert found["worker"][found["worker"].index("--concurrency") + 1] == "5"


def test_options_become_variables_with_the_dots_of_their_sections_only():
    found = surroundings(Path("/home"), Path("/venv"), {"core.executor": "X", "database.sql_alchemy_conn": "y"})
    assert found["AIRFLOW__CORE__EXECUTOR"] == "X"
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "y"
    assert found["PATH"].startswith("/venv/bin:")


def test_keys_are_not_shown():
    assert "Secrets()" in repr(SECRETS)
