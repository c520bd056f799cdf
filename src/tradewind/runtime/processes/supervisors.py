"""The supervisord of one owner: whether it lives, how it is started and how it is ended.

It is no child of ours: it detaches (a session of its own, no terminal, its output in a file) and outlives the control
plane. That it lives is known by the lock that it holds, who it is by boot, pid and start time, and both before
anything is sent to it.
"""

import fcntl
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tradewind.domain.errors import CannotStart
from tradewind.runtime.processes import launcher
from tradewind.runtime.processes.folders import Folder
from tradewind.runtime.processes.launcher import Seen, everyone, find, is_there, read_json, signal_exactly
from tradewind.runtime.processes.logs import tail
from tradewind.runtime.processes.rpc import NoAnswer, Supervisor

_KEEPER = "tradewind.runtime.processes.keeper"
_PATH_LIMIT = 107 - len(".4194304")  # supervisord binds a name with its pid first

LAUNCHER = Path(launcher.__file__)


class Keeper:
    """One owner's supervisord."""

    def __init__(self, owner: str, folder: Folder, run: Path, *, start_seconds: float = 60) -> None:
        self.socket = run / f"{owner}.sock"
        self._owner = owner
        self._folder = folder
        self._start_seconds = start_seconds

    def lives(self) -> bool:
        """Whether one holds the lock."""
        try:
            descriptor = os.open(self._folder.path / "supervisord.lock", os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(descriptor)

    def itself(self) -> Seen | None:
        """The process, if it lives."""
        identity = read_json(str(self._folder.path / "supervisord.json"))
        return find(identity) if identity and self.lives() else None

    def reach(self, seconds: float) -> Supervisor | None:
        """Speak to the one that lives; None when none does, or when it has not answered in that time."""
        deadline = time.monotonic() + seconds
        while self.lives():
            if supervisor := self._try():
                return supervisor
            if time.monotonic() >= deadline:
                break
            time.sleep(0.02)
        return None

    def start(self) -> Supervisor:
        """Start one where none lives and wait until it answers. Raises CannotStart with the end of its log."""
        self._check_socket()
        output = self._folder.path / "supervisord.out"
        with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
            try:
                subprocess.run(
                    [sys.executable, "-I", "-m", _KEEPER],
                    cwd=self._folder.path,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    timeout=self._start_seconds,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise CannotStart(f"cannot start the supervisor of {self._owner}: {error}", "CANNOT_START") from error
        supervisor = self.reach(self._start_seconds)
        if supervisor is None:
            raise self._failure(output)
        return supervisor

    def shut_down(self, supervisor: Supervisor | None, seconds: float = 10) -> None:
        """End it, by its own means if it answers, and otherwise by KILL."""
        seen = self.itself()
        if supervisor and seen:
            try:
                supervisor.shut_down()
            except NoAnswer:
                supervisor = None
        deadline = time.monotonic() + (seconds if supervisor else 0)
        while self.lives():
            if time.monotonic() >= deadline and (seen := self.itself()):
                signal_exactly(seen, signal.SIGKILL)
            time.sleep(0.02)
            if time.monotonic() >= deadline + 10:
                raise CannotStart(f"cannot end the supervisor of {self._owner}", "CANNOT_STOP")
        self.socket.unlink(missing_ok=True)

    def descendants(self) -> Sequence[Seen]:
        """Everything that descends from it, wherever it has moved: it is the subreaper of them all."""
        seen = self.itself()
        if seen is None:
            return ()
        found: list[Seen] = []
        parents = {seen.pid}
        table = everyone()
        while parents:
            children = [one for one in table if one.parent in parents]
            found += children
            parents = {one.pid for one in children}
        return found

    def _try(self) -> Supervisor | None:
        seen = self.itself()
        if seen is None or not self.socket.exists():
            return None
        supervisor = Supervisor(self.socket)
        try:
            if supervisor.pid() == seen.pid:
                return supervisor
        except NoAnswer:
            pass
        supervisor.close()
        return None

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "TRADEWIND_SOCKET": str(self.socket),
            "TRADEWIND_LAUNCH": shlex.join([sys.executable, "-I", "-S", str(LAUNCHER)]),
        }

    def _check_socket(self) -> None:
        if len(os.fsencode(self.socket)) > _PATH_LIMIT:
            raise CannotStart(
                f"cannot start the supervisor of {self._owner}: the path of its socket, {self.socket}, is longer than "
                f"{_PATH_LIMIT} bytes",
                "CANNOT_START",
            )

    def _failure(self, output: Path) -> CannotStart:
        state = "it does not answer" if self.lives() else "it ended"
        evidence = (*tail(self._folder.path / "supervisord.log", 20), *tail(output, 20))
        last = evidence[-1] if evidence else "it said nothing"
        sentence = f"cannot start the supervisor of {self._owner}: {state}: {last}"
        return CannotStart(sentence, "CANNOT_START", tuple(evidence[-20:]))


def end_exactly(processes: Sequence[Seen], seconds: float) -> Sequence[Seen]:
    """Kill these very processes, and return those that are still there after `seconds`."""
    for seen in processes:
        signal_exactly(seen, signal.SIGKILL)
    deadline = time.monotonic() + seconds
    while (left := [seen for seen in processes if is_there(seen)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left
