"""Work for the test under kill -9: a fan, a mapped fan, chains. Each try says when it starts and when it ends.

`TASKS` is replaced by the test. Two fifths are one mapped task, one fifth a fan of tasks of their own (every fourth a
shell command), the rest chains of ten. A line is one `write` to a file opened for appending, so a death tears none.
"""

import datetime as dt

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag, get_current_context, task
from semantics_notes import note, note_of_shell

TASKS = 500
AGAIN = {"retries": 4, "retry_delay": dt.timedelta(seconds=1)}


def work():
    import random
    import time

    ti = get_current_context()["ti"]
    which = {"map": ti.map_index, "ti": str(ti.id)}
    note("start", **which)
    time.sleep(random.random())
    note("end", **which)


@dag(schedule=None, tags=["chaos"])
def chaos_mapped():
    @task(**AGAIN)
    def one(number):
        work()

    one.expand(number=list(range(TASKS * 2 // 5)))


@dag(schedule=None, tags=["chaos"])
def chaos_fan():
    @task(**AGAIN)
    def one():
        work()

    for number in range(TASKS // 5):
        if number % 4 == 0:
            command = f"{note_of_shell('start')}; sleep 0.$((RANDOM % 10)); {note_of_shell('end')}"
            BashOperator(task_id=f"shell_{number}", bash_command=command, append_env=True, **AGAIN)
        else:
            one.override(task_id=f"one_{number}")()


@dag(schedule=None, tags=["chaos"])
def chaos_chains():
    @task(**AGAIN)
    def one():
        work()

    left = TASKS - TASKS * 2 // 5 - TASKS // 5
    for chain in range((left + 9) // 10):
        before = None
        for link in range(min(10, left - chain * 10)):
            this = one.override(task_id=f"chain_{chain}_{link}")()
            if before is not None:
                before >> this
            before = this


@dag(schedule=None, tags=["chaos"])
def chaos_long():
    @task(**AGAIN)
    def lasts():
        import time

        note("start", ti=str(get_current_context()["ti"].id))
        if get_current_context()["ti"].try_number == 1:
            time.sleep(600)
            note("end")

    lasts()


chaos_long()
chaos_mapped()
chaos_fan()
chaos_chains()
