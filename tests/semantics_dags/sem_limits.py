"""Pools, priorities, limits on how many at once, time limits, and what people do to running tasks."""

import datetime as dt
import subprocess
import time

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import BaseOperator, dag, get_current_context, task
from semantics_notes import note, note_of_shell

LONG = 3600
SHELL = f"{note_of_shell('start')}; sleep {LONG}; echo never"


def busy(seconds):
    note("start", map=get_current_context()["ti"].map_index)
    time.sleep(seconds)
    note("end", map=get_current_context()["ti"].map_index)


@dag(schedule=None, tags=["semantics"])
def sem_pools():
    @task(pool="sem_one", weight_rule="absolute")
    def pooled():
        busy(0.5)

    for number, weight in enumerate((1, 50, 5, 20)):
        pooled.override(task_id=f"weight_{weight}_{number}", priority_weight=weight)()

    @task(pool="sem_two", pool_slots=2)
    def takes_two():
        busy(0.5)

    for number in (1, 2):
        takes_two.override(task_id=f"takes_two_{number}")()

    @task(max_active_tis_per_dag=1)
    def one_at_a_time(number):
        busy(0.5)

    one_at_a_time.expand(number=[1, 2, 3])

    @task(pool="sem_no_such_pool")
    def nowhere():
        note("start")

    nowhere()


class Stubborn(BaseOperator):
    """Starts a child of its own, tells of it and does not end; notes when it is asked to."""

    def execute(self, context):
        child = subprocess.Popen(["sleep", str(LONG)])
        note("start", child=child.pid)
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline:
            time.sleep(1)
        note("end")

    def on_kill(self):
        note("on_kill")


@dag(schedule=None, tags=["semantics"])
def sem_time_limits():
    limit = {"execution_timeout": dt.timedelta(seconds=5)}

    @task(**limit)
    def sleeps():
        note("start")
        time.sleep(LONG)
        note("end")

    @task(retries=1, retry_delay=dt.timedelta(0), **limit)
    def sleeps_once():
        note("start")
        if get_current_context()["ti"].try_number == 1:
            time.sleep(LONG)
        return "second"

    @task(**limit)
    def waits_for_a_child():
        """`subprocess.run` kills its child when it is left by an exception."""
        note("start")
        subprocess.run(["sleep", str(LONG)], check=True)

    @task(**limit)
    def catches_everything():
        """AirflowTaskTimeout is no Exception."""
        try:
            time.sleep(LONG)
        except Exception:  # noqa: BLE001  (that it does not help is the point)
            note("caught")
        return "caught"

    Stubborn(task_id="leaves_a_child", **limit)
    BashOperator(task_id="bash", append_env=True, bash_command=SHELL, **limit)
    for one in (sleeps, sleeps_once, waits_for_a_child, catches_everything):
        one()


def told(context):
    note("dag_failed", dag=context["dag"].dag_id, run=context["run_id"], reason=context.get("reason"))


def told_well(context):
    note("dag_succeeded", dag=context["dag"].dag_id, run=context["run_id"], reason=context.get("reason"))


@dag(schedule=None, tags=["semantics"], dagrun_timeout=dt.timedelta(seconds=45), on_failure_callback=told)
def sem_run_limit():
    Stubborn(task_id="outlasts") >> Stubborn(task_id="behind")


@dag(schedule=None, tags=["semantics"], on_failure_callback=told)
def sem_dag_fails():
    @task
    def fails():
        raise ValueError("as asked")

    fails()


@dag(schedule=None, tags=["semantics"], on_success_callback=told_well)
def sem_dag_succeeds():
    @task
    def passes():
        return "passed"

    passes()


@dag(schedule=None, tags=["semantics"])
def sem_marks():
    """The tests mark these through the API while they run."""
    Stubborn(task_id="to_fail")
    Stubborn(task_id="to_fail_with_retries", retries=2, retry_delay=dt.timedelta(0))
    Stubborn(task_id="to_succeed")
    BashOperator(task_id="bash_to_fail", append_env=True, bash_command=SHELL)

    @task
    def to_clear():
        note("start")
        return get_current_context()["ti"].try_number

    @task
    def behind_to_clear(given):
        note("start")
        return given

    behind_to_clear(to_clear())


@dag(schedule=None, tags=["semantics"])
def sem_past():
    """Two runs; the first one's task fails."""

    @task(depends_on_past=True)
    def once_only():
        note("start")
        if "first" in get_current_context()["run_id"]:
            raise ValueError("the first run fails")
        return "ran"

    once_only()


for one in (sem_pools, sem_time_limits, sem_run_limit, sem_dag_fails, sem_dag_succeeds, sem_marks, sem_past):
    one()
