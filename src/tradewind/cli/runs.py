"""DAGs and their runs over Airflow's REST API, which is reached by InvokeRestApi.

Whoever follows a run wants to get over a moment without an answer (a restart, a machine under load: Airflow has ten
seconds for each): reading is repeated for `patience` seconds. A run is triggered under an id that is chosen
here, so that asking again after an answer that was lost does not begin another.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tradewind.cli.failures import UNREACHABLE, explain
from tradewind.cli.service import Service

_PAGE = 100
_AGAIN_SECONDS = 1.0
FINAL = frozenset({"success", "failed"})


@dataclass(frozen=True)
class Task:
    """One task instance of a run."""

    task: str
    map_index: int
    state: str
    tries: int
    seconds: float | None

    @property
    def name(self) -> str:
        """With its map index, where it is mapped."""
        return self.task if self.map_index < 0 else f"{self.task}[{self.map_index}]"


@dataclass(frozen=True)
class Airflow:
    """One environment's Airflow."""

    service: Service
    name: str
    patience: float = 0.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def dags(self) -> Iterator[Mapping[str, Any]]:
        """Every DAG."""
        return self._pages("/dags", "dags", {"order_by": "dag_id"})

    def is_paused(self, dag: str) -> bool:
        """Whether runs of a DAG wait until somebody unpauses it."""
        return bool(self._object("GET", f"/dags/{_part(dag)}")["is_paused"])

    def import_errors(self) -> list[Mapping[str, Any]]:
        """Files that could not be loaded."""
        return list(self._pages("/importErrors", "import_errors", {}))

    def trigger(self, dag: str, conf: Mapping[str, Any]) -> Mapping[str, Any]:
        """A new run, now."""
        run = f"manual__{datetime.now(UTC).isoformat()}"
        body = {"dag_run_id": run, "logical_date": None, "conf": dict(conf)}
        path = f"/dags/{_part(dag)}/dagRuns"
        try:
            return self._object("POST", path, body)
        except Exception as error:
            if not self.patience or explain(error).status != UNREACHABLE:
                raise
        known = {
            str(one["dag_run_id"]) for one in self._call("GET", path, query={"order_by": "-run_after"})["dag_runs"]
        }
        return self.run(dag, run) if run in known else self._object("POST", path, body)

    def pause(self, dag: str, *, paused: bool) -> Mapping[str, Any]:
        """Hold the DAG's schedule, or let it go on."""
        return self._object("PATCH", f"/dags/{_part(dag)}", {"is_paused": paused})

    def run(self, dag: str, run: str) -> Mapping[str, Any]:
        """One run."""
        return self._object("GET", f"/dags/{_part(dag)}/dagRuns/{_part(run)}")

    def latest_run(self, dag: str) -> Mapping[str, Any] | None:
        """The run that was begun last."""
        query = {"order_by": "-run_after", "limit": 1}
        found: Sequence[Mapping[str, Any]] = self._call("GET", f"/dags/{_part(dag)}/dagRuns", query=query)["dag_runs"]
        return found[0] if found else None

    def run_after_asset(self, dag: str, source_run: str) -> Mapping[str, Any] | None:
        """The run of a DAG that an asset event of another DAG's run caused; None while there is none."""
        path = f"/dags/{_part(dag)}/dagRuns"
        for run in self._call("GET", path, query={"order_by": "-run_after", "limit": 10})["dag_runs"]:
            events = self._call("GET", f"{path}/{_part(run['dag_run_id'])}/upstreamAssetEvents")["asset_events"]
            if any(event.get("source_run_id") == source_run for event in events):
                return self.run(dag, str(run["dag_run_id"]))
        return None

    def tasks(self, dag: str, run: str) -> list[Task]:
        """Task instances of a run, in the order in which they began."""
        path = f"/dags/{_part(dag)}/dagRuns/{_part(run)}/taskInstances"
        found = sorted(self._pages(path, "task_instances", {}), key=_beginning)
        return [
            Task(one["task_id"], one["map_index"], one["state"] or "none", one["try_number"], one.get("duration"))
            for one in found
        ]

    def _pages(self, path: str, member: str, query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        offset = 0
        while True:
            page = self._call("GET", path, query={"limit": _PAGE, "offset": offset, **query})
            yield from page[member]
            offset += len(page[member])
            if not page[member] or offset >= page["total_entries"]:
                return

    def _object(self, method: str, path: str, body: Any = None) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._call(method, path, body=body)
        return answer

    def _call(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        end = self.clock() + self.patience
        while True:
            try:
                return self.service.airflow(self.name, method, path, query=query, body=body)
            except Exception as error:
                if method != "GET" or self.clock() >= end or explain(error).status != UNREACHABLE:
                    raise
            self.sleep(_AGAIN_SECONDS)


def _beginning(one: Mapping[str, Any]) -> tuple[str, str, int]:
    return one.get("start_date") or "~", one["task_id"], one["map_index"]


def _part(name: str) -> str:
    """One segment of a path, whatever it holds."""
    return quote(name, safe="")
