"""Which schema a lock's database has, and which template that is: pure.

It follows from Airflow's core and from the providers that bring tables of their own (FAB); other packages of a lock do
not change it, so environments with different requirements share a template.
"""

import hashlib
import re

from tradewind.recipe.requirements import pins

_WITH_TABLES = ("apache-airflow-core", "apache-airflow-providers-fab")


def schema(lock: str) -> tuple[tuple[int, ...], ...]:
    """Versions, as numbers, of what brings tables; Airflow's own first. The greater is the newer."""
    return tuple(tuple(int(part) for part in re.findall(r"\d+", version)) for _, version in _versions(lock))


def template_digest(lock: str) -> str:
    """16 hex digits, fit for a database's name."""
    text = "\n".join(f"{name}=={version}" for name, version in _versions(lock))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _versions(lock: str) -> list[tuple[str, str]]:
    found = pins(lock)
    return [(name, found[name]) for name in _WITH_TABLES]
