"""The DAG files that benchmarks deploy: as small as a DAG can be, so that not their work is what is measured.

Pure: a name to a file's text.
"""

MAX_ACTIVE_TASKS = 1000  # of one DAG: far above the slots, so that the default (16) limits nobody
_IMPORTS = "from airflow.sdk import DAG, task\n"


def once(name: str) -> str:
    """Runs once as soon as it is known, without anyone's doing: `airflow standalone` has nobody to trigger it.

    Its task is tried again after a second: standalone's scheduler may start it before the API server answers, and on a
    slow machine that try fails.
    """
    return f"""{_IMPORTS}
from datetime import datetime, timedelta

with DAG({name!r}, schedule="@once", start_date=datetime(2025, 1, 1), is_paused_upon_creation=False):

    @task(retries=10, retry_delay=timedelta(seconds=1))
    def say():
        return {name!r}

    say()
"""


def triggered(name: str) -> str:
    """Runs when it is triggered, and is not paused. Proves that an installation works; no time is taken from it alone.

    On a machine with much to do a server's first answers may come so late that a task fails: it is tried again.
    """
    return f"""{_IMPORTS}
from datetime import timedelta

with DAG({name!r}, schedule=None, is_paused_upon_creation=False):

    @task(retries=10, retry_delay=timedelta(seconds=1))
    def say():
        return {name!r}

    say()
"""


def paused(name: str, *tasks: str) -> str:
    """Paused from the start: it can be triggered, and its runs wait, so that no task disturbs what is measured next."""
    lines = [f"{_IMPORTS}", f"with DAG({name!r}, schedule=None, is_paused_upon_creation=True):"]
    for name_of_task in tasks:
        lines += ["", "    @task", f"    def {name_of_task}():", "        return None", "", f"    {name_of_task}()"]
    return "\n".join(lines) + "\n"


def lines(name: str, *, count: int, length: int, n: int) -> str:
    """`count` lines of `length` tasks, each fib(n) by recursion; nothing but the slots limits how many run at once."""
    return f"""{_IMPORTS}

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


@task
def work(n):
    return fib(n)


with DAG({name!r}, schedule=None, catchup=False, is_paused_upon_creation=False, max_active_tasks={MAX_ACTIVE_TASKS}):
    for line in range({count}):
        earlier = None
        for place in range({length}):
            here = work.override(task_id=f"work_{{line}}_{{place}}")({n})
            if earlier is not None:
                earlier >> here
            earlier = here
"""
