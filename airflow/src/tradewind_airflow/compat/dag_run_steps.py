"""Steps of a scheduler's pass that are made only when there may be anything to do for them.

`SchedulerJobRunner._do_scheduling` makes them in each pass. With an executor that is woken by each task's end there
are many passes a second, and nearly all find no DAG run to create or start; and while the executor is full, what
running ones may do next can wait up to a second, as it does in stock (`engine.news`); otherwise those are looked at
that were told of (`engine.looks`). Refilling the executor, the rest of a pass, is always done. Connections that a user
wants tested are looked for once a second, as in stock. Where Airflow's classes have other methods than we know, nothing
is replaced: every pass makes every step.
"""

import functools
import inspect
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import event, or_, tuple_

from tradewind_airflow.engine.looks import Looks, Run
from tradewind_airflow.engine.news import NEWS, Gate

# What the queries of the two steps read, as far as the database tells of it (`engine.triggers`).
_TABLES = ("dag", "dag_run", "dag_version", "asset_dag_run_queue", "asset_partition_dag_run")
_STEPS = {
    "_create_dagruns_for_dags": ("self", "guard", "session"),
    "_start_queued_dagruns": ("self", "session"),
}
# After a change of these any running DAG run may have something to do.
_TABLES_OF_ALL = ("dag",)
_TESTS = "_enqueue_connection_tests"
_EXAMINE = "get_running_dag_runs_to_examine"
_BATCH = "DEFAULT_DAGRUNS_TO_EXAMINE"
_SCHEDULE = "_schedule_all_dag_runs"
_PARAMETERS_OF_SCHEDULE = ("self", "guard", "dag_runs", "session")


def install() -> bool:
    """Replace the steps. False where this Airflow's are not the ones that we know."""
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.dagrun import DagRun

    examine, most = getattr(DagRun, _EXAMINE, None), getattr(DagRun, _BATCH, None)
    if examine is None or most is None or tuple(inspect.signature(examine).parameters) != ("session",):
        return False
    schedule = getattr(SchedulerJobRunner, _SCHEDULE, None)
    if schedule is None or tuple(inspect.signature(schedule).parameters) != _PARAMETERS_OF_SCHEDULE:
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
    gate = NEWS.gate(_TABLES_OF_ALL, time.monotonic)
    NEWS.looks = looks = Looks(most)
    setattr(SchedulerJobRunner, _SCHEDULE, _timed(looks, schedule))
    setattr(DagRun, _EXAMINE, staticmethod(_where_needed(gate, looks, examine, DagRun)))
    return True


def _behind(gate: Gate, step: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(step)
    def made_when_needed(*given: Any, **named: Any) -> Any:
        return step(*given, **named) if gate.opens(listening=NEWS.listening) else None

    return made_when_needed


def _timed(looks: Looks, schedule: Callable[..., Any]) -> Callable[..., Any]:
    """`_schedule_all_dag_runs`, telling what a look costs."""

    @functools.wraps(schedule)
    def schedule_and_tell(self: Any, guard: Any, dag_runs: Any, session: Any) -> Any:
        began = time.monotonic()
        done = schedule(self, guard, dag_runs, session)
        looks.took(len(dag_runs), time.monotonic() - began)
        return done

    return schedule_and_tell


def _where_needed(gate: Gate, looks: Looks, examine: Callable[..., Any], dag_run: Any) -> Callable[..., list[Any]]:
    """`get_running_dag_runs_to_examine`: a batch as in stock now and then, otherwise runs that were told of."""

    @functools.wraps(examine)
    def examined_when_needed(*, session: Any) -> list[Any]:
        has_started = NEWS.may_have_started()
        if gate.opens(listening=NEWS.listening, can_wait=NEWS.is_full, every=looks.pause):
            setattr(dag_run, _BATCH, looks.slice if NEWS.is_full else looks.most)
            try:
                runs = list(examine(session=session))
            finally:
                setattr(dag_run, _BATCH, looks.most)
            looks.batched([(run.dag_id, run.run_id) for run in runs])
            return runs
        if NEWS.is_full or not (looks.told or has_started):
            return []
        return _narrowed(examine, session, dag_run, looks.next())

    return examined_when_needed


def _narrowed(examine: Callable[..., Any], session: Any, dag_run: Any, runs: list[Run]) -> list[Any]:
    """Those of these runs, and of those that have just begun, that the stock query would find."""
    has_begun = dag_run.last_scheduling_decision.is_(None)
    wanted = or_(has_begun, tuple_(dag_run.dag_id, dag_run.run_id).in_(runs)) if runs else has_begun

    def narrow(state: Any) -> None:
        if state.is_select:
            state.statement = state.statement.where(wanted)

    event.listen(session, "do_orm_execute", narrow)
    try:
        return list(examine(session=session))
    finally:
        event.remove(session, "do_orm_execute", narrow)
