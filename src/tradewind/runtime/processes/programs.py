"""A process in one of its lives: what supervisord calls a program.

Programs are never changed. A process that changes, or must be restarted, becomes a new program (`worker-1@8` after
`worker-1@7`) with a specification file of its own; the old one is told to stop and goes when it has drained, however
long that takes, while the launcher of the new one waits for it. So no order ever waits for another to be carried out.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Any

from tradewind.domain.errors import TradewindError
from tradewind.domain.manifests import Process

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class Program:
    """A process and the number of its life, which its owner never gives out twice."""

    process: Process
    life: int

    @property
    def name(self) -> str:
        """Its name at supervisord."""
        return f"{self.process.name}@{self.life}"


def process_name(program: str) -> str:
    """Name the process whose program this is."""
    return program.rpartition("@")[0]


def check(processes: Iterable[Process]) -> None:
    """Refuse what could not be written down or started; names become parts of paths."""
    seen: set[str] = set()
    for process in processes:
        match problem_with(process):
            case None if process.name in seen:
                raise TradewindError(f"cannot run {process.name}: two processes have that name", "INVALID_MANIFEST")
            case None:
                seen.add(process.name)
            case problem:
                raise TradewindError(f"cannot run {process.name!r}: {problem}", "INVALID_MANIFEST")


def problem_with(process: Process) -> str | None:
    """Say why this process cannot be run, if so."""
    if not _NAME.fullmatch(process.name):
        return "a name is up to 100 letters, digits, dots, dashes and underscores"
    if not process.command or not process.command[0]:
        return "it has no command"
    for word in (process.stop_signal, process.parent_death_signal):
        if f"SIG{word}" not in Signals.__members__:
            return f"there is no signal {word!r}"
    if not process.log.is_absolute() or not process.directory.is_absolute():
        return "its log and its directory must be absolute paths"
    strings = [*process.command, str(process.directory), str(process.log), *process.environment.values()]
    if any("\0" in string for string in strings) or any(
        not key or set("=\0") & set(key) for key in process.environment
    ):
        return "its command or environment cannot be given to a program"
    return None


def next_lives(
    processes: Iterable[Process], current: Mapping[str, Program], last: int, restart: frozenset[str] = frozenset()
) -> tuple[tuple[Program, ...], int]:
    """Keep the program of each process whose digest is unchanged; give the others the lives after `last`.

    Answers the programs, those that start first in front, and the last life given out.
    """
    programs = []
    for process in sorted(processes, key=lambda process: process.priority):
        known = current.get(process.name)
        if known and known.process.digest() == process.digest() and process.name not in restart:
            programs.append(known)
        else:
            last += 1
            programs.append(Program(process, last))
    return tuple(programs), last


def encode(program: Program) -> dict[str, Any]:
    """Write a program as the launcher reads it."""
    process = program.process
    return {
        "name": process.name,
        "life": program.life,
        "digest": process.digest(),
        "command": list(process.command),
        "directory": str(process.directory),
        "log": str(process.log),
        "environment": dict(process.environment),
        "user": process.user,
        "stop_signal": process.stop_signal,
        "stop_seconds": process.stop_seconds,
        "parent_death_signal": process.parent_death_signal,
        "drains": process.drains,
        "start_seconds": process.start_seconds,
        "priority": process.priority,
    }


def decode(words: Mapping[str, Any]) -> Program:
    """Read back what `encode` wrote."""
    process = Process(
        name=words["name"],
        command=tuple(words["command"]),
        directory=Path(words["directory"]),
        log=Path(words["log"]),
        environment=words["environment"],
        user=words["user"],
        stop_signal=words["stop_signal"],
        stop_seconds=words["stop_seconds"],
        parent_death_signal=words["parent_death_signal"],
        drains=words["drains"],
        start_seconds=words["start_seconds"],
        priority=words["priority"],
    )
    return Program(process, words["life"])
