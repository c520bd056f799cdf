"""As root: programs are other users', completely and in the right order."""

import os
import pwd
import signal
from pathlib import Path

import pytest

from tests.integration.test_processes_world import OWNER, World, made, until
from tradewind.runtime.processes import ProcessRuntime
from tradewind.runtime.processes.launcher import look

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def world(tmp_path):
    with made(tmp_path) as world:
        yield world


def status(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: words.split() for key, _, words in (line.partition(":") for line in lines)}


def test_user_group_and_groups_are_the_users(world: World):
    world.apply(world.process("one", user="nobody"), world.process("ours"))
    found = status(world.running("one"))
    assert found["Uid"] == [str(NOBODY.pw_uid)] * 4
    assert found["Gid"] == [str(NOBODY.pw_gid)] * 4
    assert set(found["Groups"]) == {str(group) for group in os.getgrouplist("nobody", NOBODY.pw_gid)}
    assert int(found["CapEff"][0], 16) == 0
    assert status(world.running("ours"))["Uid"] == ["0"] * 4


def test_the_parent_death_signal_outlives_the_change_of_user(world: World):
    script = "trap 'echo by USR1; exit 0' USR1; while :; do sleep 0.05; done"
    world.apply(world.process("one", script, user="nobody", parent_death_signal="USR1"))
    pid = world.running("one")
    world.kill_keeper()
    until(lambda: look(pid) is None)
    assert world.lines("one")[-1] == "by USR1"


def test_a_draining_one_of_a_user_lives_on_and_is_replaced(world: World):
    script = "trap 'echo told; sleep 1; exit 0' TERM; while :; do sleep 0.05; done"
    world.apply(world.process("worker", script, user="nobody", drains=True, stop_seconds=60))
    pid = world.running("worker")
    world.kill_keeper()
    world.apply(world.process("worker", script, user="nobody", drains=True, stop_seconds=60))
    new = world.running("worker", but=pid)
    assert world.lines("worker") == [f"started {pid}", "told", f"started {new}"]


def test_the_log_is_the_users_wherever_it_lies(world: World):
    theirs = world.base / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY.pw_uid, NOBODY.pw_gid)
    for path in (theirs, *theirs.parents):
        if path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o011)
    world.apply(
        world.process("one", user="nobody"),
        world.process("two", user="nobody", log=theirs / "two.log"),
    )
    world.running("one")
    world.running("two", log=theirs / "two.log")
    for log in (world.log("one"), theirs / "two.log"):
        assert log.stat().st_uid == NOBODY.pw_uid
        assert log.stat().st_mode & 0o777 == 0o600
    assert ProcessRuntime(lambda owner: world.base / "supervisors" / owner, world.run, log_limit=0).trim_logs(OWNER)
    assert world.log("one").with_name("one.log.1").exists()
    assert (theirs / "two.log.1").stat().st_uid == NOBODY.pw_uid


@pytest.mark.parametrize("kind", ["symbolic", "hard", "directory"])
def test_no_link_of_a_user_leads_us_to_a_file_of_ours(world: World, kind: str):
    ours = world.base / "ours" / "one.log"
    ours.parent.mkdir()
    ours.write_text("secret\n")
    theirs = world.base / "theirs"
    match kind:
        case "symbolic":
            theirs.mkdir()
            (theirs / "one.log").symlink_to(ours)
        case "hard":
            theirs.mkdir()
            (theirs / "one.log").hardlink_to(ours)
        case _:
            theirs.symlink_to(ours.parent)
    os.chown(theirs, NOBODY.pw_uid, NOBODY.pw_gid, follow_symlinks=False)
    os.chown(world.base, NOBODY.pw_uid, NOBODY.pw_gid)
    for path in (world.base, *world.base.parents):
        if path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o011)
    world.apply(world.process("one", user="nobody", log=theirs / "one.log"))
    until(lambda: any("cannot open the log" in line for line in world.runtime.last_lines(OWNER, "one")))
    ProcessRuntime(lambda owner: world.base / "supervisors" / owner, world.run, log_limit=0).trim_logs(OWNER)
    assert ours.read_text() == "secret\n"
    assert ours.stat().st_uid == 0
    assert "secret" not in world.runtime.last_lines(OWNER, "one")
    os.chown(world.base, 0, 0)


def test_a_user_that_is_not_there_is_told(world: World):
    world.apply(world.process("one", user="tw-nobody-at-all"))
    lines = until(lambda: world.runtime.last_lines(OWNER, "one"))
    assert "there is no user 'tw-nobody-at-all'" in lines[-1]


def test_a_program_that_the_user_may_not_execute_is_told(world: World):
    program = world.base / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    process = world.process("one", user="nobody")
    world.apply(type(process)(**(vars(process) | {"command": (str(program),)})))
    until(lambda: any("Permission denied" in line for line in world.runtime.last_lines(OWNER, "one")))


def test_signals_reach_a_users_program(world: World):
    world.apply(world.process("one", "trap '' TERM; while :; do sleep 0.1; done", user="nobody", stop_seconds=1))
    pid = world.running("one")
    world.runtime.stop(OWNER)
    assert look(pid) is None
    assert signal.SIGKILL
