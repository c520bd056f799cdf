"""Commands run to their end, as the port promises."""

import os
import time
from pathlib import Path

import pytest

from tests.integration.test_processes_world import PATH, World, made, until
from tradewind.runtime.processes.launcher import everyone, look


@pytest.fixture
def world(tmp_path):
    with made(tmp_path) as world:
        yield world


def run(world: World, script: str, **words):
    words = {"environment": world.environment("run"), "directory": Path("/"), "timeout": 20} | words
    return world.runtime.run(["/bin/sh", "-c", script], **words)


def test_input_output_and_status_are_the_commands_own(world: World):
    done = run(world, "cat; echo no >&2; pwd; exit 3", stdin=b"hello\n", directory=Path("/usr"))
    assert (done.exit_status, done.stdout, done.stderr, done.timed_out) == (3, b"hello\n/usr\n", b"no\n", False)
    assert run(world, "kill -9 $$").exit_status == -9


def test_nothing_is_inherited(world: World):
    done = world.runtime.run(["env"], environment={"PATH": PATH, "X": "a\nb"}, directory=Path("/"), timeout=20)
    assert sorted(done.stdout.decode().split("\n")) == ["", f"PATH={PATH}", "X=a", "b"]
    assert run(world, "umask; ls /proc/self/fd | wc -l").stdout == b"0077\n4\n"


def test_more_output_than_the_limit_is_read_and_dropped(world: World):
    done = run(world, "head -c 20000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 4", limit=1000)
    assert (done.exit_status, len(done.stdout), len(done.stderr)) == (4, 1000, 1000)


def test_large_input_and_output_do_not_block_each_other(world: World):
    done = run(world, "cat", stdin=b"x" * 3_000_000)
    assert done.stdout == b"x" * 3_000_000


def test_input_that_nobody_reads_is_no_error(world: World):
    assert run(world, "exec 0<&-; echo ok", stdin=b"x" * 3_000_000).stdout == b"ok\n"


def test_at_the_timeout_the_whole_group_is_killed_and_its_output_kept(world: World):
    began = time.monotonic()
    done = run(world, "echo before; trap '' TERM; sleep 1000 & sleep 1000", timeout=10)
    assert done.timed_out
    assert done.exit_status == -9
    assert done.stdout == b"before\n"
    assert time.monotonic() - began < 60
    assert world.family("run") == []


def test_what_a_command_leaves_behind_is_killed(world: World):
    began = time.monotonic()
    done = run(world, "sleep 1000 & echo done")
    assert (done.exit_status, done.stdout) == (0, b"done\n")
    assert time.monotonic() - began < 60
    assert world.family("run") == []


def test_what_cannot_be_executed_is_127_with_a_sentence(world: World):
    done = world.runtime.run(["/no/such"], environment={}, directory=Path("/"), timeout=5)
    assert (done.exit_status, done.stderr) == (127, b"tradewind: cannot execute /no/such: No such file or directory\n")
    done = run(world, "true", directory=Path("/no/such"))
    assert (done.exit_status, done.stderr) == (126, b"tradewind: cannot enter /no/such: No such file or directory\n")


def test_a_command_dies_with_whoever_asked_for_it(world: World):
    child = os.fork()
    if child == 0:
        try:
            run(world, "exec sleep 1000")
        finally:
            os._exit(0)
    until(lambda: [seen for seen in world.family("run") if seen.parent == child])
    os.kill(child, 9)
    os.waitpid(child, 0)
    until(lambda: not world.family("run"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_as_root_the_user_is_taken_on(world: World):
    done = run(world, "id -un; id -G; touch /etc/x", user="nobody")
    assert done.stdout.decode().split("\n")[0] == "nobody"
    assert b"0" not in done.stdout.split(b"\n")[1].split()
    assert done.exit_status != 0
    done = run(world, "true", user="no-such-user")
    assert (done.exit_status, done.stderr) == (126, b"tradewind: cannot start: there is no user 'no-such-user'\n")
    assert everyone()
    assert look(os.getpid())
