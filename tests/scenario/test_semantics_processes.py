"""The contract of a task's process: its own in every respect, with stock's surroundings, connected to nothing else.

A DAG runs the same look twice, then a task that leaves behind all that a process can, then three looks more: once
from a file that each process has to execute (`sem_process`), once from one whose parse may be inherited (`sem_closed`).
"""

import os
import re
from typing import Any

import pytest

from tests.scenario.engines import Engine
from tests.scenario.insight import row_of

pytestmark = pytest.mark.timeout(900)
LOOKS = ("look_1", "look_2", "look_after_1", "look_after_2", "look_after_3")
OPEN, CLOSED = "sem_process", "sem_closed"


@pytest.fixture(params=[OPEN, CLOSED])
def dag(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def looks(engine: Engine, dag: str) -> list[dict[str, Any]]:
    return [engine.xcom(dag, task) for task in LOOKS]


def test_the_run_succeeds(engine: Engine, dag: str) -> None:
    assert engine.state(dag) == "success"


def test_a_task_has_its_own_process_and_process_group(engine: Engine, dag: str) -> None:
    seen = looks(engine, dag)
    assert len({one["pid"] for one in seen}) == len(seen)
    assert all(one["group"] == one["pid"] for one in seen)
    assert all(one["parents_group"] != one["group"] for one in seen)


def test_a_task_is_one_thread(engine: Engine, dag: str) -> None:
    for one in looks(engine, dag):
        assert one["threads"] == ["MainThread"]
        assert one["kernel_threads"] == 1


def test_the_process_is_titled_by_its_task_instance(engine: Engine, dag: str) -> None:
    ids = {engine.ended(dag)[task, -1]["id"]: engine.xcom(dag, task) for task in LOOKS}
    for id_, one in ids.items():
        assert one["title"] == f"airflow worker -- {id_}"
        from_zygote = dag == CLOSED and not engine.is_stock
        expected = "airflow zygote -- sem_closed.py" if from_zygote else f"airflow supervisor: {id_}"
        assert one["parents_title"] == expected


def test_a_file_that_asks_is_executed_in_each_tasks_own_process(engine: Engine) -> None:
    """A file that reads a Variable at import must be executed anew: it may have changed."""
    seen = looks(engine, OPEN)
    assert all(one["executed_in"] == one["pid"] for one in seen)
    assert len({one["executed_at"] for one in seen}) == len(seen)


@pytest.mark.parametrize("source", ["random", "import", "uuid4", "secrets", "urandom", "numpy"])
def test_random_numbers_differ_between_tasks(engine: Engine, dag: str, source: str) -> None:
    drawn = [one["drawn"].get(source) for one in looks(engine, dag)]
    if drawn == [None] * len(drawn):
        pytest.skip(f"{source} is not in this runtime, or not asked by this file")
    assert len(set(drawn)) == len(drawn)


def test_no_task_inherits_a_connection_to_the_database_or_the_api(engine: Engine, dag: str) -> None:
    """Stock's tasks inherit the slot's connection to the broker (Celery's fork); ours may have none at all."""
    _, ports = row_of(engine.service, engine.name)
    for one in looks(engine, dag):
        peers = [socket["peer"] for socket in one["sockets"] if socket["family"] != "AF_UNIX"]
        if engine.is_stock:
            assert set(peers) <= {str(("127.0.0.1", ports["broker"]))}
        else:
            assert peers == []


def test_the_only_sockets_are_the_four_channels_to_the_supervisor(engine: Engine, dag: str) -> None:
    """Requests (0), stdout (1), stderr (2) and logs; stock leaves three of them open a second time."""
    for one in looks(engine, dag):
        local = [socket["fd"] for socket in one["sockets"] if socket["family"] == "AF_UNIX"]
        assert local[:3] == [0, 1, 2]
        inodes = {link for link in one["files"].values() if link.startswith("socket:")}
        connections = len(one["sockets"]) - len(local)
        assert len(inodes) - connections == 4


def test_no_signal_is_blocked(engine: Engine, dag: str) -> None:
    assert all(one["blocked_signals"] == 0 and one["wakeup_fd"] == -1 for one in looks(engine, dag))


def test_signals_are_handled_as_in_stock(engine: Engine, dag: str) -> None:
    for one in looks(engine, dag):
        signals = one["signals"]
        assert "_run_task_and_map_outcome" in signals["SIGTERM"]  # runs on_kill, and the task goes on
        assert signals["SIGINT"] == "0"  # SIG_DFL: no KeyboardInterrupt
        assert signals["SIGUSR2"] == "0"
        assert signals["SIGCHLD"] == "0"
        assert signals["SIGPIPE"] == "1"  # SIG_IGN, as Python sets it
        if not engine.is_stock:
            # Stock's tasks inherit Celery's handlers, which mean nothing in them: a SIGSEGV has a task spin for ever.
            assert {signals[name] for name in ("SIGHUP", "SIGQUIT", "SIGUSR1", "SIGSEGV")} == {"0"}


def test_a_task_works_in_the_environments_home(engine: Engine, dag: str) -> None:
    home = str(engine.root / "home")
    for one in looks(engine, dag):
        assert one["cwd"] == one["environ"]["HOME"] == one["environ"]["AIRFLOW_HOME"] == home


def test_the_umask_is_that_of_the_worker(engine: Engine, dag: str) -> None:
    assert {one["umask"] for one in looks(engine, dag)} == {0o027}


def test_the_priority_and_the_limits_are_that_of_the_worker(engine: Engine, dag: str) -> None:
    seen = looks(engine, dag)
    assert {one["nice"] for one in seen} == {0}
    assert all(one["limits"] == seen[0]["limits"] for one in seen)
    core = seen[0]["limits"]["RLIMIT_AS"]
    assert "-1" in str(core), "memory of a task is not limited"


def test_a_task_cannot_be_read_by_its_neighbours(engine: Engine, dag: str) -> None:
    assert {one["dumpable"] for one in looks(engine, dag)} == {0}


def test_variables_of_the_context_are_set(engine: Engine, dag: str) -> None:
    for task in LOOKS:
        given = engine.xcom(dag, task)["context_variables"]
        assert given == {
            "AIRFLOW_CTX_DAG_ID": dag, "AIRFLOW_CTX_TASK_ID": task, "AIRFLOW_CTX_DAG_RUN_ID": engine.runs[dag],
            "AIRFLOW_CTX_TRY_NUMBER": "1", "AIRFLOW_CTX_DAG_OWNER": "airflow",
        }  # fmt: skip


def test_variables_of_the_process_are_those_of_the_worker(engine: Engine, dag: str) -> None:
    """No secret but the broker's password, MWAA's own variables, no trace of another task."""
    for one in looks(engine, dag):
        environ = one["environ"]
        assert environ["AIRFLOW_ENV_NAME"] == engine.name
        assert environ["MWAA_AIRFLOW_COMPONENT"] == "worker"
        assert environ["AIRFLOW__CORE__FERNET_KEY"] == ""
        assert environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "airflow-db-not-allowed:///"
        assert "AIRFLOW__API_AUTH__JWT_SECRET" not in environ
        assert "SEM_LEAKED" not in environ


def test_what_one_task_changes_in_its_process_another_does_not_see(engine: Engine, dag: str) -> None:
    before = engine.xcom(dag, "look_1")
    for one in (engine.xcom(dag, task) for task in LOOKS[2:]):
        assert one["leaked"] == []
        assert one["socket_timeout"] is None
        assert "/leaked" not in one["path"]
        assert one["signals"]["SIGUSR1"] != "1"
        for same in ("path", "cwd", "umask", "locale", "argv", "root_level"):
            assert one[same] == before[same], same


def test_code_comes_from_the_bundle_version_of_the_run(engine: Engine, dag: str) -> None:
    version = engine.rest("GET", engine.path(dag))["bundle_version"]
    for one in looks(engine, dag):
        assert one["path"][-1].endswith(f"/versions/{version}")


def test_log_url_leads_to_the_try(engine: Engine, dag: str) -> None:
    url = engine.xcom(dag, "look_1")["log_url"]
    assert url.startswith("https://")
    assert re.search(rf"/dags/{dag}/runs/manual__[^/]+/tasks/look_1\?try_number=1$", url)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's processes all run as that user")
def test_a_task_runs_as_the_environments_user(engine: Engine, dag: str) -> None:
    assert (engine.root / "home" / "semantics-notes.jsonl").stat().st_uid != 0


def test_a_shell_command_runs_with_the_context(engine: Engine, dag: str) -> None:
    """BashOperator: its own directory, which is gone afterwards; the last line is the XCom."""
    assert engine.xcom(dag, "bash") == f"{dag}.bash.1 bash"
    said = engine.said(dag, "bash")
    assert "to-stderr" in said
    assert re.search(r"pid \d+ parent \d+ of bash", said)
    assert "/tmp/airflowtmp" in said


def events(engine: Engine, dag: str, task: str, number: int = 1) -> list[dict[str, Any]]:
    return [line for line in engine.log(dag, task, number) if isinstance(line, dict)]


def find(lines: list[dict[str, Any]], text: str) -> dict[str, Any]:
    found = [line for line in lines if text in str(line["event"])]
    assert len(found) == 1, (text, found)
    return found[0]


def test_a_log_opens_with_its_source(engine: Engine, dag: str) -> None:
    lines = events(engine, dag, "speak")
    assert lines[0]["event"] == "::group::Log message source details"
    assert lines[1]["event"].endswith("/task_id=speak/attempt=1.log")
    texts = [line["event"] for line in lines]
    order = [
        texts.index("::group::Pre Execute"), texts.index("said at info"), texts.index("said at error"),
        texts.index("::group::Post Execute"),
    ]  # fmt: skip
    assert order == sorted(order)
    assert texts.index("printed to stdout") > order[0]  # a channel of its own: it may come last of all


def test_prints_are_in_the_log_with_the_stream_as_logger(engine: Engine, dag: str) -> None:
    lines = events(engine, dag, "speak")
    out, err = find(lines, "printed to stdout"), find(lines, "printed to stderr")
    assert (out["level"], out["logger"]) == ("info", "task.stdout")
    assert (err["level"], err["logger"]) == ("error", "task.stderr")
    assert find(lines, "echoed by a child")["logger"] == "task.stdout"
    assert find(lines, "written to descriptor 1")["logger"] == "task.stdout"
    assert find(lines, "no newline at the end")["logger"] == "task.stdout"


def test_what_a_file_prints_while_it_is_parsed_is_in_each_tasks_log(engine: Engine) -> None:
    for task in (*LOOKS, "speak"):
        assert find(events(engine, CLOSED, task), "printed while the file was parsed")["logger"] == "task.stdout"


def test_logging_is_in_the_log_with_its_level_and_logger(engine: Engine, dag: str) -> None:
    lines = events(engine, dag, "speak")
    for level in ("info", "warning", "error"):
        line = find(lines, f"said at {level}")
        assert (line["level"], line["logger"]) == (level, "sem.speaker")
    assert not [line for line in lines if "said at debug" in line["event"]], "the level is INFO"


def test_structured_fields_are_in_the_log(engine: Engine, dag: str) -> None:
    line = find(events(engine, dag, "speak"), "said with fields")
    assert line["answer"] == 42
    assert line["logger"] == "sem.structured"


def test_a_traceback_is_in_the_log(engine: Engine, dag: str) -> None:
    line = find(events(engine, dag, "speak"), "Task failed with exception")
    (error,) = line["error_detail"]
    assert (error["exc_type"], error["exc_value"]) == ("ValueError", "the first try fails")
    assert error["frames"][-1]["filename"].endswith("/semantics_looks.py")


def test_each_try_has_its_own_log(engine: Engine, dag: str) -> None:
    second = events(engine, dag, "speak", 2)
    assert find(second, "printed to stdout")
    assert not [line for line in second if "Task failed" in line["event"]]


def test_lines_carry_the_task_instance(engine: Engine, dag: str) -> None:
    line = find(events(engine, dag, "speak"), "said at info")
    assert line["ti_id"]
    assert (line["dag_id"], line["task_id"], line["try_number"], line["map_index"]) == (dag, "speak", 1, -1)


def test_a_long_log_is_complete_and_in_order(engine: Engine, dag: str) -> None:
    numbers = [
        int(match[1])
        for line in events(engine, dag, "speak_at_length")
        if (match := re.match(r"line (\d+) x", line["event"]))
    ]
    assert numbers == list(range(3000))
    assert find(events(engine, dag, "speak_at_length"), "the last line")


def test_a_masked_secret_is_not_in_the_log(engine: Engine, dag: str) -> None:
    said = engine.said(dag, "speak_a_secret")
    assert "it is ***" in said
    assert "verysecretword" not in said
