"""Make a restored database this environment's own: `python -P -m tradewind_airflow.adoption keep|mask|remove [copy]`.

Reads from standard input the Fernet key that the database was encrypted with; this environment's own key is in its
settings. What is encrypted is encrypted anew with that. `mask` empties passwords and extras of connections, `remove`
takes all connections away. `copy`: it is another environment's, which must not go on with what that one is doing: every
DAG is paused, and what had not ended is ended as failed, without callbacks. Running it again on what it made is
harmless.

It holds the Fernet keys and the database's URL, and tasks may run meanwhile: it is closed to them.
"""

import inspect
import os
import sys

from tradewind_airflow.closed import close_process_and_heirs
from tradewind_airflow.limits import limit_memory

_RULES = ("keep", "mask", "remove")
_UNFINISHED_RUNS = ("queued", "running")
_FINISHED_TASKS = ("success", "failed", "skipped", "upstream_failed", "removed")


def main(arguments: list[str]) -> int:
    """Adopt the database of AIRFLOW__DATABASE__SQL_ALCHEMY_CONN."""
    close_process_and_heirs()
    match arguments:
        case [rule] if rule in _RULES:
            is_copy = False
        case [rule, "copy"] if rule in _RULES:
            is_copy = True
        case _:
            sys.stderr.write(f"cannot adopt: name one of {', '.join(_RULES)}, and then perhaps copy\n")
            return 2
    own, old = os.environ["AIRFLOW__CORE__FERNET_KEY"], sys.stdin.read().strip()
    os.environ["AIRFLOW__CORE__FERNET_KEY"] = ",".join(dict.fromkeys((own, old) if old else (own,)))

    limit_memory()
    from airflow import settings

    settings.initialize()
    if rule != "keep":
        _mask(rule)
    if is_copy:
        _end_what_goes_on()
    _encrypt_anew()
    return 0


def _mask(rule: str) -> None:
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete, update

    table = Connection.__table__
    with create_session() as session:
        if rule == "remove":
            session.execute(delete(table))
        else:
            nothing = {"password": None, "extra": None, "is_encrypted": False, "is_extra_encrypted": False}
            session.execute(update(table).values(nothing))


def _end_what_goes_on() -> None:
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import and_, func, not_, select, update

    dags, runs, tasks = DagModel.__table__, DagRun.__table__, TaskInstance.__table__
    going_on = runs.c.state.in_(_UNFINISHED_RUNS)
    theirs = select(runs.c.id).where(going_on, runs.c.dag_id == tasks.c.dag_id, runs.c.run_id == tasks.c.run_id)
    begun = and_(tasks.c.state.is_not(None), not_(tasks.c.state.in_(_FINISHED_TASKS)))
    with create_session() as session:
        session.execute(update(dags).values(is_paused=True))
        failed = {"state": "failed", "end_date": func.now()}
        session.execute(update(tasks).where(begun, theirs.exists()).values(**failed, trigger_id=None))
        session.execute(update(runs).where(going_on).values(failed))


def _encrypt_anew() -> None:
    """As Airflow's own command does, with the list of tables that this Airflow has."""
    from airflow.cli.commands.rotate_fernet_key_command import rotate_fernet_key
    from airflow.utils.providers_configuration_loader import providers_configuration_loaded

    providers_configuration_loaded(inspect.unwrap(rotate_fernet_key))(None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
