"""Bring a database that has content to another Airflow version's schema: `python -P -m tradewind_airflow.migration …`.

    heads           print this runtime's revisions as JSON: {"airflow": "…", "fab": "…"} (no database is needed)
    up              migrate to this runtime's schema, Airflow's tables and FAB's, and write FAB's permissions and roles
    down AIRFLOW FAB    migrate down to these revisions: in the *newer* runtime, with what `heads` says in the older one

The database is that of `AIRFLOW__DATABASE__SQL_ALCHEMY_CONN`; no component may run on it. To another version up: `up`
in the newer runtime. Down: `heads` in the older, `down` in the newer, then `up` in the older, for its permissions.
Revisions and no versions, because FAB's own list of versions is wrong (its 3.5.0 does not have what that names).

Each may be repeated, whether it was done or broken off: Alembic writes a step and its revision in one transaction.
Ends with 0, or with 1 and words on standard error; what it was that failed is above them.
"""

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from tradewind_airflow.closed import close_process_and_heirs
from tradewind_airflow.engine import triggers
from tradewind_airflow.limits import limit_memory

_USAGE = "usage: python -P -m tradewind_airflow.migration heads | up | down AIRFLOW_REVISION FAB_REVISION\n"


def main(arguments: list[str]) -> int:
    """Do what the arguments say. Tasks may run meanwhile: what this process holds is closed to them."""
    close_process_and_heirs()
    match arguments:
        case ["heads"]:
            work: Any = _print_heads
        case ["up"]:
            work = up
        case ["down", airflow, fab]:
            work = lambda: down(airflow, fab)  # noqa: E731
        case _:
            sys.stderr.write(_USAGE)
            return 2
    limit_memory()
    try:
        work()
    except (Exception, SystemExit) as error:  # noqa: BLE001  (Airflow's own functions exit)
        traceback.print_exc()
        sys.stderr.write(f"cannot migrate the database {arguments[0]}: {_in_words(error)}\n")
        return 1
    return 0


def heads() -> dict[str, str]:
    """The newest revisions that this runtime knows."""
    return {name: str(scripts.get_current_head()) for name, scripts in _scripts().items()}


def up() -> None:
    """Bring Airflow's and FAB's tables to this runtime's schema; write permissions and roles."""
    from airflow import settings

    settings.initialize()

    from airflow.utils.db import synchronize_log_template, upgradedb
    from airflow.utils.providers_configuration_loader import providers_configuration_loaded

    _refuse_unknown()
    _take_triggers_away()
    providers_configuration_loaded(upgradedb)()
    synchronize_log_template()

    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as appbuilder:
        appbuilder.add_permissions(update_perms=True)
        appbuilder.sm.sync_roles()
    _prove(heads())


def down(airflow: str, fab: str) -> None:
    """Bring the tables down to these revisions. FAB's first: its steps know the newer Airflow's tables."""
    from airflow import settings

    settings.initialize()

    from airflow.providers.fab.auth_manager.models.db import FABDBManager
    from airflow.utils.db import downgrade
    from airflow.utils.session import create_session

    _refuse_unknown()
    _take_triggers_away()
    found = current()
    if found["fab"] != fab:
        with create_session(scoped=False) as session:
            FABDBManager(session).downgrade(to_revision=fab)
    if found["airflow"] != airflow:
        downgrade(to_revision=airflow)
    _prove({"airflow": airflow, "fab": fab})


def current() -> dict[str, str | None]:
    """The revisions that the database is at; None where a table of revisions is not there."""
    from airflow.settings import engine
    from alembic.migration import MigrationContext

    found = {}
    for name, table in (("airflow", "alembic_version"), ("fab", "alembic_version_fab")):
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"version_table": table})
            found[name] = context.get_current_revision()
    return found


def _refuse_unknown() -> None:
    """A database of a newer Airflow cannot be read by this one."""
    from airflow.version import version

    scripts = _scripts()
    for name, revision in current().items():
        if revision is not None and revision not in {script.revision for script in scripts[name].walk_revisions()}:
            raise RuntimeError(f"{name}'s tables are at revision {revision}, which Airflow {version} does not know")


def _take_triggers_away() -> None:
    """The engine's are in the way of migrations, and name columns that another version lacks. It makes them again."""
    from airflow.settings import engine

    with engine.begin() as connection:
        triggers.remove(connection.connection.cursor())


def _prove(wanted: dict[str, str]) -> None:
    found = current()
    if found != wanted:
        raise RuntimeError(f"its tables are at {found} and not at {wanted}")


def _print_heads() -> None:
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # loggers that write to standard output are as many as libraries
    with answer:
        answer.write(f"{json.dumps(heads())}\n")


def _scripts() -> dict[str, Any]:
    """Alembic's folders of steps."""
    from airflow.providers.fab import migrations
    from alembic.script import ScriptDirectory

    import airflow

    folders = {"airflow": Path(airflow.__file__).parent / "migrations", "fab": Path(next(iter(migrations.__path__)))}
    return {name: ScriptDirectory(str(folder)) for name, folder in folders.items()}


def _in_words(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else repr(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
