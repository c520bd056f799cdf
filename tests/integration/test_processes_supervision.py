"""A manifest is made true, and only what differs is touched."""

import fcntl
import os
import stat
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.test_processes_world import OWNER, World, command_line, environment_of, made, until
from tradewind.domain.errors import CannotStart, StaleGeneration, TradewindError
from tradewind.domain.manifests import Manifest, ObservedManifest, ProcessState
from tradewind.runtime.processes import ProcessRuntime
from tradewind.runtime.processes.folders import Folder
from tradewind.runtime.processes.launcher import everyone, look


@pytest.fixture
def world(tmp_path):
    with made(tmp_path) as world:
        yield world


def test_a_manifest_runs_is_observed_and_stopped(world: World):
    assert world.runtime.observe(OWNER) == ObservedManifest(OWNER)
    assert world.runtime.owners() == []
    one, two = world.process("one"), world.process("two")
    world.apply(one, two, generation=7)
    pids = {world.running("one"), world.running("two")}
    found = world.runtime.observe(OWNER)
    assert (found.generation, found.supervised) == (7, True)
    assert {process.pid for process in found.processes} == pids
    assert {process.digest for process in found.processes} == {one.digest(), two.digest()}
    started = found.processes[0].started_at
    assert started
    assert datetime.now(UTC) - timedelta(seconds=30) < started <= datetime.now(UTC)
    assert world.runtime.owners() == [OWNER]

    world.runtime.stop(OWNER)
    assert world.tokens() == []
    assert world.runtime.observe(OWNER) == ObservedManifest(OWNER)
    assert world.runtime.owners() == []
    world.runtime.stop(OWNER)


def test_each_leads_a_session_of_its_own(world: World):
    world.apply(world.process("one"))
    pid = world.running("one")
    seen = look(pid)
    assert seen
    assert seen.session == pid
    assert os.getpgid(pid) == pid
    assert seen.parent == world.keeper()
    keeper = look(world.keeper())
    assert keeper
    assert keeper.session == keeper.pid
    assert keeper.parent != os.getpid()


def test_what_is_unchanged_is_not_touched_and_what_changed_is_restarted(world: World):
    same, other = world.process("same"), world.process("other")
    world.apply(same, other)
    pids = world.running("same"), world.running("other")
    world.apply(same, replace(other, environment=world.environment("other", NEW="1")), generation=2)
    after = world.running("same"), world.running("other", but=pids[1])
    assert after[0] == pids[0]
    assert after[1] != pids[1]
    until(lambda: len(world.programs("other")) == 1)
    assert len(world.lines("same")) == 1
    assert len(world.lines("other")) == 2


def test_what_is_added_leaves_the_rest_alone(world: World):
    one = world.process("one")
    world.apply(one)
    pid = world.running("one")
    world.apply(one, world.process("two"), generation=2)
    world.running("two")
    assert world.running("one") == pid


def test_what_is_removed_goes_with_all_its_children(world: World):
    staying = world.process("staying")
    tree = "sleep 1000 & (trap '' TERM; while :; do sleep 1; done) & wait"
    world.apply(staying, world.process("going", tree))
    pid = world.running("going")
    until(lambda: len(world.family("going")) >= 4)
    assert {seen.session for seen in world.family("going")} == {pid}
    world.apply(staying, generation=2)
    until(lambda: not world.family("going"))
    assert world.seen("going") is None
    world.apply(staying, generation=2)
    assert not list(world.folder.glob("*/going@*"))


def test_a_process_that_comes_back_is_a_new_one(world: World):
    one, two = world.process("one"), world.process("two")
    world.apply(one, two)
    pid = world.running("two")
    world.apply(one, generation=2)
    world.apply(one, two, generation=3)
    assert world.running("two", but=pid) != pid
    until(lambda: len(world.programs("two")) == 1)


def test_an_older_generation_is_refused(world: World):
    world.apply(world.process("one"), generation=5)
    pid = world.running("one")
    with pytest.raises(StaleGeneration, match="cannot apply generation 4"):
        world.apply(world.process("two"), generation=4)
    assert world.running("one") == pid
    assert world.seen("two") is None


def test_concurrent_applies_start_each_process_once(world: World):
    processes = [world.process(f"p{number}") for number in range(4)]
    errors: list[BaseException] = []

    def apply() -> None:
        try:
            ProcessRuntime(lambda owner: world.base / "supervisors" / owner, world.run).apply(
                Manifest(OWNER, 1, tuple(processes))
            )
        except BaseException as error:  # noqa: BLE001  carried to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=apply) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for process in processes:
        world.running(process.name)
        assert len(world.lines(process.name)) == 1
    assert (
        len(
            [seen for seen in everyone() if "processes.keeper" in command_line(seen.pid) and world._is_keeper(seen.pid)]
        )
        == 1
    )


def test_one_who_holds_the_lock_is_not_waited_for_without_end(world: World):
    world.apply(world.process("one"))
    impatient = ProcessRuntime(lambda owner: world.base / "supervisors" / owner, world.run, patience=0.1)
    with Folder(world.folder).locked(1), pytest.raises(TradewindError) as caught:
        impatient.apply(Manifest(OWNER, 1, ()))
    assert caught.value.code == "BUSY"


def test_the_environment_is_exact_and_on_no_command_line(world: World):
    secret = "hunter2 %(x)s 'quoted' \"twice\"; # ü\nsecond line"
    wanted = world.environment("one", SECRET=secret)
    world.apply(world.process("one", environment=wanted))
    pid = world.running("one")
    until(lambda: command_line(pid).startswith("sleep"))
    found = dict(entry.split("=", 1) for entry in environment_of(pid).split("\0") if entry)
    assert {key: value for key, value in found.items() if key not in ("PWD", "OLDPWD", "_", "SHLVL")} == wanted
    assert not [seen.pid for seen in everyone() if "hunter2" in command_line(seen.pid)]
    assert "hunter2" not in environment_of(world.keeper())


def test_nothing_of_the_folder_can_be_read_by_others(world: World):
    world.folder.mkdir(parents=True, mode=0o755)
    world.apply(world.process("one"))
    world.running("one")
    paths = [world.folder, *world.folder.rglob("*"), world.run]
    assert len(paths) > 10
    assert not [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_lower_priority_starts_first(world: World):
    names = ["c", "a", "d", "b"]
    world.apply(*[world.process(name, priority=100 * number) for number, name in zip([3, 1, 4, 2], names, strict=True)])
    pids = {name: world.running(name) for name in names}
    order = sorted(names, key=lambda name: (look(pids[name]).started, pids[name]))  # type: ignore[union-attr]
    assert order == ["a", "b", "c", "d"]


def test_lower_priority_stops_last(world: World):
    farewell = "trap 'date +%s.%N; exit 0' TERM; while :; do sleep 0.05; done"
    world.apply(world.process("first", farewell, priority=1), world.process("last", farewell, priority=9))
    world.running("first")
    world.running("last")
    world.runtime.stop(OWNER)
    assert float(world.lines("last")[-1]) < float(world.lines("first")[-1])


def test_one_that_dies_at_once_ends_fatal_with_its_last_words_and_is_started_again(world: World):
    flag = world.base / "now-it-works"
    script = f"test -e {flag} && exec sleep 1000; sleep 0.05; echo cannot find my heart >&2; exit 3"
    world.apply(world.process("one", script, start_seconds=5))
    # Looking would wake supervisord, so that it saw the deaths in time: look at the log only.
    until(lambda: len([line for line in world.lines("one") if line.startswith("started")]) == 4, 30)
    time.sleep(3)
    assert len([line for line in world.lines("one") if line.startswith("started")]) == 4
    until(lambda: world.state("one") is ProcessState.FATAL)
    assert world.runtime.last_lines(OWNER, "one", 1) == ("cannot find my heart",)
    world.apply(world.process("one", script, start_seconds=5))
    until(lambda: len([line for line in world.lines("one") if line.startswith("started")]) >= 5)
    flag.touch()
    world.apply(world.process("one", script, start_seconds=5))
    world.running("one")


def test_what_cannot_be_executed_says_why(world: World):
    cannot = world.process("cannot")
    elsewhere = replace(world.process("elsewhere"), directory=world.base / "nowhere")
    world.apply(replace(cannot, command=("/no/such/program",)), elsewhere)
    until(lambda: world.runtime.last_lines(OWNER, "elsewhere"))
    until(lambda: world.runtime.last_lines(OWNER, "cannot"))
    assert "cannot execute /no/such/program: No such file or directory" in world.runtime.last_lines(OWNER, "cannot")[-1]
    assert f"cannot enter {world.base}/nowhere: No such file" in world.runtime.last_lines(OWNER, "elsewhere")[-1]


def test_a_log_that_cannot_be_opened_is_told(world: World):
    world.base.joinpath("logs").mkdir()
    world.log("one").mkdir()
    world.apply(world.process("one"))
    lines = until(lambda: world.runtime.last_lines(OWNER, "one"))
    assert "cannot open the log" in lines[-1]


def test_last_lines_are_the_end_of_the_log_however_broken(world: World):
    world.apply(world.process("one"))
    world.running("one")
    with world.log("one").open("ab") as log:
        log.write(b"".join(b"line %d\n" % number for number in range(100_000)) + b"\xff broken\nlast without end")
    assert world.runtime.last_lines(OWNER, "one", 3) == ("line 99999", "\ufffd broken", "last without end")
    assert len(world.runtime.last_lines(OWNER, "one")) == 20
    assert world.runtime.last_lines(OWNER, "unknown") == ()


def test_one_that_ignores_its_stop_signal_is_killed_in_time(world: World):
    deaf = world.process("deaf", "trap '' TERM; while :; do sleep 0.1; done", stop_seconds=10)
    staying = world.process("staying")
    world.apply(deaf, staying)
    pid = world.running("deaf")
    began = time.monotonic()
    world.apply(staying, generation=2)
    assert time.monotonic() - began < 9
    assert world.state("deaf") is ProcessState.STOPPING
    until(lambda: look(pid) is None, 60)
    assert time.monotonic() - began >= 9.9


def test_the_stop_signal_is_the_one_asked_for(world: World):
    world.apply(world.process("one", "trap 'echo by INT; exit 0' INT; while :; do sleep 0.05; done", stop_signal="INT"))
    world.running("one")
    world.runtime.stop(OWNER)
    assert world.lines("one")[-1] == "by INT"


def test_one_launcher_of_a_name_at_a_time(world: World):
    world.apply(world.process("one"))
    pid = world.running("one")
    with (world.folder / "locks" / "one").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        world.runtime.restart(OWNER, "one")
        until(lambda: look(pid) is None)
        time.sleep(0.5)
        assert world.programs("one") == []
        assert world.state("one") is ProcessState.STARTING
    world.running("one", but=pid)


def test_restart_replaces_one_process(world: World):
    world.apply(world.process("one"), world.process("two"))
    pids = world.running("one"), world.running("two")
    world.runtime.restart(OWNER, "one")
    assert world.running("one", but=pids[0])
    assert world.running("two") == pids[1]
    assert world.runtime.observe(OWNER).generation == 1
    with pytest.raises(TradewindError, match="cannot restart three"):
        world.runtime.restart(OWNER, "three")


def test_stop_has_no_more_patience_than_asked(world: World):
    world.apply(world.process("worker", "trap '' TERM; while :; do sleep 0.1; done", drains=True, stop_seconds=3600))
    world.running("worker")
    began = time.monotonic()
    world.runtime.stop(OWNER, patience=0.5)
    assert time.monotonic() - began < 10
    assert world.tokens() == []


def test_owners_are_apart(world: World):
    world.apply(world.process("one"))
    world.runtime.apply(Manifest("host", 1, (world.process("caddy"),)))
    pid = world.running("one")
    assert world.runtime.owners() == [OWNER, "host"]
    until(lambda: world.runtime.observe("host").processes)
    world.runtime.stop("host")
    assert world.runtime.owners() == [OWNER]
    assert world.running("one") == pid


def test_a_long_data_directory_with_odd_characters_works(tmp_path):
    odd = tmp_path / "50% of my ; data # 'here' ü"
    base = odd / ("x" * max(1, 150 - len(str(odd))))
    with made(base) as world:
        assert len(str(world.folder)) > 150
        world.apply(world.process("one"))
        world.running("one")


def test_a_socket_with_too_long_a_path_is_refused(world: World):
    runtime = ProcessRuntime(lambda owner: world.base / "supervisors" / owner, world.run / ("r" * 100))
    with pytest.raises(CannotStart, match="longer than"):
        runtime.apply(Manifest(OWNER, 1, (world.process("one"),)))


def test_a_supervisor_that_cannot_start_shows_its_words(world: World):
    (world.folder / "supervisord.log").mkdir(parents=True)
    with pytest.raises(CannotStart, match=f"cannot start the supervisor of {OWNER}: it ended") as caught:
        world.apply(world.process("one"))
    assert any("supervisord.log" in line for line in caught.value.evidence)


def test_a_log_past_its_limit_is_emptied_and_kept(world: World):
    world.apply(world.process("one", "while :; do echo 0123456789; sleep 0.01; done"), world.process("two"))
    pid = world.running("one")
    until(lambda: world.log("one").stat().st_size > 500)
    runtime = ProcessRuntime(lambda owner: world.base / "supervisors" / owner, world.run, log_limit=300)
    assert runtime.trim_logs(OWNER) == [world.log("one")]
    kept = world.log("one").with_name("one.log.1")
    assert kept.read_text().startswith(f"started {pid}\n")
    until(lambda: world.log("one").stat().st_size > 0)
    assert world.log("one").read_bytes()[:1] != b"\0"
    assert look(pid)


def test_a_manifest_that_makes_no_sense_changes_nothing(world: World):
    one = world.process("one")
    world.apply(one)
    pid = world.running("one")
    with pytest.raises(TradewindError, match="two processes have that name"):
        world.apply(one, one, generation=2)
    assert world.runtime.observe(OWNER).generation == 1
    assert world.running("one") == pid
