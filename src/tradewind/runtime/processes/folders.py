"""What is on disk for one owner: readable by the service's own user only, replaced file by file as a whole.

state.json          generation, and which life each process has: what is wanted, not what is seen
programs/P.json     one program, environment and all (secrets): what its launcher reads
supervisord.conf    made from those
records/P.json      who the last copy of a program was (pid, start time, boot), written by its launcher
records/P.told      it got its stop signal, and when
locks/, launch/     one launcher of a name at a time; what launchers say before a log is open
lock                held by whoever changes anything here
"""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tradewind.domain.errors import TradewindError
from tradewind.runtime.processes.configuration import render
from tradewind.runtime.processes.launcher import family, find, read_json, tell, write_json
from tradewind.runtime.processes.programs import Program, decode, encode

_FOLDERS = ("programs", "records", "locks", "launch")


@dataclass(frozen=True)
class State:
    """What was asked for last."""

    generation: int
    last_life: int
    programs: Mapping[str, Program]


@dataclass(frozen=True)
class Copy:
    """A program that was started once, as its launcher wrote it down. It may have gone since."""

    program: str
    identity: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The process that it is a copy of."""
        return str(self.identity["name"])

    @property
    def pid(self) -> int:
        """Its process id while it lived."""
        return int(self.identity["pid"])


class Folder:
    """The folder of one owner."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make it; 0700 whatever it was before."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        for name in _FOLDERS:
            (self.path / name).mkdir(mode=0o700, exist_ok=True)

    @contextmanager
    def locked(self, seconds: float) -> Iterator[None]:
        """Be the only one who changes this owner. Raises TradewindError (BUSY) when another takes longer than that."""
        self.make()
        descriptor = os.open(self.path / "lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _take(descriptor, seconds, self.path)
            yield
        finally:
            os.close(descriptor)

    def state(self) -> State:
        """Read what was asked for. A program whose file is missing or broken is not there: it gets a new life."""
        words = read_json(str(self.path / "state.json"))
        if words is None:
            return State(0, self._last_life(), {})
        programs = (self.program(name) for name in words["programs"])
        return State(words["generation"], words["last_life"], {p.process.name: p for p in programs if p})

    def save(self, generation: int, last_life: int, programs: Sequence[Program]) -> None:
        """Write what is asked for. Programs' files first: a state never names one that is not there."""
        for program in programs:
            path = self.path / "programs" / f"{program.name}.json"
            if not path.exists():
                write_json(str(path), encode(program))
        self._replace("supervisord.conf", render(programs))
        names = [program.name for program in programs]
        write_json(str(self.path / "state.json"), {"generation": generation, "last_life": last_life, "programs": names})

    def save_nothing(self) -> None:
        """Want no process any more: from here on nothing is started, whatever happens."""
        state = self.state()
        self.save(state.generation, state.last_life, ())

    def copies(self) -> list[Copy]:
        """Every copy that was written down."""
        paths = sorted((self.path / "records").glob("*.json"))
        return [Copy(path.stem, record) for path in paths if (record := read_json(str(path)))]

    def tell(self, copy: Copy) -> float:
        """Send a copy its stop signal unless it got it; answers when it did, on the monotonic clock."""
        return tell(dict(copy.identity), self._told(copy))

    def note_told(self, copy: Copy) -> None:
        """Write down that supervisord is about to give this copy its stop signal."""
        words = {"pid": copy.pid, "started": copy.identity["started"], "at": time.monotonic()}
        write_json(self._told(copy), words)

    def program(self, name: str) -> Program | None:
        """Read one program, wanted or not. One that another version wrote with other members is not there."""
        words = read_json(str(self.path / "programs" / f"{name}.json"))
        try:
            return decode(words) if words else None
        except KeyError:
            return None

    def kept(self) -> set[str]:
        """Every program about which anything is kept."""
        return {path.stem for folder in ("programs", "records") for path in (self.path / folder).glob("*@*.json")}

    def forget(self, program: str) -> None:
        """Remove what is kept about a program that is over."""
        (self.path / "programs" / f"{program}.json").unlink(missing_ok=True)
        (self.path / "records" / f"{program}.json").unlink(missing_ok=True)
        (self.path / "records" / f"{program}.told").unlink(missing_ok=True)

    def empty(self) -> None:
        """Remove everything but the lock, for whoever waits at it."""
        for folder in (*(self.path / name for name in _FOLDERS), self.path):
            for path in folder.iterdir():
                if not path.is_dir() and path.name != "lock":
                    path.unlink(missing_ok=True)

    def _told(self, copy: Copy) -> str:
        return str(self.path / "records" / f"{copy.program}.told")

    def _last_life(self) -> int:
        """Where the state is lost: a life that nothing in the folder has had."""
        return max((int(program.rpartition("@")[2]) for program in self.kept()), default=0)

    def _replace(self, name: str, text: str) -> None:
        draft = self.path / f"{name}.draft"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(self.path / name)


def lives(copy: Copy) -> bool:
    """Whether the program itself still runs."""
    return find(dict(copy.identity)) is not None


def has_family(copy: Copy) -> bool:
    """Whether anything of its session still runs."""
    return bool(family(dict(copy.identity)))


def _take(descriptor: int, seconds: float, path: Path) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise TradewindError(
                    f"cannot change the processes of {path}: someone else is doing so", "BUSY"
                ) from None
            time.sleep(0.02)
        else:
            return
