"""One environment on stock Airflow's engine and one on ours, with the same DAGs, for the tests of `test_semantics_*`.

Every DAG run of the contract is started at once, as soon as its environment is there; each test waits for the run
that it reads. So this takes the time of all tasks together, not of one test after another. Tasks tell by XCom,
by their state, their log, and by lines of notes in their home (`tests/semantics_dags/semantics_notes.py`).
"""

import functools
import json
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import ROOT, Service, eventually
from tests.scenario.insight import environment_id

FINAL = {"success", "failed"}
# Started at once. Those that hold slots for long, or whose time limits need an idle machine, are started later.
BATCH = (
    "sem_exits", "sem_waiting", "sem_retries", "sem_rules", "sem_mapping", "sem_branches", "sem_teardown",
    "sem_teardown_ignored", "sem_xcom", "sem_process", "sem_closed", "sem_pools", "sem_time_limits", "sem_dag_fails",
    "sem_dag_succeeds",
)  # fmt: skip
UNSTARTED = ("sem_child", "sem_of_asset", "sem_past", "sem_marks", "sem_run_limit", "sem_segfault")
POOLS = {"sem_one": 1, "sem_two": 2}
# Waiting times that would only make the tests slow: how soon a task notices that it was marked, how long a supervisor
# waits for a pipe that a grandchild holds, how long a task may linger.
OPTIONS = {
    "celery.worker_autoscale": "6,6",
    "core.allowed_deserialization_classes": r"airflow.* semantics_types.*",
    "workers.min_heartbeat_interval": "1",
    "workers.socket_cleanup_timeout": "3",
}


@dataclass
class Engine:
    """An environment whose engine is `kind`, and the runs of the contract in it."""

    service: Service
    kind: str
    name: str
    runs: dict[str, str] = field(default_factory=dict)  # DAG -> run

    @property
    def is_stock(self) -> bool:
        return self.kind == "stock"

    @functools.cached_property
    def root(self) -> Path:
        """The environment's folder."""
        return self.service.data / "environments" / environment_id(self.service, self.name)

    def rest(self, method: str, path: str, **members: Any) -> Any:
        """InvokeRestApi's RestApiResponse."""
        return self.service.rest(self.name, method, path, **members)

    def start(self, dag: str, run: str | None = None, **body: Any) -> str:
        """Trigger a run. Its id is made here, so that asking again is the same request."""
        run = run or f"manual__{uuid.uuid4()}"
        self.rest("POST", f"/dags/{dag}/dagRuns", Body={"logical_date": None, "dag_run_id": run, **body})
        self.runs.setdefault(dag, run)
        return run

    def path(self, dag: str, run: str | None = None) -> str:
        return f"/dags/{dag}/dagRuns/{run or self.runs[dag]}"

    def state(self, dag: str, run: str | None = None, *, seconds: float = 800) -> str:
        """The run's final state."""
        found: dict[str, Any] = {}

        def finished() -> bool:
            found.update(self.rest("GET", self.path(dag, run)))
            return found["state"] in FINAL

        eventually(finished, seconds=seconds, what=f"{dag} on {self.kind} to end", pause=1)
        return str(found["state"])

    def instances(self, dag: str, run: str | None = None) -> dict[tuple[str, int], dict[str, Any]]:
        """Task instances of a run as they are now, by task and map index."""
        found = self.rest("GET", self.path(dag, run) + "/taskInstances", QueryParameters={"limit": 100})
        return {(one["task_id"], one["map_index"]): one for one in found["task_instances"]}

    def pages(self, path: str, member: str) -> list[dict[str, Any]]:
        """All of a list that comes in pages."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.rest("GET", path, QueryParameters={"limit": 100, "offset": len(found)})
            found += page[member]
            if not page[member] or len(found) >= page["total_entries"]:
                return found

    def ended(self, dag: str) -> dict[tuple[str, int], dict[str, Any]]:
        """Task instances once the run is final."""
        known = self._ended
        if dag not in known:
            self.state(dag)
            known[dag] = self.instances(dag)
            for one in known[dag].values():  # a success is known before its process ends, and may still write
                if one["pid"] and one["end_date"]:
                    gone(one["pid"], datetime.fromisoformat(one["end_date"]).timestamp(), seconds=30)
        return known[dag]

    @functools.cached_property
    def _ended(self) -> dict[str, dict[tuple[str, int], dict[str, Any]]]:
        return {}

    def task(self, dag: str, task: str, map_index: int = -1) -> tuple[str | None, int]:
        """State and number of tries of a task instance, once the run is final."""
        one = self.ended(dag)[task, map_index]
        return one["state"], one["try_number"]

    def xcom(self, dag: str, task: str, key: str = "return_value", map_index: int = -1) -> Any:
        self.ended(dag)
        path = f"{self.path(dag)}/taskInstances/{task}/xcomEntries/{key}"
        return self.rest("GET", path, QueryParameters={"map_index": map_index})["value"]

    def xcoms(self, dag: str) -> set[tuple[str, str]]:
        """Which XComs a run has left: task and key."""
        self.ended(dag)
        found = self.rest(
            "GET", f"{self.path(dag)}/taskInstances/~/xcomEntries", QueryParameters={"limit": 100}
        )["xcom_entries"]  # fmt: skip
        return {(one["task_id"], one["key"]) for one in found}

    def log(self, dag: str, task: str, number: int = 1, map_index: int = -1) -> list[dict[str, Any]]:
        """The log of a try as Airflow's UI shows it: an event a line."""
        self.ended(dag)
        path = f"{self.path(dag)}/taskInstances/{task}/logs/{number}"
        query = {"map_index": map_index, "full_content": True}
        return list(self.rest("GET", path, QueryParameters=query)["content"])

    def said(self, dag: str, task: str, number: int = 1) -> str:
        """The text of a log."""
        return "\n".join(str(line.get("event", line)) for line in self.log(dag, task, number))

    def notes(self, dag: str, task: str | None = None, what: str | None = None, run: str | None = None) -> list[Any]:
        """What was written down in a run, in order."""
        file = self.root / "home" / "semantics-notes.jsonl"
        lines = [json.loads(line) for line in file.read_text().split("\n")[:-1]] if file.exists() else []
        return [
            one
            for one in lines
            if one["dag"] == dag
            and one["run"] == (run or self.runs[dag])
            and task in {None, one["task"]}
            and what in {None, one["what"]}
        ]

    def children(self) -> list[tuple[int, float]]:
        """Every process that a task told to have started: its id, and a time at which it was there."""
        every = (self.notes(dag) for dag in self.runs)
        return [(one["child"], one["at"]) for notes in every for one in notes if "child" in one]

    def note(self, dag: str, task: str, what: str) -> Any:
        """The only note of its kind, once it is there."""
        eventually(lambda: bool(self.notes(dag, task, what)), seconds=120, what=f"{what} of {task}", pause=0.5)
        (found,) = self.notes(dag, task, what)
        return found


def gone(pid: int, at: float, *, seconds: float = 0) -> bool:
    """No such process any more; one that began after `at` (a time of the task's) is another."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            process = psutil.Process(pid)
            there = process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= at + 1
        except psutil.NoSuchProcess:
            there = False
        if not there or time.monotonic() >= deadline:
            return not there
        time.sleep(0.3)


def end(pid: int, at: float) -> None:
    """End a process that a task left behind."""
    if not gone(pid, at):
        psutil.Process(pid).kill()


def know(engine: Engine, dags: set[str], tag: str) -> None:
    """Return when all these DAGs are known; they are unpaused then."""

    def all_known() -> bool:
        query = {"limit": 100, "tags": [tag]}
        return {one["dag_id"] for one in engine.rest("GET", "/dags", QueryParameters=query)["dags"]} >= dags

    eventually(all_known, seconds=120, what=f"the DAGs of the {tag} tests to be known", pause=1)
    for dag in dags:
        engine.rest("PATCH", f"/dags/{dag}", Body={"is_paused": False})


def _begin(engine: Engine) -> None:
    """Start the batch as soon as all its DAGs are known."""
    know(engine, {*BATCH, *UNSTARTED}, "semantics")
    for pool, slots in POOLS.items():
        engine.rest("POST", "/pools", Body={"name": pool, "slots": slots})
    for dag in BATCH:
        engine.start(dag)
    for number, run in enumerate(("first", "second"), start=1):
        engine.start("sem_past", run, logical_date=f"2026-01-0{number}T00:00:00Z")


@pytest.fixture(scope="session", params=["stock", "tradewind"])
def engine(request: pytest.FixtureRequest, service: Service) -> Iterator[Engine]:
    """An environment on this engine, in which every run of the contract has been started."""
    engine = Engine(service, request.param, f"engine-{request.param}")
    folder = service.bucket("engine") / "dags"
    for source in (ROOT / "tests" / "semantics_dags").glob("sem*.py"):
        shutil.copy(source, folder)
    # eager: tasks of a file that allows it are forks of its zygote from the first one on
    options = OPTIONS | ({"tradewind.engine": "stock"} if engine.is_stock else {"tradewind.zygotes": "eager"})
    service.create(engine.name, "engine", AirflowConfigurationOptions=options)
    found = service.wait(engine.name)
    assert found["Status"] == "AVAILABLE", found.get("LastUpdate")
    _begin(engine)
    yield engine
    for pid, at in engine.children():
        end(pid, at)
    service.client().delete_environment(Name=engine.name)
    service.wait_gone(engine.name)
