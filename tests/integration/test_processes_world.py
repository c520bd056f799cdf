"""What the tests of processes share: a runtime in folders of its own, small programs, and a look at what is left.

Every program, and all that it starts, has the world's token in its environment, so that nothing is left behind unseen.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tradewind.domain.manifests import Manifest, ObservedProcess, Process, ProcessState
from tradewind.runtime.processes import ProcessRuntime
from tradewind.runtime.processes.launcher import Seen, everyone, look

OWNER = "abcdefgh2345"
PATH = "/usr/local/bin:/usr/bin:/bin"


def until(question: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return answer


class World:
    def __init__(self, base: Path, run: Path) -> None:
        self.base = base
        self.run = run
        self.token = f"token-{uuid.uuid4().hex}"
        self.runtime = ProcessRuntime(lambda owner: base / "supervisors" / owner, run, patience=10)

    @property
    def folder(self) -> Path:
        return self.base / "supervisors" / OWNER

    def log(self, name: str) -> Path:
        return self.base / "logs" / f"{name}.log"

    def lines(self, name: str) -> list[str]:
        return lines_of(self.log(name))

    def process(self, name: str, script: str = "exec sleep 1000", **words: Any) -> Process:
        """A shell that says `started PID` first, or second where it sets a trap: whoever reads that may signal it."""
        trap = re.match(r"trap (?:'[^']*'|\"[^\"]*\") [A-Z ]+; ", script)
        first = trap[0] if trap else ""
        words = {
            "log": self.log(name),
            "directory": Path("/"),
            "environment": self.environment(name),
            "start_seconds": 0,
        } | words
        return Process(
            name=name, command=("/bin/sh", "-c", f"{first}echo started $$; {script.removeprefix(first)}"), **words
        )

    def environment(self, name: str, **more: str) -> dict[str, str]:
        return {"PATH": PATH, "TOKEN": f"{self.token}-{name}."} | more

    def apply(self, *processes: Process, generation: int = 1) -> None:
        self.runtime.apply(Manifest(OWNER, generation, processes))

    def seen(self, name: str) -> ObservedProcess | None:
        return self.runtime.observe(OWNER).process(name)

    def state(self, name: str) -> ProcessState | None:
        seen = self.seen(name)
        return seen.state if seen else None

    def running(self, name: str, *, but: int | None = None, log: Path | None = None) -> int:
        """Wait until it runs and has said so; its pid, which is not `but`."""
        log = log or self.log(name)

        def pid() -> int | None:
            seen = self.seen(name)
            up = seen and seen.state is ProcessState.RUNNING and seen.pid != but
            return seen.pid if seen and up and f"started {seen.pid}" in lines_of(log) else None

        return int(until(pid))

    def tokens(self) -> list[Seen]:
        """Every process that this world started: programs, what they started, launchers and supervisors."""
        return [seen for seen in everyone() if self.token in environment_of(seen.pid) or self._is_keeper(seen.pid)]

    def family(self, name: str) -> list[Seen]:
        """Copies of a process and all that they started."""
        return [seen for seen in everyone() if f"TOKEN={self.token}-{name}." in environment_of(seen.pid).split("\0")]

    def programs(self, name: str) -> list[Seen]:
        """Copies of a process."""
        return [seen for seen in self.family(name) if seen.pid == seen.session]

    def keeper(self) -> int:
        return int((self.folder / "supervisord.pid").read_text())

    def kill_keeper(self) -> None:
        pid = self.keeper()
        os.kill(pid, signal.SIGKILL)
        until(lambda: look(pid) is None)

    def _is_keeper(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(self.base)
        except OSError:
            return False


def lines_of(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def environment_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""


@contextmanager
def made(base: Path) -> Iterator[World]:
    """A world that is ended and found empty."""
    run = Path(tempfile.mkdtemp(prefix="tw-"))
    world = World(base, run)
    try:
        yield world
    finally:
        for owner in world.runtime.owners():
            world.runtime.stop(owner, patience=0.2)
        left = world.tokens()
        for seen in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(seen.pid, signal.SIGKILL)
        shutil.rmtree(run)
    assert not left


def test_the_world_sees_what_is_left(tmp_path):
    with made(tmp_path) as world:
        process = subprocess.Popen(["/bin/sleep", "1000"], env=world.environment("x"))
        try:
            until(lambda: world.family("x"))
            assert [seen.pid for seen in world.tokens()] == [process.pid]
        finally:
            process.kill()
            process.wait()
