"""Kill -9 of anything: it is back, once, and nothing of the old copy is left."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from tests.integration.test_processes_world import OWNER, World, made, until
from tradewind.domain.manifests import ProcessState
from tradewind.runtime.processes.launcher import boot, look
from tradewind.runtime.processes.supervisors import end_exactly

TREE = "sleep 1000 & sh -c 'sleep 1000; :' & wait"
DRAINING = "trap 'echo told; sleep 4; echo drained; exit 0' TERM; while :; do sleep 0.05; done"


@pytest.fixture
def world(tmp_path):
    with made(tmp_path) as world:
        yield world


def test_a_killed_program_is_back_once_and_its_orphans_are_gone(world: World):
    world.apply(world.process("one", TREE))
    pid = world.running("one")
    until(lambda: len(world.family("one")) == 4)
    os.kill(pid, signal.SIGKILL)
    new = world.running("one", but=pid)
    until(lambda: len(world.family("one")) == 4)
    assert {seen.session for seen in world.family("one")} == {new}


def test_a_program_that_ends_by_itself_leaves_nothing(world: World):
    end = world.base / "end"
    script = f"(trap '' TERM HUP; exec sleep 1000) & until test -e {end}; do sleep 0.05; done; rm {end}"
    world.apply(world.process("one", script))
    pid = world.running("one")
    end.touch()
    new = world.running("one", but=pid)
    assert {seen.session for seen in world.family("one")} == {new}


def test_a_killed_supervisor_takes_its_programs_along(world: World):
    world.apply(world.process("one"), world.process("two"))
    pids = world.running("one"), world.running("two")
    world.kill_keeper()
    until(lambda: not look(pids[0]) and not look(pids[1]))
    found = world.runtime.observe(OWNER)
    assert (found.generation, found.supervised, found.processes) == (1, False, ())
    assert world.runtime.owners() == [OWNER]


def test_after_a_killed_supervisor_each_runs_once_and_the_draining_one_finishes_first(world: World):
    processes = [
        world.process("plain", TREE),
        world.process("slow", "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.05; done"),
        world.process("worker", DRAINING, drains=True, stop_seconds=60),
    ]
    world.apply(*processes)
    old = {process.name: world.running(process.name) for process in processes}
    world.kill_keeper()
    found = world.runtime.observe(OWNER)
    assert not found.supervised
    worker = found.process("worker")
    assert worker
    assert (worker.pid, worker.state) == (old["worker"], ProcessState.UNKNOWN)

    world.apply(*processes)
    world.apply(*processes)
    seen = world.seen("worker")
    assert seen
    assert seen.state is ProcessState.STARTING
    for process in processes:
        new = world.running(process.name, but=old[process.name])
        assert [one.pid for one in world.programs(process.name)] == [new]
    new = world.running("worker")
    assert world.lines("worker") == [f"started {old['worker']}", "told", "drained", f"started {new}"]


def test_a_draining_one_writes_to_its_log_after_its_supervisor_died(world: World):
    world.apply(world.process("worker", "while :; do echo work; sleep 0.05; done", drains=True, stop_seconds=60))
    pid = world.running("worker")
    world.kill_keeper()
    lines = len(world.lines("worker"))
    until(lambda: len(world.lines("worker")) > lines + 10)
    assert look(pid)


def test_one_that_survives_its_supervisor_is_killed_before_its_copy_starts(world: World):
    deaf = world.process("deaf", "trap '' TERM; while :; do sleep 0.1; done", stop_seconds=2)
    world.apply(deaf)
    old = world.running("deaf")
    world.kill_keeper()
    began = time.monotonic()
    world.apply(deaf)
    new = world.running("deaf", but=old)
    assert time.monotonic() - began >= 1.8
    assert [seen.pid for seen in world.programs("deaf")] == [new]


def test_a_draining_one_has_no_more_than_its_time(world: World):
    worker = world.process("worker", "trap 'echo told' TERM; while :; do sleep 0.1; done", drains=True, stop_seconds=5)
    world.apply(worker)
    old = world.running("worker")
    world.kill_keeper()
    world.apply(worker)
    new = world.running("worker", but=old)
    assert world.lines("worker") == [f"started {old}", "told", f"started {new}"]


def test_orphans_of_a_program_killed_with_its_supervisor_are_gone(world: World):
    one = world.process("one", "(trap '' TERM; while :; do sleep 1; done) & wait", drains=True, stop_seconds=60)
    world.apply(one)
    old = world.running("one")
    until(lambda: len(world.family("one")) >= 2)
    world.kill_keeper()
    os.kill(old, signal.SIGKILL)
    world.apply(one)
    new = world.running("one", but=old)
    assert {seen.session for seen in world.family("one")} == {new}


def test_the_stop_signal_is_given_once_whoever_dies_meanwhile(world: World):
    go = world.base / "go"
    script = f"trap 'echo told' TERM; until test -e {go}; do sleep 0.05; done; rm {go}; echo drained"
    worker = world.process("worker", script, drains=True, stop_seconds=60)
    world.apply(worker)
    old = world.running("worker")
    changed = replace(worker, priority=1)
    world.apply(changed, generation=2)
    until(lambda: "told" in world.lines("worker"))
    world.kill_keeper()
    world.apply(changed, generation=2)
    world.kill_keeper()
    world.apply(changed, generation=2)
    go.touch()
    new = world.running("worker", but=old)
    assert world.lines("worker")[:4] == [f"started {old}", "told", "drained", f"started {new}"]


def test_one_removed_after_its_supervisor_died_drains_and_goes(world: World):
    staying = world.process("staying")
    world.apply(staying, world.process("worker", DRAINING, drains=True, stop_seconds=60))
    pid = world.running("worker")
    world.kill_keeper()
    world.apply(staying, generation=2)
    seen = world.seen("worker")
    assert seen
    assert (seen.pid, seen.state) == (pid, ProcessState.STOPPING)
    until(lambda: look(pid) is None)
    assert world.lines("worker")[1:] == ["told", "drained"]
    world.apply(staying, generation=2)
    assert not list(world.folder.glob("*/worker@*"))


def test_stop_ends_copies_that_outlived_their_supervisor(world: World):
    world.apply(
        world.process("worker", DRAINING, drains=True, stop_seconds=60),
        world.process("deaf", "trap '' TERM; while :; do sleep 0.1; done", drains=True, stop_seconds=1),
    )
    world.running("worker")
    world.running("deaf")
    world.kill_keeper()
    world.runtime.stop(OWNER)
    assert world.tokens() == []
    assert world.lines("worker")[1:] == ["told", "drained"]


def test_stop_ends_copies_for_whom_others_wait(world: World):
    worker = world.process("worker", DRAINING, drains=True, stop_seconds=60)
    world.apply(worker)
    world.running("worker")
    world.kill_keeper()
    world.apply(worker)
    until(lambda: "told" in world.lines("worker"))  # by the copy that waits for it
    world.runtime.stop(OWNER)
    assert world.tokens() == []
    assert world.lines("worker")[1:] == ["told", "drained"]


def test_stop_finds_what_left_its_session(world: World):
    world.apply(world.process("one", "setsid sh -c 'exec sleep 1000' & wait"))
    pid = world.running("one")
    until(lambda: [seen for seen in world.family("one") if seen.session != pid])
    os.kill(pid, signal.SIGKILL)
    world.running("one", but=pid)
    world.runtime.stop(OWNER)
    assert world.tokens() == []


def test_who_is_ended_is_gone_and_not_only_told():
    """The kernel takes its time to give back a large process's memory."""
    large = "held = bytearray(b'x') * (256 << 20); print('there', flush=True); import time; time.sleep(1000)"
    process = subprocess.Popen([sys.executable, "-c", large], stdout=subprocess.PIPE)
    assert process.stdout
    with process:
        assert process.stdout.readline() == b"there\n"
        seen = look(process.pid)
        assert seen
        assert end_exactly([seen], 30) == []
        assert look(process.pid) is None


def test_a_program_with_a_recorded_pid_but_another_start_is_never_touched(world: World):
    one = world.process("one")
    world.apply(one)
    world.running("one")
    stranger = subprocess.Popen(["/bin/sleep", "1000"], start_new_session=True)
    try:
        seen = look(stranger.pid)
        assert seen
        for path in (world.folder / "records").glob("one@*.json"):
            record = json.loads(path.read_text())
            copy = record | {"pid": stranger.pid, "started": seen.started - 1, "boot": boot(), "stop_seconds": 0}
            path.with_name("one@0.json").write_text(json.dumps(copy))
            path.with_name("gone@0.json").write_text(json.dumps(copy | {"name": "gone", "drains": True}))
            other = copy | {"started": seen.started, "boot": "another", "name": "other"}
            path.with_name("other@0.json").write_text(json.dumps(other))
        world.runtime.restart(OWNER, "one")
        world.running("one")
        world.apply(one)
        world.kill_keeper()
        world.apply(one)
        world.runtime.stop(OWNER)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_supervisor_that_lost_its_socket_is_replaced(world: World):
    processes = world.process("one"), world.process("worker", DRAINING, drains=True, stop_seconds=60)
    world.apply(*processes)
    old = world.keeper(), world.running("one"), world.running("worker")
    next(world.run.glob("*.sock")).unlink()
    assert not world.runtime.observe(OWNER).supervised
    impatient = type(world.runtime)(lambda owner: world.base / "supervisors" / owner, world.run, patience=0.2)
    world.runtime = impatient
    world.apply(*processes)
    world.running("one", but=old[1])
    world.running("worker", but=old[2])
    assert world.keeper() != old[0]
    assert "drained" in world.lines("worker")


def test_a_supervisor_told_to_end_ends_everything(world: World):
    world.apply(world.process("one", TREE))
    world.running("one")
    os.kill(world.keeper(), signal.SIGTERM)
    until(lambda: not world.tokens())


def test_a_crash_between_writing_and_ordering_is_mended(world: World):
    one = world.process("one")
    world.apply(one)
    pid = world.running("one")
    path = world.folder / "state.json"
    before = path.read_text()
    world.apply(one, world.process("two"), generation=2)
    two = world.running("two")
    path.write_text(before)  # the state of generation 1 again, with supervisord one generation ahead
    world.apply(one, world.process("three"), generation=2)
    world.running("three")
    until(lambda: look(two) is None)
    assert world.running("one") == pid


@pytest.mark.parametrize("broken", ["", "{", "[]"])
def test_a_broken_state_starts_anew_without_doubles(world: World, broken: str):
    world.apply(world.process("one"))
    pid = world.running("one")
    (world.folder / "state.json").write_text(broken)
    world.apply(world.process("one"))
    new = world.running("one", but=pid)
    until(lambda: [seen.pid for seen in world.programs("one")] == [new])


def test_a_program_that_another_version_wrote_is_replaced(world: World):
    world.apply(world.process("one"))
    pid = world.running("one")
    path = world.folder / "programs" / "one@1.json"
    words = json.loads(path.read_text())
    del words["priority"]
    path.write_text(json.dumps(words))
    world.apply(world.process("one"))
    new = world.running("one", but=pid)
    until(lambda: [seen.pid for seen in world.programs("one")] == [new])
