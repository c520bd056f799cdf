"""What is seen of a process, from supervisord's words and launchers' records."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tradewind.domain.manifests import Process, ProcessState
from tradewind.runtime.processes.folders import Copy
from tradewind.runtime.processes.observing import observed, outlived
from tradewind.runtime.processes.programs import Program
from tradewind.runtime.processes.rpc import Seen

ONE = Program(Process("one", ("/bin/x",), Path("/"), Path("/l")), 2)
DIGEST = ONE.process.digest()
S = ProcessState


def seen(state: ProcessState, program: str = "one@2", pid: int = 10, status: int = 0) -> Seen:
    return Seen(program, state, pid, 1000 if pid else 0, 0 if pid else 2000, status)


def copy(program: str = "one@2", pid: int = 10, digest: str = DIGEST) -> Copy:
    return Copy(program, {"name": program.split("@", maxsplit=1)[0], "pid": pid, "digest": digest})


def observe(*known: Seen, copies=(), living=()):
    return observed(
        [ONE],
        {one.program: one for one in known},
        {one.program: one for one in copies},
        [one.program for one in living],
    )


def test_what_runs_is_shown_with_its_pid_start_and_digest():
    (found,) = observe(seen(S.RUNNING), copies=[copy()], living=[copy()])
    assert (found.name, found.state, found.pid, found.digest) == ("one", S.RUNNING, 10, DIGEST)
    assert found.started_at == datetime.fromtimestamp(1000, UTC)
    assert found.exit_status is None


@pytest.mark.parametrize("copies", [[], [copy(pid=9)]])
def test_a_launcher_that_still_waits_is_starting_whatever_supervisord_says(copies):
    (found,) = observe(seen(S.RUNNING), copies=copies)
    assert (found.state, found.pid) == (S.STARTING, 10)


@pytest.mark.parametrize("state", [S.EXITED, S.STOPPED])
def test_one_that_ended_has_a_status_and_no_pid(state):
    (found,) = observe(seen(state, pid=0, status=3))
    assert (found.state, found.pid, found.exit_status, found.started_at) == (state, None, 3, None)


@pytest.mark.parametrize("state", [S.FATAL, S.BACKOFF])
def test_one_that_never_started_has_no_status(state):
    (found,) = observe(seen(state, pid=0))
    assert (found.state, found.exit_status) == (state, None)


def test_there_is_one_entry_a_process_the_new_life():
    old = seen(S.STOPPING, "one@1", pid=7)
    (found,) = observe(old, seen(S.RUNNING), copies=[copy("one@1", 7, "old")], living=[copy("one@1", 7, "old")])
    assert (found.state, found.pid, found.digest) == (S.STARTING, 10, DIGEST)


def test_what_is_not_wanted_shows_until_it_has_gone():
    going = copy("two@1", 7, "old")
    found = observe(seen(S.RUNNING), seen(S.STOPPING, "two@1", 7), copies=[copy(), going], living=[copy(), going])
    assert [(one.name, one.state, one.pid, one.digest) for one in found[1:]] == [("two", S.STOPPING, 7, "old")]
    assert len(observe(seen(S.RUNNING), seen(S.STOPPED, "two@1", 0), copies=[copy(), going])) == 1


def test_what_outlived_its_supervisor_and_is_not_wanted_shows_too():
    left = copy("two@1", 7, "old")
    found = observe(seen(S.RUNNING), copies=[copy(), left], living=[copy(), left])
    assert [(one.name, one.state, one.pid) for one in found[1:]] == [("two", S.STOPPING, 7)]


def test_without_a_supervisor_the_living_are_unknown():
    (found,) = outlived([copy()])
    assert (found.name, found.state, found.pid, found.digest) == ("one", S.UNKNOWN, 10, DIGEST)
