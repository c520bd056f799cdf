"""The contract of endings: what each way for a task's process to end means for its try."""

import pytest

from tests.scenario.engines import Engine, gone

pytestmark = pytest.mark.timeout(900)
DAG = "sem_exits"

# Task, its final state, how many tries it took. Surprises of stock are marked.
ENDINGS = [
    ("sys_exit_0", "failed", 1),  # SystemExit is a failure, whatever its code
    ("sys_exit_3", "failed", 1),
    ("sys_exit_retried", "success", 2),
    ("os_exit_0", "failed", 1),  # the process says nothing: the scheduler finds "running" whose executor has ended
    ("os_exit_7", "failed", 1),
    ("os_exit_retried", "success", 2),
    ("killed", "failed", 1),
    ("killed_retried", "success", 2),
    ("aborted", "failed", 1),
    ("interrupted", "failed", 1),  # SIGINT ends the process: no KeyboardInterrupt
    ("keyboard_interrupt", "failed", 1),
    ("raises", "failed", 1),
    ("raises_own_base_exception", "failed", 1),
    ("fail_exception", "failed", 1),  # AirflowFailException takes no retry, though there are three
    ("skip_exception", "skipped", 1),
    ("cannot_be_sent", "failed", 1),  # the result is no XCom
    ("thread_left", "success", 1),
    ("at_exit", "success", 1),
    ("at_exit_of_failed", "failed", 1),
    ("child_left", "success", 1),
    ("child_left_by_failed", "failed", 1),
    ("memory_limit", "failed", 1),
    ("terminated_by_itself", "success", 1),  # SIGTERM runs on_kill and ends nothing
    ("bystander", "success", 1),
]


@pytest.mark.parametrize(("task", "state", "tries"), ENDINGS, ids=[one[0] for one in ENDINGS])
def test_ending(engine: Engine, task: str, state: str, tries: int) -> None:
    assert engine.task(DAG, task) == (state, tries)


@pytest.mark.parametrize("task", ["sys_exit_retried", "os_exit_retried", "killed_retried"])
def test_a_retried_try_starts_once_each(engine: Engine, task: str) -> None:
    engine.ended(DAG)
    starts = engine.notes(DAG, task, "start")
    assert [one["try"] for one in starts] == [1, 2]
    assert starts[0]["pid"] != starts[1]["pid"]


def test_a_killed_process_is_told_as_out_of_memory(engine: Engine) -> None:
    assert "Process terminated by signal. Likely out of memory error (OOM)." in engine.said(DAG, "killed")


@pytest.mark.parametrize(("task", "text"), [
    ("os_exit_7", "Process exited abnormally"),
    ("interrupted", "Process terminated by signal."),
    ("aborted", "Process terminated by signal."),
    ("sys_exit_3", "Task exited"),
    ("memory_limit", "Task failed with exception"),
])  # fmt: skip
def test_the_log_tells_how_it_ended(engine: Engine, task: str, text: str) -> None:
    assert text in engine.said(DAG, task)


def test_a_death_kills_only_its_own_task(engine: Engine) -> None:
    """While others die around it, a task runs from start to end, in one process."""
    engine.ended(DAG)
    start, end = engine.note(DAG, "bystander", "start"), engine.note(DAG, "bystander", "end")
    assert start["pid"] == end["pid"]


def test_sigterm_runs_on_kill_and_the_task_goes_on(engine: Engine) -> None:
    assert engine.xcom(DAG, "terminated_by_itself") == "went on"
    assert engine.note(DAG, "terminated_by_itself", "on_kill")


def test_a_thread_that_still_runs_does_not_hold_the_task(engine: Engine) -> None:
    """Python would wait for it; the task's process ends by os._exit."""
    assert engine.ended(DAG)["thread_left", -1]["duration"] < 100
    start = engine.note(DAG, "thread_left", "start")
    assert gone(start["pid"], start["at"], seconds=30)
    assert engine.notes(DAG, "thread_left", "thread went on") == []


@pytest.mark.parametrize("task", ["at_exit", "at_exit_of_failed"])
def test_handlers_that_a_task_registers_with_atexit_run(engine: Engine, task: str) -> None:
    engine.ended(DAG)
    assert len(engine.notes(DAG, task, "atexit")) == 1


@pytest.mark.parametrize("task", ["child_left", "child_left_by_failed"])
def test_a_child_that_a_finished_task_leaves_lives_on(engine: Engine, task: str) -> None:
    """Nobody sends a signal to the group of a task that ended by itself; its open stdout holds the slot for a while."""
    engine.ended(DAG)
    left = engine.note(DAG, task, "child")
    assert not gone(left["child"], left["at"])
    assert gone(left["pid"], left["at"], seconds=30)


def test_a_segmentation_fault_ends_the_task(engine: Engine) -> None:
    if engine.is_stock:
        pytest.skip("Celery's handler has a stock task spin at the faulting instruction for ever")
    engine.state("sem_time_limits")
    engine.start("sem_segfault")
    assert engine.state("sem_segfault") == "failed"
    assert "Received SIGSEGV" in engine.said("sem_segfault", "segmentation_fault")
