"""Which template database a lock needs: pure.

The schema follows from Airflow's core and from the providers that bring tables of their own (FAB); other
packages of a lock do not change it, so environments with different requirements share a template.
"""

import hashlib

from tradewind.recipe.requirements import pins

_WITH_TABLES = ("apache-airflow-core", "apache-airflow-providers-fab")


def template_digest(lock: str) -> str:
    """16 hex digits, fit for a database's name."""
    found = pins(lock)
    text = "\n".join(f"{name}=={found[name]}" for name in _WITH_TABLES)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
