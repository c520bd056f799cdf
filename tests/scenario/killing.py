"""kill -9 at random, of the processes of one environment and nothing else, and a watch over which tasks live when.

Victims come from the service's own records: supervisors know their programs, and everything below a worker's process
(Celery's slots, what tasks are forked from, the tasks) is found as its descendants, or, once the worker is dead, by
the session that they share with it. psutil compares start times before it kills, so a number that was given to
another process meanwhile is safe.
"""

import os
import random
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.conftest import Service
from tests.scenario.insight import environment_id, program_of, supervisor_of
from tradewind.bootstrap.processes import runtime_of
from tradewind.domain.layout import Layout
from tradewind.settings import run_directory

TITLE = re.compile(r"airflow worker -- ([0-9a-f-]{36})")
BELOW_WORKER = re.compile(r"airflow|celery")
BESIDE_WORKER = re.compile(r"component (scheduler|dag-processor|triggerer|api-server)|airflow api_server")
# Which kind of process is hit how often: tasks and slots are many, each program of the environment is one.
WEIGHTS = {"task": 5, "slot": 4, "program": 7, "postgres": 1, "supervisor": 1}


@dataclass
class Killer(threading.Thread):
    """Kills something every two to four seconds until it is stopped."""

    service: Service
    name_of_environment: str
    seed: int
    pauses: tuple[float, float] = (2.0, 4.0)
    weights: dict[str, int] = field(default_factory=lambda: dict(WEIGHTS))
    kills: list[tuple[float, str, int, str]] = field(default_factory=list)  # when, which kind, process id, title

    def __post_init__(self) -> None:
        super().__init__(name="killer", daemon=True)
        self._random = random.Random(self.seed)
        self._owner = environment_id(self.service, self.name_of_environment)
        self._sessions: set[int] = set()
        self._stop_asked = threading.Event()

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self._stop_asked.wait(self._random.uniform(*self.pauses)):
            # not every kind is there at any moment: take another one then
            for _ in range(10):
                kind = self._random.choices(list(self.weights), list(self.weights.values()))[0]
                if self._hit(kind):
                    break

    def stop(self) -> None:
        self._stop_asked.set()
        self.join(30)

    def _hit(self, kind: str) -> bool:
        try:
            victim = self.choose(kind)
            if victim is None:
                return False
            title = " ".join(victim.cmdline())
            victim.kill()
        except (psutil.Error, OSError):
            return False  # gone in between: as good as killed, but by somebody else
        # the end of a program's command line tells which one it was
        self.kills.append((time.time(), kind, victim.pid, title if len(title) < 120 else f"…{title[-119:]}"))
        return True

    def choose(self, kind: str) -> psutil.Process | None:
        """A living process of this kind, or None where there is none just now."""
        match kind:
            case "task":
                return self._one_of([p for p in self._below_worker() if TITLE.search(" ".join(p.cmdline()))])
            case "slot":
                return self._one_of([p for p in self._below_worker() if not TITLE.search(" ".join(p.cmdline()))])
            case "postgres":
                return program_of(self.service, "host", "postgres", missing_is_fine=True)
            case "supervisor":
                return supervisor_of(self.service, self._owner, missing_is_fine=True)
            case _:
                layout = Layout(self.service.data, run_directory(self.service.data))
                known = sorted(seen.name for seen in runtime_of(layout).observe(self._owner).processes)
                if not known:
                    return None
                name = self._random.choice(known)
                return program_of(self.service, self._owner, name, missing_is_fine=True)

    def summary(self) -> str:
        return f"seed {self.seed}, {len(self.kills)} kills: {dict(Counter(kind for _, kind, _, _ in self.kills))}"

    def _one_of(self, processes: list[psutil.Process]) -> psutil.Process | None:
        return self._random.choice(sorted(processes, key=lambda p: p.pid)) if processes else None

    def _below_worker(self) -> list[psutil.Process]:
        """All below the worker; of dead workers what they left. Not the worker itself, not a shell of a task."""
        worker = program_of(self.service, self._owner, "worker-1", missing_is_fine=True)
        if worker is not None:
            self._sessions.add(os.getsid(worker.pid))
        found = []
        for process in psutil.process_iter():
            try:
                in_session = os.getsid(process.pid) in self._sessions
                line = " ".join(process.cmdline())
            except (psutil.Error, OSError):
                continue
            if in_session and process != worker and BELOW_WORKER.search(line) and not BESIDE_WORKER.search(line):
                found.append(process)
        return found


@dataclass
class Watch(threading.Thread):
    """Which task processes live, looked at five times a second, by the id of the try in their title."""

    seen: dict[str, dict[int, tuple[float, float]]] = field(default_factory=dict)  # try -> pid -> first and last time

    def __post_init__(self) -> None:
        super().__init__(name="watch", daemon=True)
        self._stop_asked = threading.Event()

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self._stop_asked.wait(0.2):
            now = time.time()
            alive: dict[int, tuple[str, int]] = {}  # process id -> try and parent
            for path in Path("/proc").iterdir():
                if not path.name.isdigit():
                    continue
                try:
                    # a zombie has no command line; psutil would cost twenty times as much
                    match = TITLE.match((path / "cmdline").read_text(errors="replace"))
                    parent = int((path / "stat").read_text().rpartition(")")[2].split()[1]) if match else 0
                except OSError:
                    continue
                if match:
                    alive[int(path.name)] = (match[1], parent)
            for pid, (try_id, parent) in alive.items():
                lives = self.seen.setdefault(try_id, {})
                # a command that it starts, before exec gives that its own title
                if parent not in lives and alive.get(parent, ("", 0))[0] != try_id:
                    lives[pid] = (lives.get(pid, (now, now))[0], now)

    def stop(self) -> None:
        self._stop_asked.set()
        self.join(30)
