"""The stock side is left as Airflow has it, but for what connects its parts."""

from pathlib import Path

from benchmarks.stock.settings import FASTEST, Ports, Secrets, celery_options, standalone_options, surroundings

PORTS = Ports(1, 2, 3, 4)
SECRETS = Secrets("f", "j", "a", "p")
URL = "postgresql://role:word@127.0.0.1:5/base"


def test_the_fast_one_differs_from_the_default_one_by_the_documented_settings_only():
    default = celery_options(PORTS, SECRETS, URL, "stock")
    fast = celery_options(PORTS, SECRETS, URL, "stock-fast")
    assert dict(fast.items() - default.items()) == FASTEST
    assert default.items() <= fast.items()


def test_nothing_that_decides_about_speed_is_set_by_default():
    for options in (celery_options(PORTS, SECRETS, URL, "stock"), standalone_options(PORTS)):
        assert not any(key.startswith(("scheduler.", "dag_processor.", "triggerer.")) for key in options)
        assert {key for key in options if key.startswith("celery.")} <= {
            "celery.broker_url",
            "celery.worker_concurrency",
        }


def test_options_become_variables_with_the_dots_of_their_sections_only():
    found = surroundings(Path("/home"), Path("/venv"), {"core.executor": "X", "database.sql_alchemy_conn": "y"})
    assert found["AIRFLOW__CORE__EXECUTOR"] == "X"
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "y"
    assert found["PATH"].startswith("/venv/bin:")


def test_keys_are_not_shown():
    assert "Secrets()" in repr(SECRETS)
