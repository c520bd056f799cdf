"""The ways in which a task's process can end."""

import os
import time

from airflow.sdk import BaseOperator, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from semantics_notes import note


class MeetsTerm(BaseOperator):
    """Sends itself SIGTERM."""

    def execute(self, context):
        import signal

        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
        return "went on"

    def on_kill(self):
        note("on_kill")


class Own(BaseException):
    """Neither an Exception nor one of Python's own."""


@dag(schedule=None, tags=["semantics"])
def sem_exits():  # noqa: C901, PLR0915  (a list of tasks, not a function)
    @task
    def sys_exit_0():
        raise SystemExit(0)

    @task
    def sys_exit_3():
        raise SystemExit(3)

    @task(retries=1, retry_delay=0)
    def sys_exit_retried():
        note("start")
        if get_current_context()["ti"].try_number == 1:
            raise SystemExit(3)
        return "second"

    @task
    def os_exit_0():
        os._exit(0)

    @task
    def os_exit_7():
        os._exit(7)

    @task(retries=1, retry_delay=0)
    def os_exit_retried():
        note("start")
        if get_current_context()["ti"].try_number == 1:
            os._exit(7)
        return "second"

    @task
    def killed():
        os.kill(os.getpid(), 9)

    @task(retries=1, retry_delay=0)
    def killed_retried():
        note("start")
        if get_current_context()["ti"].try_number == 1:
            os.kill(os.getpid(), 9)
        return "second"

    @task
    def sent_segv():
        os.kill(os.getpid(), 11)
        time.sleep(0.2)
        return "went on"

    @task
    def aborted():
        os.abort()

    @task
    def interrupted():
        os.kill(os.getpid(), 2)

    @task
    def keyboard_interrupt():
        raise KeyboardInterrupt

    @task
    def raises():
        raise ValueError("as asked")

    @task
    def raises_own_base_exception():
        raise Own

    @task(retries=3, retry_delay=0)
    def fail_exception():
        note("start")
        raise AirflowFailException("never again")

    @task
    def skip_exception():
        raise AirflowSkipException("not today")

    @task
    def cannot_be_sent():
        return object()

    @task
    def thread_left():
        """A thread that is no daemon and would go on for a long time."""
        import threading

        def later():
            time.sleep(120)
            note("thread went on")

        note("start")
        threading.Thread(target=later).start()
        return "done"

    @task
    def at_exit():
        import atexit

        atexit.register(note, "atexit")
        return "done"

    @task
    def at_exit_of_failed():
        import atexit

        atexit.register(note, "atexit")
        raise ValueError("as asked")

    @task
    def child_left():
        """A child that holds the task's standard output and lives longer than the task."""
        import subprocess

        child = subprocess.Popen(["sleep", "3600"])
        note("child", child=child.pid)
        return child.pid

    @task
    def child_left_by_failed():
        import subprocess

        child = subprocess.Popen(["sleep", "3600"])
        note("child", child=child.pid)
        raise ValueError("as asked")

    @task
    def memory_limit():
        """Out of memory as Python sees it."""
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (600_000_000, 600_000_000))
        return len(bytearray(2_000_000_000))

    @task
    def bystander():
        """Runs while the others die."""
        note("start")
        time.sleep(4)
        note("end")
        return "unharmed"

    MeetsTerm(task_id="terminated_by_itself")
    for one in (
        bystander, sys_exit_0, sys_exit_3, sys_exit_retried, os_exit_0, os_exit_7, os_exit_retried, killed,
        killed_retried, sent_segv, aborted, interrupted, keyboard_interrupt, raises, raises_own_base_exception,
        fail_exception, skip_exception, cannot_be_sent, thread_left, at_exit, at_exit_of_failed, child_left,
        child_left_by_failed, memory_limit,
    ):  # fmt: skip
        one()


@dag(schedule=None, tags=["semantics"])
def sem_segfault():
    """Of its own: under stock its process would spin for ever."""

    @task
    def segmentation_fault():
        import ctypes

        ctypes.string_at(0)

    segmentation_fault()


sem_exits()
sem_segfault()
