"""What is to run, and what was seen running: Process, Manifest and their observed counterparts.

The recipe writes manifests, the reconciler applies them with a generation, a runtime makes them true.
A manifest is the whole set of one owner: an environment's id, or `host` for the processes that the
service itself needs (PostgreSQL, the proxy). A process that is not in it is stopped.
"""

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

HOST = "host"


@dataclass(frozen=True)
class Process:
    """One program, one process. Its environment is whole: nothing is inherited from the service."""

    name: str
    command: tuple[str, ...]
    directory: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)  # it holds secrets
    user: str | None = None  # unix user to become where the service runs as root; None: stay as is
    stop_signal: str = "TERM"
    stop_seconds: int = 10  # from the stop signal to KILL of its whole group
    # What happens when its supervisor dies: it gets `parent_death_signal` at once or, when it drains
    # (a Celery worker: TERM means finish what runs), it keeps running and a new copy waits until it has gone.
    parent_death_signal: str = "TERM"
    drains: bool = False
    start_seconds: int = 1  # alive so long means started
    priority: int = 500  # lower starts first and stops last

    def digest(self) -> str:
        """Names this exact process: one that differs must be restarted, one that is equal must not."""
        words = [
            self.name, *self.command, str(self.directory), str(self.log), self.user or "", self.stop_signal,
            str(self.stop_seconds), self.parent_death_signal, str(self.drains), str(self.start_seconds),
            str(self.priority),
        ]  # fmt: skip
        text = json.dumps([words, sorted(self.environment.items())])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Manifest:
    """All processes of one owner, at one generation. A runtime refuses a generation older than the one it has."""

    owner: str
    generation: int
    processes: tuple[Process, ...]


class ProcessState(enum.Enum):
    """supervisor's words."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    BACKOFF = "BACKOFF"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    EXITED = "EXITED"
    FATAL = "FATAL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class ObservedProcess:
    """One process as its supervisor sees it. `digest` is that of the Process it was started from.

    `waits`: it is not this process yet that runs: its old copy has to end first.
    """

    name: str
    state: ProcessState
    pid: int | None = None
    started_at: datetime | None = None
    exit_status: int | None = None
    digest: str = ""
    waits: bool = False


@dataclass(frozen=True)
class ObservedManifest:
    """What runs for an owner.

    `supervised` is False when no supervisor answers; `generation` is 0 when nothing was applied.
    """

    owner: str
    generation: int = 0
    supervised: bool = False
    processes: tuple[ObservedProcess, ...] = ()

    def process(self, name: str) -> ObservedProcess | None:
        """The process of that name, if there is one."""
        return next((p for p in self.processes if p.name == name), None)


@dataclass(frozen=True)
class Completed:
    """A command that ran to its end. `timed_out` means that its whole group was killed."""

    exit_status: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
