"""The change plan of a dry run: pure parts."""

import dataclasses

from tests.unit.domain.test_domain_manifests import PROCESS
from tradewind.reconcile.reporting import compare, expected

OTHER = dataclasses.replace(PROCESS, name="other")
CHANGED = dataclasses.replace(PROCESS, environment={"A": "another"})


def test_processes_that_change_come_and_go():
    assert compare([PROCESS], [PROCESS]) == {"restarts": [], "starts": [], "stops": []}
    assert compare([PROCESS], [CHANGED, OTHER]) == {"restarts": [PROCESS.name], "starts": ["other"], "stops": []}
    assert compare([PROCESS, OTHER], [PROCESS]) == {"restarts": [], "starts": [], "stops": ["other"]}


def test_seconds_are_those_of_the_last_restart():
    nothing = compare([PROCESS], [PROCESS])
    something = compare([PROCESS], [CHANGED])
    done = {"requirements": 30.0, "processes": 1.04, "health": 5.0}
    assert expected(nothing, done) == 1.0
    assert expected(something, done) == 6.0
    assert expected(something, {}) == 10.0
