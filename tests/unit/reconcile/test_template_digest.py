"""Which locks share a template database."""

import re

import pytest

from tradewind.recipe.versions import versions
from tradewind.reconcile.template import template_digest

LOCK = "apache-airflow-core==3.3.1 \\\n    --hash=sha256:a\napache-airflow-providers-fab==3.7.0 \\\nduckdb==1.4.0 \\\n"


def test_it_fits_a_databases_name():
    for version in versions().values():
        assert re.fullmatch(r"[0-9a-f]{16}", template_digest(version.lock))


def test_packages_without_tables_do_not_matter():
    assert template_digest(LOCK) == template_digest(LOCK.replace("duckdb==1.4.0", "duckdb==1.5.0"))


@pytest.mark.parametrize("change", [("core==3.3.1", "core==3.2.1"), ("fab==3.7.0", "fab==3.8.0")])
def test_those_with_tables_do(change):
    assert template_digest(LOCK) != template_digest(LOCK.replace(*change))
