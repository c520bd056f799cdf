"""The preloaded parent and its stand-ins, with real forks, sockets and signals, and anything but Airflow in them.

The parent runs as in an environment but imports nothing; a child runs the Python that it is given instead of Airflow's
command.
"""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tradewind_airflow.preload import wire

SOURCE = Path(__file__).parents[2] / "airflow" / "src"
PROGRAM = """
    import os, sys
    from tradewind_airflow import component
    from tradewind_airflow.preload import child, modules, parent

    def run(component, arguments):
        exec(arguments[0], {"__name__": "part"})
        return 0

    def leave():
        if os.environ.get("BROKEN"):
            raise RuntimeError("no Airflow here")

    modules.LISTS["preload"] = tuple(os.environ.get("IMPORTS", "").split())
    child._configure_airflow = leave
    component._run = run
    sys.exit(component.main(sys.argv[1:]))
"""
AWAKE = "import time; print('awake', flush=True); time.sleep(60)"


def soon(look: Callable[[], object], seconds: float = 10) -> object:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    return look()


class Yard:
    """A parent and the components that ask it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "preload.sock"
        self.program = folder / "program.py"
        self.program.write_text(textwrap.dedent(PROGRAM))
        self.listener: socket.socket | None = None
        self.started: list[subprocess.Popen[str]] = []
        self.parent: subprocess.Popen[str] | None = None

    def start(self, *arguments: str, fds: tuple[int, ...] = (), **variables: str) -> subprocess.Popen[str]:
        environment = {"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin", "COMMON": "1", **variables}
        started = subprocess.Popen(
            [sys.executable, "-P", str(self.program), *arguments], env=environment, text=True, pass_fds=fds,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.started.append(started)
        return started

    def raise_parent(self, digest: str = "one", **variables: str) -> subprocess.Popen[str]:
        new = self.path.with_suffix(".new")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(new))
            listener.listen(16)
            new.rename(self.path)  # there is no moment without anybody who listens
            number = listener.fileno()
            variables |= {"TRADEWIND_LISTEN_FD": str(number), "TRADEWIND_PRELOAD_DIGEST": digest}
            self.parent = self.start("preload", fds=(number,), **variables)
        return self.parent

    def ask(self, code: str, digest: str = "one", **variables: str) -> subprocess.Popen[str]:
        return self.start("scheduler", textwrap.dedent(code), TRADEWIND_PRELOAD=f"{digest}:{self.path}", **variables)

    def children(self) -> list[psutil.Process]:
        assert self.parent is not None
        return psutil.Process(self.parent.pid).children()

    def end(self) -> None:
        for started in reversed(self.started):
            if started.poll() is None:
                started.kill()
            started.wait(10)
            if started.stdout is not None:
                started.stdout.close()


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    yard = Yard(tmp_path)
    yard.raise_parent()
    yield yard
    yard.end()


def output(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=30)
    return said


def awake(process: subprocess.Popen[str]) -> int:
    """Wait until the component's child says that it runs."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("awake"), line
    return process.pid


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_component_runs_in_a_child_of_the_parent_with_exactly_its_own_surroundings(yard: Yard):
    code = """
        import os
        print(os.getppid(), os.getsid(0) == os.getpid(), sorted(os.environ.items()), os.getcwd(), flush=True)
    """
    asked = yard.ask(code, SECRET="s3cret")
    said = output(asked)
    assert yard.parent is not None
    assert said.startswith(f"{yard.parent.pid} True "), said
    names = {"PYTHONPATH", "PATH", "COMMON", "SECRET", "TRADEWIND_CLOSED"}
    assert all(f"('{name}'" in said for name in names)
    assert "TRADEWIND_PRELOAD" not in said
    assert "TRADEWIND_LISTEN" not in said
    assert asked.returncode == 0


LOOK = """
    import ctypes
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # only to read ourselves

    def count(*parts):
        word, found = b"-".join(parts), 0
        for line in open("/proc/self/maps"):
            ends, rights = line.split()[:2]
            first, last = (int(end, 16) for end in ends.split("-"))
            if rights.startswith("rw") and "[v" not in line:
                with open("/proc/self/mem", "rb", 0) as memory:
                    memory.seek(first)
                    found += memory.read(last - first).count(word)
        return found

    print(count(b"s3cret", b"of", b"one"), count(b"n0thing", b"of", b"one"))
"""


def test_a_secret_never_reaches_the_parent_or_another_child(yard: Yard):
    output(yard.ask("pass", SECRET="s3cret-of-one"))
    secret, nothing = output(yard.ask(LOOK)).split()
    assert secret == nothing, "what is found of it is what the look itself has made"
    secret, nothing = output(yard.ask(LOOK, SECRET="s3cret-of-one")).split()
    assert int(secret) > int(nothing), "the look finds what is there"


@pytest.mark.parametrize("status", [0, 1, 7])
def test_the_exit_status_is_the_childs(yard: Yard, status: int):
    asked = yard.ask(f"import sys; sys.exit({status})")
    output(asked)
    assert asked.returncode == status


def test_a_child_that_fails_shows_why(yard: Yard):
    asked = yard.ask("raise RuntimeError('as it must')")
    assert "RuntimeError: as it must" in output(asked)
    assert asked.returncode == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGABRT])
def test_a_child_that_is_killed_takes_its_stand_in_along_by_the_same_signal(yard: Yard, number: int):
    asked = yard.ask(f"import os; os.kill(os.getpid(), {int(number)})")
    output(asked)
    assert asked.returncode == -number


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"])
def test_signals_are_passed_on(yard: Yard, name: str):
    code = f"""
        import signal, sys, time
        signal.signal(signal.{name}, lambda *_: sys.exit(42))
        print("awake", flush=True)
        while True:
            time.sleep(0.05)  # a signal that comes just before a sleep does not end it
    """
    asked = yard.ask(code)
    awake(asked)
    asked.send_signal(signal.Signals[name])
    assert asked.wait(10) == 42


def test_a_stand_in_that_is_killed_takes_the_childs_whole_session_along(yard: Yard):
    code = """
        import os, time
        if os.fork() == 0:
            os.setpgid(0, 0)
        print("awake", flush=True)
        time.sleep(60)
    """
    asked = yard.ask(code)
    awake(asked)
    [child] = yard.children()
    soon(child.children)
    family = [child, *child.children()]
    assert len(family) == 2
    asked.kill()
    assert soon(lambda: all(gone(process.pid) for process in family))


def test_what_is_said_late_kills_nobody_but_the_lifelines_end_does(yard: Yard):
    """Who sends may wake the receiver before the kernel has told all of it: words may seem to come late."""
    watched, lifeline = os.pipe()
    reading, writing = os.pipe()
    request = {"digest": "one", "component": "scheduler", "arguments": [AWAKE], "environment": {}, "directory": "/"}
    with socket.socket(socket.AF_UNIX) as connection, os.fdopen(reading) as said:
        connection.settimeout(10)
        connection.connect(str(yard.path))
        wire.send(connection, request, (writing, writing, watched))
        for number in (watched, writing):
            os.close(number)
        pid = wire.receive(connection)[0]["pid"]
        wire.send(connection, {"go": True})
        assert said.readline() == "awake\n"
        wire.send(connection, {"go": True})
        time.sleep(0.3)
        assert not gone(pid)
        os.close(lifeline)
        assert soon(lambda: gone(pid))
        assert wire.receive(connection)[0] == {"signal": signal.SIGKILL}


def test_without_the_parent_the_kernel_kills_the_child_of_a_stand_in_that_is_killed(yard: Yard):
    asked = yard.ask(AWAKE)
    awake(asked)
    [child] = yard.children()
    assert yard.parent is not None
    yard.parent.kill()
    yard.parent.wait(10)
    assert not gone(child.pid), "a dead parent is no reason to die"
    asked.kill()
    assert soon(lambda: gone(child.pid))


def test_what_a_child_leaves_behind_is_ended(yard: Yard):
    code = """
        import os, time
        if os.fork() == 0:
            time.sleep(60)
        import signal
        signal.signal(signal.SIGUSR1, lambda *_: os._exit(3))
        print("awake", flush=True)
        while True:
            time.sleep(0.05)
    """
    asked = yard.ask(code)
    awake(asked)
    [child] = yard.children()
    [left] = soon(child.children)
    asked.send_signal(signal.SIGUSR1)
    assert asked.wait(10) == 3
    assert gone(left.pid)


def test_the_parents_death_changes_nothing_for_who_runs(yard: Yard):
    code = """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
        print("awake", flush=True)
        while True:
            time.sleep(0.05)
    """
    asked = yard.ask(code)
    awake(asked)
    assert yard.parent is not None
    yard.parent.kill()
    yard.parent.wait(10)
    time.sleep(0.3)
    assert asked.poll() is None
    asked.terminate()
    assert asked.wait(10) == 9, "the child says itself how it ends"


def test_nobody_knows_how_an_orphan_was_killed_but_its_stand_in_ends(yard: Yard):
    asked = yard.ask(AWAKE)
    awake(asked)
    [child] = yard.children()
    assert yard.parent is not None
    yard.parent.kill()
    yard.parent.wait(10)
    child.kill()
    assert "nobody is left who could say how" in output(asked)
    assert asked.returncode == 1


def test_components_are_several_and_random_numbers_differ(yard: Yard):
    said = {output(yard.ask("import random, uuid; print(random.random(), uuid.uuid4())")) for _ in range(4)}
    assert len(said) == 4


def test_a_child_holds_no_socket_of_the_parent_or_of_another_child(yard: Yard):
    first = yard.ask(AWAKE)
    awake(first)
    code = """
        import os
        names = []
        for number in range(3, 256):
            try:
                names.append(os.stat(number))
            except OSError:
                pass
        import stat
        print(len({found.st_ino for found in names if stat.S_ISSOCK(found.st_mode)}))
    """
    assert output(yard.ask(code)).strip() == "1", "its own connection only"


class TestStartingCold:
    """An environment never fails because of preloading."""

    CODE = "import os; print('cold', os.getpid())"

    def cold(self, asked: subprocess.Popen[str]) -> str:
        said = output(asked)
        assert f"cold {asked.pid}" in said, said
        assert asked.returncode == 0
        return said

    def test_where_nobody_listens(self, tmp_path: Path):
        yard = Yard(tmp_path)
        began = time.monotonic()
        assert "it does not answer" in self.cold(yard.ask(self.CODE))
        assert time.monotonic() - began < 60
        yard.end()

    def test_where_the_parent_has_read_another_value(self, yard: Yard):
        assert yard.parent is not None
        yard.parent.kill()
        (yard.program.parent / "reader.py").write_text("import os\nkept = os.environ.get('COMMON')\n")
        yard.raise_parent(IMPORTS="reader", PYTHONPATH=f"{SOURCE}:{yard.program.parent}")
        assert "other values of COMMON" in self.cold(
            yard.ask(self.CODE, COMMON="2", PYTHONPATH=f"{SOURCE}:{yard.program.parent}")
        )
        code = "import sys; print('warm', sys.modules['reader'].kept)"
        assert output(yard.ask(code, PYTHONPATH=f"{SOURCE}:{yard.program.parent}")).startswith("warm 1")

    def test_where_the_child_cannot_be_configured(self, yard: Yard):
        assert "no Airflow here" in self.cold(yard.ask(self.CODE, BROKEN="1"))

    def test_where_the_parent_has_another_thread(self, yard: Yard):
        assert yard.parent is not None
        yard.parent.kill()
        (yard.program.parent / "busy.py").write_text(
            "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        )
        yard.raise_parent(IMPORTS="busy", PYTHONPATH=f"{SOURCE}:{yard.program.parent}")
        assert "cannot fork" in self.cold(yard.ask(self.CODE))

    def test_where_the_parent_dies_while_it_is_asked(self, yard: Yard):
        assert yard.parent is not None
        yard.parent.send_signal(signal.SIGSTOP)
        asked = yard.ask(self.CODE)
        time.sleep(0.5)
        yard.parent.kill()
        self.cold(asked)


def test_a_parent_of_another_generation_is_waited_for(yard: Yard):
    asked = yard.ask("import os; print('warm', os.getppid())", digest="two")
    time.sleep(1)
    assert asked.poll() is None
    parent = yard.raise_parent(digest="two")
    assert output(asked).startswith(f"warm {parent.pid}")


def test_a_module_that_cannot_be_imported_is_no_obstacle(yard: Yard):
    assert yard.parent is not None
    yard.parent.kill()
    yard.parent.wait(10)
    yard.raise_parent(IMPORTS="there_is_no_such_module")
    assert output(yard.ask("print('warm')")).startswith("warm")
