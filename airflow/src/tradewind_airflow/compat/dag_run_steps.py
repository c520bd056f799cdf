"""Two steps of a scheduler's pass, creating and starting DAG runs, made only when there may be any.

`SchedulerJobRunner._do_scheduling` calls them first in each pass. With an executor that is woken by each task's end
there are many passes a second, and nearly all find no DAG run to create or start (`engine.news`). Nothing else of the
pass changes. Where Airflow's class has other methods than we know, nothing is replaced: every pass makes every step.
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


def install() -> bool:
    """Replace both steps. False where this Airflow's are not the ones that we know."""
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

    for name, parameters in _STEPS.items():
        step = getattr(SchedulerJobRunner, name, None)
        if step is None or tuple(inspect.signature(step).parameters) != parameters:
            return False
    for name in _STEPS:
        gate = NEWS.gate(_TABLES, time.monotonic)
        setattr(SchedulerJobRunner, name, _behind(gate, getattr(SchedulerJobRunner, name)))
    return True


def _behind(gate: Gate, step: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(step)
    def made_when_needed(*given: Any, **named: Any) -> Any:
        return step(*given, **named) if gate.opens(listening=NEWS.listening) else None

    return made_when_needed
