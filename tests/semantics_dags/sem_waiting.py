"""Waiting without a slot: deferral, rescheduling, other DAGs, assets.

Triggers are those of the standard provider: stock's triggerer does not look for code in a DAG bundle.
"""

import datetime as dt

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import Asset, BaseOperator, Metadata, dag, get_current_context, task
from airflow.triggers.base import BaseTrigger, TriggerEvent
from semantics_notes import NOTES, note

THING = Asset(name="sem_thing", uri="sem://thing")


class OfDagFile(BaseTrigger):
    """A trigger that only this file knows."""

    def serialize(self):
        return "sem_waiting.OfDagFile", {}

    async def run(self):
        yield TriggerEvent("never")


class Defers(BaseOperator):
    """Defers as often as it is told to."""

    def __init__(self, *, seconds=1.0, times=1, limit=None, fails=False, own=False, **given):
        super().__init__(**given)
        self.seconds, self.times, self.limit, self.fails, self.own = seconds, times, limit, fails, own

    def execute(self, context):
        note("execute", of=context["ti"].try_number)
        context["ti"].xcom_push("before", "kept")
        self._defer(1)

    def _defer(self, number):
        timeout = None if self.limit is None else dt.timedelta(seconds=self.limit)
        trigger = OfDagFile() if self.own else TimeDeltaTrigger(dt.timedelta(seconds=self.seconds))
        self.defer(trigger=trigger, method_name="resume", kwargs={"number": number}, timeout=timeout)

    def resume(self, context, event, number):
        ti = context["ti"]
        note("resume", number=number, of=ti.try_number)
        if number < self.times:
            self._defer(number + 1)
        if self.fails and ti.try_number == 1:
            raise ValueError("resumed and failed")
        kind = type(event).__name__
        return {"event": kind, "number": number, "before": ti.xcom_pull(task_ids=self.task_id, key="before")}


@dag(schedule=None, tags=["semantics"])
def sem_waiting():
    Defers(task_id="defers_once")
    Defers(task_id="defers_twice", times=2, seconds=0.5)
    Defers(task_id="trigger_of_dag_file", own=True)
    Defers(task_id="deferral_times_out", seconds=600, limit=2)
    Defers(task_id="resumed_and_failed", fails=True, retries=1, retry_delay=dt.timedelta(0))
    TimeDeltaSensor(task_id="time_delta_deferrable", delta=dt.timedelta(seconds=1), deferrable=True)
    DateTimeSensorAsync(
        task_id="date_time_async", target_time="{{ (dag_run.run_after + macros.timedelta(seconds=2)).isoformat() }}"
    )

    def third_time(**context):
        note("poke", of=context["ti"].try_number)
        mine = f'"run": "{context["run_id"]}", "task": "{context["task"].task_id}"'
        return sum(mine in line and '"poke"' in line for line in NOTES.read_text().splitlines()) >= 3

    # longer than stock needs to hear that the last poke has ended
    task.sensor(task_id="rescheduled", mode="reschedule", poke_interval=15, timeout=240)(third_time)()
    task.sensor(task_id="rescheduled_quickly", mode="reschedule", poke_interval=1, timeout=240)(third_time)()
    task.sensor(task_id="poked", mode="poke", poke_interval=1, timeout=240)(third_time)()

    def never():
        return False

    task.sensor(task_id="times_out", mode="reschedule", poke_interval=15, timeout=2, retries=2)(never)()
    task.sensor(task_id="times_out_softly", mode="poke", poke_interval=1, timeout=1, soft_fail=True)(never)()

    children = {"trigger_dag_id": "sem_child", "wait_for_completion": True, "poke_interval": 1}
    for kind, more in {"waited": {}, "fail": {}, "deferred": {"deferrable": True}}.items():
        run = f"{kind}__{{{{ run_id }}}}"
        TriggerDagRunOperator(task_id=f"run_child_{kind}", trigger_run_id=run, conf={"word": kind}, **children, **more)

    @task(outlets=[THING])
    def update():
        yield Metadata(THING, {"rows": 5})

    @task(outlets=[THING])
    def update_and_fail():
        raise ValueError("no event comes of this")

    update()
    update_and_fail()


@dag(schedule=None, tags=["semantics"])
def sem_child():
    @task
    def say():
        word = get_current_context()["dag_run"].conf["word"]
        if word == "fail":
            raise ValueError("as asked")
        return word

    say()


@dag(schedule=[THING], tags=["semantics"], is_paused_upon_creation=False)
def sem_of_asset():
    @task
    def heard(triggering_asset_events=None):
        return [
            {"uri": event.asset.uri, "extra": event.extra, "source": event.source_task_id}
            for events in triggering_asset_events.values()
            for event in events
        ]

    heard()


sem_waiting()
sem_child()
sem_of_asset()
