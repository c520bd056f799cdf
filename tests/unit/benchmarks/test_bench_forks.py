"""Forks of a preloaded parent: known by who holds them, also when their parent has died."""

import os
import subprocess

from benchmarks.forks import named_forks, pid_of
from tradewind.runtime.processes.launcher import Seen

PIDFD = "pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t1061\nPid:\t4711\nNSpid:\t4711\n"
GONE = "pos:\t0\nflags:\t02000002\nPid:\t-1\n"
FILE = "pos:\t0\nflags:\t0100000\nmnt_id:\t29\nino:\t1\n"


def test_a_descriptor_tells_its_process():
    assert pid_of(PIDFD) == 4711
    assert pid_of(GONE) is None
    assert pid_of(FILE) is None


def test_without_forks_there_is_nothing_to_name():
    assert named_forks({10: "scheduler-1"}, [Seen(20, 10, 20, 1)]) == {}


def test_who_is_held_is_named_whosever_child_it_is_by_now_but_not_the_holders_own():
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as fork:
        handle = os.pidfd_open(fork.pid)
        try:
            me = os.getpid()
            orphan, own, follower = (Seen(fork.pid, 1, fork.pid, 1), Seen(fork.pid, me, fork.pid, 1),
                                     Seen(fork.pid, 1, 1, 1))  # fmt: skip
            assert named_forks({me: "worker-1"}, [orphan]) == {fork.pid: "worker-1"}
            assert named_forks({me: "worker-1"}, [own]) == {}
            assert named_forks({me: "worker-1"}, [follower]) == {}
            assert named_forks({me: "worker-1", fork.pid: "scheduler-1"}, [orphan]) == {}
        finally:
            os.close(handle)
            fork.kill()
