"""DAG runs of an installation: trigger, wait, and read how long they took.

What counts are Airflow's own stamps as its REST API tells them: from the earliest `queued_at` to the latest
`end_date`. Waiting is no part of it and must cost the contender nothing: one connection of ours looks into its
database, since asking a REST API costs CPU in the processes that are measured.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from benchmarks.installation import Installation
from benchmarks.measuring import CannotMeasure
from benchmarks.watching import seconds_until

WATCHER = "tradewind-bench"  # application_name of the connection that looks
_SECONDS_A_TASK = 3.0
_SECONDS = 120.0
_AT_ONCE = 10
_UNFINISHED = """
SELECT count(*) FROM dag_run WHERE run_id = ANY(%s) AND dag_id = ANY(%s) AND state IN ('queued', 'running')
"""
# Per task of a run in a line, in order: seconds from the end of the one before to its scheduling, and so on.
_PHASES = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a), percentile_cont(0.5) WITHIN GROUP (ORDER BY b),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY c), percentile_cont(0.5) WITHIN GROUP (ORDER BY d)
FROM (SELECT extract(epoch FROM scheduled_dttm - lag(end_date) OVER line) a,
             extract(epoch FROM queued_dttm - scheduled_dttm) b, extract(epoch FROM start_date - queued_dttm) c,
             extract(epoch FROM end_date - start_date) d
      FROM task_instance WHERE run_id = ANY(%s) AND dag_id = ANY(%s)
      WINDOW line AS (PARTITION BY dag_id, run_id ORDER BY start_date)) phases
"""
PHASES = ("end to scheduled", "scheduled to queued", "queued to started", "started to end")
_FOREIGN_BACKENDS = """
SELECT pid FROM pg_stat_activity WHERE (datname IS NOT NULL AND datname <> current_database()) OR application_name = %s
"""


@dataclass(frozen=True)
class Run:
    """One DAG run, by its names."""

    dag: str
    id: str


@dataclass(frozen=True)
class Watcher:
    """Looks into one installation's database."""

    connection: psycopg.Connection[tuple[Any, ...]]

    def unfinished(self, runs: Sequence[Run]) -> int:
        """How many of the runs have not ended."""
        rows = self.connection.execute(_UNFINISHED, ([run.id for run in runs], [run.dag for run in runs])).fetchone()
        return int(rows[0]) if rows else 0

    def phases(self, runs: Sequence[Run]) -> dict[str, float]:
        """Medians over the tasks of the runs, in seconds. One task alone has none before it: that phase is left out."""
        row = self.connection.execute(_PHASES, ([run.id for run in runs], [run.dag for run in runs])).fetchone()
        found = zip(PHASES, row or (), strict=False)
        return {phase: float(seconds) for phase, seconds in found if seconds is not None}

    def foreign_backends(self) -> frozenset[int]:
        """Backends that serve other databases, and our own."""
        return frozenset(int(row[0]) for row in self.connection.execute(_FOREIGN_BACKENDS, (WATCHER,)).fetchall())


@contextmanager
def watcher(installation: Installation) -> Iterator[Watcher]:
    """A connection to the installation's database, for as long as the block lasts."""
    with psycopg.connect(installation.database(), autocommit=True, application_name=WATCHER) as connection:
        yield Watcher(connection)


def trigger(installation: Installation, dag: str) -> Run:
    """Trigger once. Raises CannotMeasure when that is refused."""
    answer = installation.call("POST", f"/dags/{dag}/dagRuns", {"logical_date": None})
    if not answer.is_fine:
        raise CannotMeasure(f"cannot trigger {dag} at {installation.contender}: {answer.status} {answer.document}")
    return Run(dag, answer.document["dag_run_id"])


def perform(installation: Installation, dags: Sequence[str], watch: Watcher, *, tasks: int) -> tuple[Run, ...]:
    """Trigger all DAGs at once and return when every run has succeeded."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        runs = tuple(pool.map(lambda dag: trigger(installation, dag), dags))
    seconds_until(
        lambda: watch.unfinished(runs) == 0,
        limit=_SECONDS + _SECONDS_A_TASK * tasks,
        what=f"{installation.contender}'s {len(runs)} runs to end",
    )
    return runs


def seconds_of(installation: Installation, runs: Sequence[Run]) -> float:
    """From the first run's `queued_at` to the last one's `end_date`. Raises CannotMeasure when one did not succeed."""
    documents = [_document(installation, f"/dags/{run.dag}/dagRuns/{run.id}") for run in runs]
    for document in documents:
        if document["state"] != "success":
            raise CannotMeasure(f"cannot measure {installation.contender}: a run ended {document['state']}")
    queued = min(datetime.fromisoformat(document["queued_at"]) for document in documents)
    ended = max(datetime.fromisoformat(document["end_date"]) for document in documents)
    return (ended - queued).total_seconds()


def start_of(installation: Installation, run: Run) -> datetime:
    """`start_date` of the run's earliest task instance."""
    found = _document(installation, f"/dags/{run.dag}/dagRuns/{run.id}/taskInstances")["task_instances"]
    return min(datetime.fromisoformat(instance["start_date"]) for instance in found)


def await_known(installation: Installation, dags: Sequence[str], *, limit: float = 180) -> None:
    """Return when the REST API knows all of them, and takes none of them for one whose file has gone."""

    def is_there(dag: str) -> bool:
        answer = installation.call("GET", f"/dags/{dag}")
        return answer.is_fine and not answer.document["is_stale"]

    for dag in dags:
        seconds_until(
            lambda dag=dag: is_there(dag),  # type: ignore[misc]
            limit=limit,
            what=f"{installation.contender}'s DAG {dag} to be known",
        )


def rest(seconds: float) -> None:
    """Let what a run leaves behind come to its end: task processes that are being waited for, results on their way."""
    time.sleep(seconds)


def _document(installation: Installation, path: str) -> Any:
    answer = installation.call("GET", path)
    if not answer.is_fine:
        raise CannotMeasure(f"cannot read {path} of {installation.contender}: {answer.status} {answer.document}")
    return answer.document
