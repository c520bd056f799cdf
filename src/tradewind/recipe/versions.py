"""Supported Airflow versions as data: which there are, which is the default, each one's Pythons and its lock.

A lock lists every package of the runtime with its version and hashes, for all supported Pythons
(environment markers). It is made by `make lock` from the `.in` file beside it and is the constraint
that a user's own requirements are resolved under. A line `# exclude-newer: DATE` in the `.in` file keeps out what was
published after that day: an older Airflow breaks on newer libraries that its metadata allow.
"""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class AirflowVersion:
    """One version that an environment can ask for."""

    name: str
    lock: str  # the lock's text
    pythons: tuple[str, ...]  # what it runs on, for instance 3.11
    default: bool = False

    def runs_on(self, python: str) -> bool:
        """Whether it runs on this Python, for instance 3.11.7."""
        return ".".join(python.split(".")[:2]) in self.pythons


@functools.cache
def versions() -> Mapping[str, AirflowVersion]:
    """All versions by name."""
    data = resources.files("tradewind.recipe").joinpath("data")
    rows = tomllib.loads(data.joinpath("versions.toml").read_text())
    return {name: _version(name, row, data.joinpath("locks", row["lock"]).read_text()) for name, row in rows.items()}


def _version(name: str, row: Mapping[str, Any], lock: str) -> AirflowVersion:
    return AirflowVersion(name, lock, tuple(row["python"]), default=bool(row.get("default")))


def default_version() -> str:
    """What an omitted AirflowVersion means."""
    return next(version.name for version in versions().values() if version.default)
