"""What holds an environment's secrets is closed to the environment's tasks before it does anything."""

import pytest

from tradewind_airflow import adoption, migration


@pytest.mark.parametrize("module", [adoption, migration])
def test_a_module_that_works_on_a_database_closes_itself_first(monkeypatch, module):
    """Tasks run as the same unix user, also while a Fernet key is rotated: /proc/<pid>/environ would show both keys."""
    closed = []
    monkeypatch.setattr(module, "close_process_and_heirs", lambda: closed.append(module))
    assert module.main(["nothing of that kind"]) == 2
    assert closed == [module]
