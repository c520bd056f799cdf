"""A running Airflow as benchmarks see it, Tradewind's environment and a stock one alike.

`call` is Airflow's REST API (paths without `/api/v2`) through the door that a user of that side has: InvokeRestApi
with boto3 here, HTTP with a token there. `put` deploys a DAG file in one step (written beside, renamed).
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import CannotMeasure
from benchmarks.watching import seconds_until


@dataclass(frozen=True)
class Answer:
    """What the REST API said. `status` is Airflow's own; 0 when nobody answered."""

    status: int
    document: Any

    @property
    def is_fine(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300


class Installation(ABC):
    """One contender at work."""

    contender: str

    @abstractmethod
    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Ask the REST API."""

    @abstractmethod
    def put(self, name: str, text: str) -> None:
        """Deploy a DAG file, new or changed."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a DAG file. Absent is fine."""

    @abstractmethod
    def programs(self) -> dict[int, str]:
        """Main processes by pid: those of this installation and of nothing else."""

    @abstractmethod
    def host_programs(self) -> dict[int, str]:
        """Main processes that it needs and shares with others of the same machine, PostgreSQL left out."""

    @abstractmethod
    def backends(self) -> Collection[int]:
        """PostgreSQL backends that serve its database now."""

    @abstractmethod
    def database(self) -> str:
        """URL of its metadata database for a superuser, to look without costing it anything."""

    def run(self, dag: str, *, limit: float = 180) -> None:
        """Trigger a DAG and return when its run has succeeded."""
        made: list[Answer] = []

        def triggered() -> bool:
            made.append(self.call("POST", f"/dags/{dag}/dagRuns", {"logical_date": None}))
            return made[-1].is_fine

        seconds_until(triggered, limit=limit, what=f"{self.contender}'s DAG {dag} to be known")
        path = f"/dags/{dag}/dagRuns/{made[-1].document['dag_run_id']}"

        def succeeded() -> bool:
            answer = self.call("GET", path)
            state = answer.document["state"] if answer.is_fine else None
            if state == "failed":
                raise CannotMeasure(f"cannot measure {self.contender}: the run of {dag} failed")
            return bool(state == "success")

        seconds_until(succeeded, limit=limit, what=f"{self.contender}'s run of {dag} to succeed")


def deploy(scratch: Path, target: Path, text: str) -> None:
    """Make a file appear, or change, as a whole."""
    scratch.write_text(text)
    scratch.chmod(0o644)
    scratch.replace(target)
