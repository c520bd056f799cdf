"""A task that takes some seconds and survives being tried again."""

import datetime as dt

from airflow.sdk import dag, task


@dag(schedule=None, tags=["tests"])
def slow():
    @task(retries=3, retry_delay=dt.timedelta(seconds=1))
    def wait() -> str:
        import time

        time.sleep(8)
        return "rested"

    wait()


slow()
