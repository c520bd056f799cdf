"""The versions that an environment can ask for, as data."""

import re
import tomllib
from pathlib import Path

import pytest

from tradewind.recipe import versions as room
from tradewind.recipe.requirements import pins
from tradewind.recipe.versions import default_version, versions

DATA = Path(room.__file__).parent / "data"
LOCKS = DATA / "locks"
EVERY = pytest.mark.parametrize("name", versions())


def test_there_is_one_default():
    assert [version.name for version in versions().values() if version.default] == [default_version()]


def test_every_version_has_a_lock_of_its_own_and_no_lock_is_left_over():
    named = {row["lock"] for row in tomllib.loads((DATA / "versions.toml").read_text()).values()}
    assert named == {f"airflow-{name}.txt" for name in versions()}
    assert named == {path.name for path in LOCKS.glob("*.txt")}


@EVERY
def test_a_lock_pins_its_airflow_and_a_celery_that_works_with_it(name):
    pinned = pins(versions()[name].lock)
    assert pinned["apache-airflow"] == name
    assert pinned["apache-airflow-core"] == name
    assert tuple(int(part) for part in pinned["celery"].split(".")[:2]) < (5, 7)
    for provider in ("amazon", "celery", "fab", "postgres", "standard"):
        assert f"apache-airflow-providers-{provider}" in pinned


@EVERY
def test_every_package_of_a_lock_has_its_hashes(name):
    entries = re.split(r"\n(?=\S)", versions()[name].lock.strip())
    assert len(entries) > 100
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@EVERY
def test_a_lock_says_what_it_was_made_from_and_until_which_day(name):
    source = (LOCKS / f"airflow-{name}.in").read_text()
    assert re.match(r"# exclude-newer: \d{4}-\d{2}-\d{2}\n", source)
    assert f"\napache-airflow=={name}\n" in source


def test_a_version_runs_on_the_pythons_that_it_names():
    assert versions()["3.3.1"].runs_on("3.13.5")
    assert versions()["3.0.6"].runs_on("3.12.11")
    assert not versions()["3.0.6"].runs_on("3.13.5")
    assert not versions()["3.3.1"].runs_on("3.1.0")
