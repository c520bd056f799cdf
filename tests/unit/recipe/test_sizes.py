"""The class table is MWAA's, and the version list has what it names."""

import pytest

from tradewind.domain.rules import MAX_WEBSERVERS, MAX_WORKERS
from tradewind.recipe.sizes import DEFAULT_CLASS, classes
from tradewind.recipe.versions import default_version, versions

# MWAA's user guide, environment classes: class, tasks per worker, triggers a triggerer.
MWAA = [
    ("mw1.micro", 3, 60),  # the guide gives no capacity of micro's triggerer; small's is taken
    ("mw1.small", 5, 60),
    ("mw1.medium", 10, 125),
    ("mw1.large", 20, 250),
    ("mw1.xlarge", 40, 500),
    ("mw1.2xlarge", 80, 1000),
]


def test_there_are_mwaas_six_classes_smallest_first():
    assert list(classes()) == [name for name, *_ in MWAA]


@pytest.mark.parametrize(("name", "slots", "triggers"), MWAA)
def test_slots_and_triggers_are_mwaas(name, slots, triggers):
    row = classes()[name]
    assert (row.name, row.slots, row.triggers) == (name, slots, triggers)


@pytest.mark.parametrize("name", [name for name, *_ in MWAA if name != "mw1.micro"])
def test_ranges_and_defaults_are_mwaas(name):
    row = classes()[name]
    assert (row.schedulers, row.workers, row.webservers) == ((2, 5), (1, MAX_WORKERS), (2, MAX_WEBSERVERS))
    assert (row.default_schedulers, row.default_max_workers, row.default_webservers) == (2, 10, 2)


def test_micro_has_one_of_everything():
    row = classes()["mw1.micro"]
    assert (row.schedulers, row.workers, row.webservers) == ((1, 1), (1, 1), (1, 1))
    assert (row.default_schedulers, row.default_max_workers, row.default_webservers) == (1, 1, 1)


@pytest.mark.parametrize("row", classes().values(), ids=lambda row: row.name)
def test_every_default_is_in_its_range(row):
    for default, (low, high) in (
        (row.default_schedulers, row.schedulers),
        (row.default_max_workers, row.workers),
        (row.default_webservers, row.webservers),
    ):
        assert low <= default <= high
    assert row.parsing_processes >= 1


def test_parsing_processes_are_at_most_mwaas():
    # 2 x vCPU - 1 of the scheduler: 1, 1, 2, 4, 8 and 16 vCPU
    found = {name: row.parsing_processes for name, row in classes().items()}
    assert list(found.values()) == [1, 1, 3, 7, 15, 31]


def test_the_default_class_is_there():
    assert DEFAULT_CLASS in classes()


def test_one_version_is_the_default_and_all_have_locks():
    assert [version.name for version in versions().values() if version.default] == [default_version()]
    assert default_version() == "3.3.1"
    for version in versions().values():
        assert f"apache-airflow=={version.name} " in version.lock
        assert "--hash=sha256:" in version.lock
