"""Tries and callbacks. A Variable that changes between two tries, read at import and in the task."""

import datetime as dt
import os

from airflow.sdk import Variable, dag, get_current_context, task
from semantics_notes import note

AT_IMPORT = Variable.get("sem_changed_between_tries", default="undefined")


def told(kind):
    """A callback that notes that it was called, and where."""

    def callback(context):
        ti = context["ti"]
        note(kind, task=ti.task_id, of=ti.try_number, error=repr(context.get("exception")), state=str(ti.state))

    return callback


CALLBACKS = {
    f"on_{kind}_callback": told(f"on_{kind}") for kind in ("execute", "success", "failure", "retry", "skipped")
}


def breaks(context):
    raise RuntimeError("a callback that raises")


@dag(schedule=None, tags=["semantics"])
def sem_retries():  # noqa: C901  (a list of tasks, not a function)
    def fails_until(last):
        number = get_current_context()["ti"].try_number
        note("start")
        if number < last:
            raise ValueError(f"try {number}")
        return number

    @task(retries=2, retry_delay=dt.timedelta(0), **CALLBACKS)
    def at_once():
        return fails_until(3)

    @task(retries=1, retry_delay=dt.timedelta(seconds=2))
    def after_two_seconds():
        return fails_until(2)

    @task(retries=2, retry_delay=dt.timedelta(seconds=1), retry_exponential_backoff=True)
    def exponential():
        return fails_until(3)

    @task(retries=1, retry_delay=dt.timedelta(seconds=60), retry_exponential_backoff=True,
          max_retry_delay=dt.timedelta(seconds=2))  # fmt: skip
    def exponential_with_a_ceiling():
        return fails_until(2)

    @task(retries=1, retry_delay=dt.timedelta(0), **CALLBACKS)
    def exhausted():
        return fails_until(99)

    @task(**CALLBACKS)
    def killed():
        os.kill(os.getpid(), 9)

    @task(on_success_callback=breaks)
    def callback_raises():
        return "fine"

    @task(**CALLBACKS)
    def skipped():
        from airflow.sdk.exceptions import AirflowSkipException

        raise AirflowSkipException

    @task(retries=1, retry_delay=dt.timedelta(0))
    def sees_change():
        ti = get_current_context()["ti"]
        note("read", at_import=AT_IMPORT, in_task=Variable.get("sem_changed_between_tries", default="undefined"))
        ti.xcom_push("of_try", ti.try_number)
        if ti.try_number == 1:
            Variable.set("sem_changed_between_tries", "second")
            raise ValueError("again, please")
        return {"at_import": AT_IMPORT, "in_task": Variable.get("sem_changed_between_tries"),
                "own": ti.xcom_pull(task_ids="sees_change", key="of_try")}  # fmt: skip

    @task(retries=1, retry_delay=dt.timedelta(0))
    def clears_its_xcoms():
        """What the first try pushed is gone in the second."""
        ti = get_current_context()["ti"]
        if ti.try_number == 1:
            ti.xcom_push("left", "by the first try")
            raise ValueError("again, please")
        return ti.xcom_pull(task_ids="clears_its_xcoms", key="left")

    for one in (at_once, after_two_seconds, exponential, exponential_with_a_ceiling, exhausted, killed,
                callback_raises, skipped, sees_change, clears_its_xcoms):  # fmt: skip
        one()


sem_retries()
