"""Supported Airflow versions as data: which there are, which is the default, and each one's lock.

A lock lists every package of the runtime with its version and hashes, for all supported Pythons
(environment markers). It is made by `make lock` from the `.in` file beside it and is the constraint
that a user's own requirements are resolved under.
"""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class AirflowVersion:
    """One version that an environment can ask for."""

    name: str
    lock: str  # the lock's text
    default: bool


@functools.cache
def versions() -> Mapping[str, AirflowVersion]:
    """All versions by name."""
    data = resources.files("tradewind.recipe").joinpath("data")
    rows = tomllib.loads(data.joinpath("versions.toml").read_text())
    return {
        name: AirflowVersion(name, data.joinpath("locks", row["lock"]).read_text(), bool(row.get("default")))
        for name, row in rows.items()
    }


def default_version() -> str:
    """What an omitted AirflowVersion means: the newest supported one."""
    return next(version.name for version in versions().values() if version.default)
