"""The start-up script: how it is run, and which of the variables that it exports reach Airflow. Pure.

MWAA runs startup.sh on each kind of component before Airflow starts, captures what it exports, and undoes changes of
reserved variables (its guide, "Using a startup script"). Here it is run once a kind of component when an update is
prepared, so that a script that fails touches nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tradewind.recipe.settings import RecipeInputs, is_ours, worker_settings

COMPONENTS = ("scheduler", "worker", "webserver")
SECONDS = 300.0  # MWAA's limit
LIMIT = 1_000_000  # bytes of the script

# The script is read by the shell that then tells its variables, whichever way the script ends: `exit 0` included.
_RUN = 'exec 3>&1 1>&2; trap \'status=$?; env -0 >&3; exit "$status"\' EXIT; . "$1"'
_OF_THE_SHELL = frozenset({"_", "OLDPWD", "PWD", "SHLVL"})
_RESERVED = frozenset({
    "AIRFLOW_CONFIG", "AIRFLOW_CONN_AWS_DEFAULT", "AIRFLOW_ENV_ID", "AIRFLOW_ENV_NAME", "AIRFLOW_HOME",
    "AIRFLOW_VERSION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_REGION", "CUSTOMER_ACCOUNT_ID", "HOME",
    "MWAA_AIRFLOW_COMPONENT", "PGAPPNAME", "PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONUNBUFFERED",
    "VIRTUAL_ENV",
})  # fmt: skip
_MORE_OPTIONS = frozenset({
    "celery.worker_autoscale", "core.dag_concurrency", "core.max_active_tasks_per_dag", "core.parallelism",
    "dag_processor.parsing_processes", "scheduler.parsing_processes",
})  # fmt: skip


def command(script: Path) -> list[str]:
    """Runs the script; its output goes to standard error, its variables to standard output as `env -0` writes them."""
    return ["/bin/bash", "-c", _RUN, "startup.sh", str(script)]


def surroundings(inputs: RecipeInputs, component: str) -> dict[str, str]:
    """What the script finds: a worker's variables, which hold no secret but the broker's password."""
    return worker_settings(inputs) | {"MWAA_AIRFLOW_COMPONENT": component}


def captured(before: Mapping[str, str], dump: bytes) -> dict[str, str]:
    """What the script exported anew or changed and may: reserved variables stay as they are, and so do removed ones."""
    found = {}
    for entry in dump.decode(errors="replace").split("\0"):
        name, separator, value = entry.partition("=")
        if separator and before.get(name) != value and name not in _OF_THE_SHELL and not is_reserved(name):
            found[name] = value
    return found


def is_reserved(name: str) -> bool:
    """Whether a script's change of this variable is undone."""
    if name in _RESERVED or name.startswith(("TRADEWIND_", "BASH_FUNC_")):
        return True
    prefix, *parts = name.split("__")
    if prefix != "AIRFLOW" or len(parts) < 2:  # noqa: PLR2004  (section and option)
        return False
    option = f"{parts[0]}.{'__'.join(parts[1:])}".lower()
    return option in _MORE_OPTIONS or is_ours(option)


def digest(inputs: RecipeInputs) -> str:
    """Names all that the script finds, for every kind of component."""
    found = {kind: surroundings(inputs, kind) for kind in COMPONENTS}
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def write(variables: Mapping[str, Mapping[str, str]], *, of: str) -> str:
    """Captured variables by kind of component, and the digest of what they were captured in, as text."""
    return json.dumps({"of": of, "variables": variables}, indent=1, sort_keys=True)


def read(text: str | None) -> dict[str, dict[str, str]]:
    """The variables that `write` wrote; nothing where there is no script."""
    variables: dict[str, dict[str, str]] = {} if text is None else json.loads(text)["variables"]
    return variables


def was_run_on(text: str, of: str) -> bool:
    """Whether the script found then what it would find now."""
    return bool(json.loads(text)["of"] == of)
