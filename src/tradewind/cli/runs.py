"""DAGs and their runs over Airflow's REST API, which is reached by InvokeRestApi. No attempt is repeated here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tradewind.cli.service import Service

_PAGE = 100
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

    def dags(self) -> Iterator[Mapping[str, Any]]:
        """Every DAG."""
        return self._pages("/dags", "dags", {"order_by": "dag_id"})

    def import_errors(self) -> list[Mapping[str, Any]]:
        """Files that could not be loaded."""
        return list(self._pages("/importErrors", "import_errors", {}))

    def trigger(self, dag: str, conf: Mapping[str, Any]) -> Mapping[str, Any]:
        """A new run, now."""
        body = {"logical_date": None, "conf": dict(conf)}
        return self._object("POST", f"/dags/{_part(dag)}/dagRuns", body)

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
        return self.service.airflow(self.name, method, path, query=query, body=body)


def _beginning(one: Mapping[str, Any]) -> tuple[str, str, int]:
    return one.get("start_date") or "~", one["task_id"], one["map_index"]


def _part(name: str) -> str:
    """One segment of a path, whatever it holds."""
    return quote(name, safe="")
