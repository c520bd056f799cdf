"""Environment classes: MWAA's table as data, and what an omitted member means for each.

`slots` is tasks at once per worker (MWAA's `celery.worker_autoscale`), `triggers` a triggerer's
capacity. A class bounds schedulers, workers and webservers; the rules in the domain say so to people.
"""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from tradewind.domain.rules import Sizes

DEFAULT_CLASS = "mw1.small"  # what Terraform and MWAA's tools assume; the API reference does not state it


@dataclass(frozen=True)
class EnvironmentClass(Sizes):
    """One row of the table."""

    name: str
    slots: int
    default_schedulers: int
    default_max_workers: int
    default_webservers: int
    triggers: int
    parsing_processes: int


@functools.cache
def classes() -> Mapping[str, EnvironmentClass]:
    """All classes by name, smallest first."""
    text = resources.files("tradewind.recipe").joinpath("data/classes.toml").read_text()
    return {name: _row(name, row) for name, row in tomllib.loads(text).items()}


def _row(name: str, row: Mapping[str, Any]) -> EnvironmentClass:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return EnvironmentClass(name=name, **values)
