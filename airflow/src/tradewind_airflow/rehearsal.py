"""Try what an environment would run on: `python -P -m tradewind_airflow.rehearsal`, in the DAG processor's settings.

Reads one JSON object from standard input: `bundle` and `version` of the DAGs, `files` to parse (null: all), `seconds`
for all of it. Writes one to standard output:

    {"modules": {name: error or null}, "plugins": {source: error}, "files": {path: {"dags": [id], "error": or null}}}

`modules` are those that the environment's own processes stand on.
What DAGs and plugins print goes to standard error.
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from tradewind_airflow.closed import close_process_and_heirs
from tradewind_airflow.limits import limit_memory
from tradewind_airflow.roomy import with_room

_NEEDED = (
    "tradewind_airflow.auth",
    "tradewind_airflow.bundle",
    "airflow.providers.amazon.aws.hooks.base_aws",
    "airflow.providers.celery.executors.celery_executor",
    "airflow.providers.fab.auth_manager.fab_auth_manager",
    "airflow.providers.postgres.hooks.postgres",
    "airflow.providers.standard.operators.python",
)


def main() -> int:
    """Rehearse, and say what was found."""
    close_process_and_heirs()
    limit_memory()
    os.umask(0o027)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asked = json.load(sys.stdin)
    found: dict[str, Any] = {"modules": {name: _error_of(name) for name in _NEEDED}, "plugins": {}, "files": {}}
    if not any(found["modules"].values()):
        found["plugins"] = _plugins()
        found["files"] = _files(asked)
    with answer:
        json.dump(found, answer)
    return 0


def _error_of(module: str) -> str | None:
    try:
        importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001  (a library may even exit)
        return "".join(traceback.format_exception_only(error)).strip()
    return None


def _plugins() -> dict[str, str]:
    from airflow import plugins_manager

    plugins_manager.ensure_plugins_loaded()
    errors: dict[str, str] = (
        plugins_manager.get_import_errors()
        if hasattr(plugins_manager, "get_import_errors")
        else plugins_manager.import_errors  # before 3.2
    )
    return {Path(source).name: error for source, error in errors.items()}


def _files(asked: dict[str, Any]) -> dict[str, Any]:
    from airflow import settings

    settings.initialize()

    from tradewind_airflow.compat import rehearsal

    return rehearsal.parse(asked["bundle"], asked["version"], asked["files"], asked["seconds"])


if __name__ == "__main__":
    sys.exit(with_room(main))
