"""A process's digest names exactly that process."""

import dataclasses
from pathlib import Path

import pytest

from tradewind.domain.manifests import ObservedManifest, ObservedProcess, Process, ProcessState

PROCESS = Process(
    name="worker-1",
    command=("/bin/sleep", "1"),
    directory=Path("/d"),
    log=Path("/l"),
    environment={"A": "1", "B": "2"},
    user="tw-abc",
)
CHANGES = {
    "name": "worker-2",
    "command": ("/bin/sleep", "2"),
    "directory": Path("/d2"),
    "log": Path("/l2"),
    "environment": {"A": "1", "B": "3"},
    "user": None,
    "stop_signal": "INT",
    "stop_seconds": 11,
    "parent_death_signal": "KILL",
    "drains": True,
    "start_seconds": 2,
    "priority": 501,
}


def test_each_member_has_a_change_to_try():
    assert set(CHANGES) == {field.name for field in dataclasses.fields(Process)}


@pytest.mark.parametrize("member", CHANGES)
def test_a_change_of_any_member_changes_the_digest(member):
    assert dataclasses.replace(PROCESS, **{member: CHANGES[member]}).digest() != PROCESS.digest()


@pytest.mark.parametrize(
    "other",
    [
        {"command": ("/bin/sleep 1",)},
        {"command": ("/bin/sleep", "1", "")},
        {"environment": {"A": "1"}},
        {"environment": {"A": "1", "B": "2", "C": ""}},
    ],
)
def test_words_do_not_run_together(other):
    assert dataclasses.replace(PROCESS, **other).digest() != PROCESS.digest()


def test_the_order_of_variables_does_not_matter():
    assert dataclasses.replace(PROCESS, environment={"B": "2", "A": "1"}).digest() == PROCESS.digest()


def test_a_process_is_found_by_name():
    seen = ObservedProcess("a", ProcessState.RUNNING, pid=7)
    assert ObservedManifest("o", processes=(seen,)).process("a") is seen
    assert ObservedManifest("o", processes=(seen,)).process("b") is None
