"""Log files on a real disk: found by people's words, read backwards, followed, and never leading elsewhere."""

import os
from pathlib import Path, PurePosixPath

import pytest

from tradewind.telemetry import NoSuchLog, components, find_components, follow, newest_task_log, tail, task_logs


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def write_try(
    logs: Path, run: str, attempt: int, *, dag="etl", task="load", index: int | None = None, at: float = 1000
):
    folder = logs / "tasks" / f"dag_id={dag}" / f"run_id={run}" / f"task_id={task}"
    folder = folder if index is None else folder / f"map_index={index}"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"attempt={attempt}.log"
    file.write_text(f"{run} {index} {attempt}\n")
    os.utime(file, (at, at))
    return file


def test_a_word_means_one_component_or_all_of_its_kind(logs):
    for name in ("scheduler-1", "worker-1", "worker-2", "worker-old"):
        (logs / f"{name}.log").touch()
    (logs / "worker-1.log.1").touch()
    assert components(logs) == ["scheduler-1", "worker-1", "worker-2", "worker-old"]
    assert find_components(logs, "worker") == ["worker-1", "worker-2"]
    assert find_components(logs, "worker-2") == ["worker-2"]
    with pytest.raises(NoSuchLog, match=r"no component broker .* scheduler-1, worker-1"):
        find_components(logs, "broker")


def test_words_are_not_patterns(logs):
    (logs / "worker-1.log").touch()
    with pytest.raises(NoSuchLog):
        find_components(logs, "w.*")


def test_an_environment_without_logs(tmp_path):
    assert components(tmp_path / "absent") == ()
    with pytest.raises(NoSuchLog, match="it has none yet"):
        find_components(tmp_path / "absent", "worker")
    with pytest.raises(NoSuchLog, match="no task has run yet"):
        newest_task_log(tmp_path / "absent", "etl", "load")


def test_the_try_that_was_written_last(logs):
    write_try(logs, "manual__2", 1, at=2000)
    write_try(logs, "manual__2", 2, at=2001)
    write_try(logs, "manual__9", 1, at=1500)  # a later name, an earlier run
    found = newest_task_log(logs, "etl", "load")
    assert (found.run, found.attempt) == ("manual__2", 2)
    assert newest_task_log(logs, "etl", "load", run="manual__9").attempt == 1
    assert newest_task_log(logs, "etl", "load", attempt=1).run == "manual__2"
    assert len(list(task_logs(logs, "etl", "load"))) == 3


def test_mapped_tasks(logs):
    for index in range(12):
        write_try(logs, "r", 1, index=index, at=1000 + index)
    assert newest_task_log(logs, "etl", "load").map_index == 11
    assert newest_task_log(logs, "etl", "load", map_index=3).describe() == "etl.load, run r, map index 3, try 1"


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"dag": "elt"}, "DAG elt has a log: there are logs of etl"),
        ({"task": "laod"}, "task laod .* there are logs of load"),
        ({"run": "no"}, "no logs of a run no: there are r"),
        ({"attempt": 7}, "no log of that try"),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_ones(logs, asked, answer):
    write_try(logs, "r", 1)
    words = {"dag": "etl", "task": "load"} | asked
    with pytest.raises(NoSuchLog, match=answer):
        newest_task_log(logs, **words)


@pytest.mark.parametrize("name", ["../../secret", "/etc", "a/../../b", ""])
def test_names_do_not_leave_the_folder(logs, name):
    write_try(logs, "r", 1)
    assert list(task_logs(logs, name, "load")) == []
    assert list(task_logs(logs, "etl", name)) == []
    assert list(task_logs(logs, "etl", "load", run=name)) == []


def test_the_end_of_a_large_file(logs):
    (logs / "a.log").write_text("".join(f"line {n} {'x' * 50}\n" for n in range(20_000)))
    lines, cursor = tail(logs, PurePosixPath("a.log"), 3)
    assert [line.split()[1] for line in lines] == ["19997", "19998", "19999"]
    assert cursor.read() == []
    assert tail(logs, PurePosixPath("a.log"), 0)[0] == []
    assert len(tail(logs, PurePosixPath("a.log"), 10**6)[0]) == 20_000


def test_odd_contents(logs):
    (logs / "a.log").write_bytes(b"caf\xe9\r\nno end \xe2\x80\xa8 here\x0cstill")
    assert tail(logs, PurePosixPath("a.log"), 9)[0] == ["caf\ufffd", "no end \u2028 here\x0cstill"]
    (logs / "b.log").write_bytes(b"z" * 10_000_000)  # one line without an end does not fill memory
    assert sum(map(len, tail(logs, PurePosixPath("b.log"), 1)[0])) <= 64 * 1024


def test_following_shows_what_is_written_and_survives_trimming(logs):
    file = logs / "a.log"
    file.write_text("old 1\nold 2\n")
    _, cursor = tail(logs, PurePosixPath("a.log"), 1)

    def append(text: str) -> None:
        with file.open("a") as log:
            log.write(text)

    def replace() -> None:
        (logs / "new").write_text("another file, longer than the one before it\n")
        (logs / "new").replace(file)

    turns = iter(
        [
            lambda: append("new 1\nhal"),
            lambda: append("f\n"),
            lambda: file.write_text("after trim\n"),  # emptied in place, then written on
            replace,
            file.unlink,
        ]
    )

    def wait() -> bool:
        turn = next(turns, None)
        if turn is None:
            return False
        turn()
        return True

    assert [line for _, line in follow([("a", cursor)], wait)] == [
        "new 1", "half", "after trim", "another file, longer than the one before it"
    ]  # fmt: skip


@pytest.mark.parametrize("trick", ["link", "folder link", "hard link", "pipe", "folder"])
def test_what_an_environment_plants_is_not_read(logs, tmp_path, trick):
    secret = tmp_path / "secret.log"
    secret.write_text("root's own words\n")
    path = PurePosixPath("a.log")
    match trick:
        case "link":
            (logs / "a.log").symlink_to(secret)
        case "folder link":
            (logs / "tasks").symlink_to(tmp_path)
            path = PurePosixPath("tasks/secret.log")
        case "hard link":
            os.link(secret, logs / "a.log")
        case "pipe":
            os.mkfifo(logs / "a.log")
        case "folder":
            (logs / "a.log").mkdir()
    lines, cursor = tail(logs, path, 10)
    assert lines == []
    assert cursor.read() == []


@pytest.mark.parametrize("path", ["../secret.log", "/etc/passwd", "tasks/../../secret.log"])
def test_paths_out_of_the_folder_are_not_read(logs, tmp_path, path):
    (tmp_path / "secret.log").write_text("x\n")
    assert tail(logs, PurePosixPath(path), 10)[0] == []
