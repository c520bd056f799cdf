"""Steps of a scheduler's pass that are made only when there may be anything to do for them.

`SchedulerJobRunner._do_scheduling` makes them in each pass. With an executor that is woken by each task's end there
are many passes a second, and nearly all find no DAG run to create or start; and while the executor is full, what
running ones may do next can wait up to a second, as it does in stock (`engine.news`). Refilling the executor, the
rest of a pass, is always done. Connections that a user wants tested are looked for once a second, as in stock. Where
Airflow's classes have other methods than we know, nothing is replaced: every pass makes every step.
"""

import functools
import inspect
import time
from collections.abc import Callable
from typing import Any

from tradewind_airflow.engine.news import NEWS, Gate

# What the queries of the two steps read, as far as the database tells of it (`engine.triggers`).
_TABLES = ("dag", "dag_run", "dag_version", "asset_dag_run_queue", "asset_partition_dag_run")
_STEPS = {
    "_create_dagruns_for_dags": ("self", "guard", "session"),
    "_start_queued_dagruns": ("self", "session"),
}
# What a running DAG run may do next depends on these, and on time.
_TABLES_OF_RUNNING = (*_TABLES, "task_instance")
_TESTS = "_enqueue_connection_tests"
_EXAMINE = "get_running_dag_runs_to_examine"


def install() -> bool:
    """Replace the steps. False where this Airflow's are not the ones that we know."""
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.dagrun import DagRun

    examine, most = getattr(DagRun, _EXAMINE, None), getattr(DagRun, "DEFAULT_DAGRUNS_TO_EXAMINE", None)
    if examine is None or most is None or tuple(inspect.signature(examine).parameters) != ("session",):
        return False

    for name, parameters in _STEPS.items():
        step = getattr(SchedulerJobRunner, name, None)
        if step is None or tuple(inspect.signature(step).parameters) != parameters:
            return False
    for name in _STEPS:
        gate = NEWS.gate(_TABLES, time.monotonic)
        setattr(SchedulerJobRunner, name, _behind(gate, getattr(SchedulerJobRunner, name)))
    tests = getattr(SchedulerJobRunner, _TESTS, None)  # Airflow before 3.3 has none
    if tests is not None and tuple(inspect.signature(tests).parameters) == ("self", "session"):
        setattr(SchedulerJobRunner, _TESTS, _behind(NEWS.gate((), time.monotonic), tests))
    gate = NEWS.gate(_TABLES_OF_RUNNING, time.monotonic)
    setattr(DagRun, _EXAMINE, staticmethod(_while_not_full(gate, examine, most)))
    return True


def _behind(gate: Gate, step: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(step)
    def made_when_needed(*given: Any, **named: Any) -> Any:
        return step(*given, **named) if gate.opens(listening=NEWS.listening) else None

    return made_when_needed


def _while_not_full(gate: Gate, examine: Callable[..., Any], most: int) -> Callable[..., list[Any]]:
    @functools.wraps(examine)
    def examined_when_needed(*given: Any, **named: Any) -> list[Any]:
        if not gate.opens(listening=NEWS.listening, can_wait=NEWS.is_full):
            return []
        runs = list(examine(*given, **named))
        if len(runs) >= most:  # the others are for the next passes
            gate.stay_open()
        return runs

    return examined_when_needed
