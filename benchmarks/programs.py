"""Programs that a benchmark starts itself, and their end: by id, whole session, nothing else.

Each program leads a session of its own, so that Ctrl-C reaches only the benchmark, and so that whatever it started
can be found and ended with it. An id counts only together with the start time of its process.
"""

import contextlib
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measuring import CannotMeasure
from tradewind.runtime.processes.launcher import Seen, end_family, everyone, identify, signal_exactly

_LINES = 30
_ENDING_SECONDS = 10.0


class Program:
    """One running program."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._log = log
        self._identity = identify(process.pid)

    def status_within(self, seconds: float) -> int:
        """Wait for its end. Raises CannotMeasure when it takes longer."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise CannotMeasure(f"cannot measure: {self.name} took longer than {seconds:.0f} s") from None

    def check(self) -> None:
        """Raise CannotMeasure, with the end of its log, when it has ended."""
        status = self._process.poll()
        if status is not None:
            raise CannotMeasure(f"cannot measure: {self.name} ended with status {status}\n{self.last_lines()}")

    def last_lines(self) -> str:
        """The end of its log: the evidence that travels with a failure."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_LINES:])

    def ask(self, line: str, seconds: float) -> str:
        """Write a line to its standard input, answer the line that it says. Only for one that was started to talk.

        Raises CannotMeasure when it ends, or says nothing for `seconds`.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError(f"{self.name} was not started to talk")
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._process.wait(_ENDING_SECONDS)
            self.check()
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            raise CannotMeasure(f"cannot measure: {self.name} said nothing for {seconds:.0f} s\n{self.last_lines()}")
        answer = self._process.stdout.readline()
        if not answer:
            self._process.wait(_ENDING_SECONDS)
            self.check()
        return answer.decode().strip()

    def stop(self, number: int, seconds: float) -> None:
        """Ask it to end, wait, then end whatever is left of it and of what it started."""
        started = _descendants(self.pid)
        if self._process.poll() is None:
            self._process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        if self._process.poll() is None:
            self._process.kill()
            started += _descendants(self.pid)
            self._process.kill()
            self._process.wait()
        end_family(self._identity)
        for seen in started:
            signal_exactly(seen, signal.SIGKILL)


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: Path,
    stop_signal: int = signal.SIGTERM,
    stop_seconds: float = 15,
    talks: bool = False,
) -> Iterator[Program]:
    """Run a program until the block ends; its output goes to `<directory>/<name>.log`.

    One that `talks` keeps standard input and output for `ask`.
    """
    log = directory / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command), env=dict(environment), cwd=directory, start_new_session=True,
            stdin=subprocess.PIPE if talks else subprocess.DEVNULL, stdout=subprocess.PIPE if talks else output,
            stderr=output,
        )  # fmt: skip
    program = Program(name, process, log)
    try:
        yield program
    finally:
        program.stop(stop_signal, stop_seconds)


def finish(command: Sequence[str], *, environment: Mapping[str, str], directory: Path, seconds: float) -> None:
    """Run a command to its end. Raises CannotMeasure with its last words when it fails."""
    with running(Path(command[0]).name, command, environment=environment, directory=directory) as program:
        if program.status_within(seconds) != 0:
            program.check()


def _descendants(pid: int) -> list[Seen]:
    table = everyone()
    known = {pid}
    found: list[Seen] = []
    grew = True
    while grew:
        more = [seen for seen in table if seen.parent in known and seen.pid not in known]
        known |= {seen.pid for seen in more}
        found += more
        grew = bool(more)
    return found
