"""The start-up script: how it is run, and which of the variables that it exports reach Airflow. Pure.

MWAA runs startup.sh on each kind of component before Airflow starts, captures what it exports, and undoes changes of
reserved variables (its guide, "Using a startup script"). Here it is run once a kind of component when an update is
prepared, so that a script that fails touches nothing.

What it installs with `pip` goes to an overlay (docs/updating.md): a folder in its `Place` first, which the service then
copies to where nobody can change it.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradewind.recipe.options import is_ours
from tradewind.recipe.settings import COMPONENTS, RecipeInputs, worker_settings

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


@dataclass(frozen=True)
class Place:
    """Where a script finds `pip`, and where that installs to while the script runs."""

    root: Path

    @property
    def programs(self) -> Path:
        """First in the script's PATH: pip, pip3 and pip3.N. The service's."""
        return self.root / "bin"

    @property
    def modules(self) -> Path:
        """The package `pip`, for `python -m pip`. The service's."""
        return self.root / "lib"

    @property
    def constraints(self) -> Path:
        """The environment's lock, as constraints. The service's."""
        return self.root / "constraints.txt"

    @property
    def overlay(self) -> Path:
        """What it installs. The environment's user's own, as is the cache."""
        return self.root / "overlay"

    @property
    def cache(self) -> Path:
        """The installer's, for all kinds of component."""
        return self.root / "cache"


@dataclass(frozen=True)
class Outcome:
    """What the script exported for a kind of component, and the digest of what it installed, if it did."""

    variables: Mapping[str, str] = field(default_factory=dict)
    overlay: str | None = None


def command(script: Path) -> list[str]:
    """Runs the script; its output goes to standard error, its variables to standard output as `env -0` writes them."""
    return ["/bin/bash", "-c", _RUN, "startup.sh", str(script)]


def surroundings(inputs: RecipeInputs, component: str) -> dict[str, str]:
    """What the script finds: a worker's variables, which hold no secret but the broker's password."""
    bare = dataclasses.replace(inputs, startup={}, overlays={})
    return worker_settings(bare) | {"MWAA_AIRFLOW_COMPONENT": component}


def with_pip(given: Mapping[str, str], place: Place, uv: Path, installers: Mapping[str, str]) -> dict[str, str]:
    """The surroundings with `pip` in them. `installers`: what uv needs to know of this machine."""
    runtime, _, further = given["PATH"].partition(":")
    return {
        **{name: value for name, value in installers.items() if not name.startswith("PIP_")},  # they are uv's by now
        **given,
        "PATH": f"{place.programs}:{runtime}:{place.overlay / 'bin'}:{further}",
        "PYTHONPATH": str(place.modules),
        "TRADEWIND_CONSTRAINTS": str(place.constraints),
        "TRADEWIND_OVERLAY": str(place.overlay),
        "TRADEWIND_UV": str(uv),
        "UV_CACHE_DIR": str(place.cache),
    }


def programs(python: Path, version: str) -> dict[str, str]:
    """Files of `Place.programs` for a runtime's Python of that version."""
    text = f'#!/bin/sh\nexec "{python}" -I -m tradewind_airflow.overlays.pip "$@"\n'
    return dict.fromkeys(("pip", "pip3", f"pip{'.'.join(version.split('.')[:2])}"), text)


def modules() -> dict[str, str]:
    """Files of `Place.modules`."""
    return {
        "pip/__init__.py": "",
        "pip/__main__.py": "from tradewind_airflow.overlays.pip import main\n\nraise SystemExit(main())\n",
    }


def captured(before: Mapping[str, str], dump: bytes) -> dict[str, str]:
    """What the script exported anew or changed and may: reserved variables stay as they are, and so do removed ones."""
    found = {}
    for entry in dump.decode(errors="replace").split("\0"):
        name, separator, value = entry.partition("=")
        if separator and before.get(name) != value and name not in _OF_THE_SHELL and not is_reserved(name):
            found[name] = value
    return found


def moved(variables: Mapping[str, str], place: Place, overlay: Path | None) -> dict[str, str]:
    """Variables that name the script's place, naming what outlives it. `overlay`: where what it installed lies now."""
    there = {f"{place.programs}:": "", f":{place.programs}": ""}
    if overlay is None:
        there |= {f"{place.overlay / 'bin'}:": "", f":{place.overlay / 'bin'}": ""}
    else:
        there[str(place.overlay)] = str(overlay)
    found = dict(variables)
    for old, new in there.items():
        found = {name: value.replace(old, new) for name, value in found.items()}
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


def write(outcomes: Mapping[str, Outcome], *, of: str) -> str:
    """Outcomes by kind of component, and the digest of what the script found, as text."""
    variables = {kind: dict(outcome.variables) for kind, outcome in outcomes.items()}
    overlays = {kind: outcome.overlay for kind, outcome in outcomes.items() if outcome.overlay is not None}
    return json.dumps({"of": of, "variables": variables, "overlays": overlays}, indent=1, sort_keys=True)


def read(text: str | None) -> dict[str, Outcome]:
    """What `write` wrote; nothing where there is no script."""
    if text is None:
        return {}
    document = json.loads(text)
    overlays = document.get("overlays", {})  # there were none at first
    return {kind: Outcome(found, overlays.get(kind)) for kind, found in document["variables"].items()}


def was_run_on(text: str, of: str) -> bool:
    """Whether the script found then what it would find now."""
    return bool(json.loads(text)["of"] == of)
