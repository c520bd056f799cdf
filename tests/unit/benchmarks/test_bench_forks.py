"""Forks of a preloaded parent: nobody is taken for one who is not its child."""

from benchmarks.forks import named_forks, pid_of
from tradewind.runtime.processes.launcher import Seen

PIDFD = "pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t1061\nPid:\t4711\nNSpid:\t4711\n"
GONE = "pos:\t0\nflags:\t02000002\nPid:\t-1\n"
FILE = "pos:\t0\nflags:\t0100000\nmnt_id:\t29\nino:\t1\n"


def test_a_descriptor_tells_its_process():
    assert pid_of(PIDFD) == 4711
    assert pid_of(GONE) is None
    assert pid_of(FILE) is None


def test_without_a_parent_or_without_forks_there_is_nothing_to_name():
    assert named_forks({10: "scheduler-1"}, [Seen(20, 10, 20, 1)]) == {}
    assert named_forks({10: "scheduler-1", 11: "preload"}, [Seen(20, 10, 20, 1)]) == {}
