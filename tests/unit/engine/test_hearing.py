"""The ear, at a connection that is a socket pair: what it hears, when it is not prompt, and when the line breaks."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from tradewind_airflow.engine import hearing
from tradewind_airflow.engine.hearing import Ear
from tradewind_airflow.engine.triggers import Told, told


class ConnectionOfOneScheduler:
    """What the ear needs of psycopg2's: descriptor, cursor, poll, notifies."""

    def __init__(self, *, lock_is_free: bool = True) -> None:
        self.near, self.far = socket.socketpair()
        self.notifies: list[SimpleNamespace] = []
        self.statements: list[str] = []
        self.autocommit = False
        self.lock_is_free = lock_is_free
        self.broken = False

    def fileno(self) -> int:
        return self.near.fileno()

    def notify(self, *payloads: str) -> None:
        self.notifies += [SimpleNamespace(payload=payload) for payload in payloads]
        self.far.send(b"x")

    def poll(self) -> None:
        if self.broken:
            raise OSError("server closed the connection unexpectedly")

    def close(self) -> None:
        self.near.close()
        self.far.close()

    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...

    @contextmanager
    def cursor(self) -> Iterator["ConnectionOfOneScheduler"]:
        yield self

    def execute(self, statement: str, _values: object = ()) -> None:
        self.statements.append(statement)

    def fetchall(self) -> list[object]:
        return []

    def fetchone(self) -> tuple[bool]:
        return (self.lock_is_free,)


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody sleeps; what would have been slept is kept."""
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: 1000.0 + sum(slept), sleep=slept.append)
    monkeypatch.setattr(hearing, "time", clock)
    return slept


def test_what_was_told_is_heard_once_and_together(rests):
    line = ConnectionOfOneScheduler()
    ear = Ear(lambda: line)
    assert ear.wait(0) == []
    line.notify("tradewind-scheduler\x1ftask_instance\x1fd\x1fr", "my app\x1fdag_run")
    assert ear.wait(1) == [Told("tradewind-scheduler", "task_instance", ("d", "r")), Told("my app", "dag_run")]
    assert ear.wait(0) == []
    assert "LISTEN tradewind_wake" in line.statements
    assert line.autocommit, "an ear that waits in a transaction hears nothing and holds back vacuum"
    assert rests == []
    ear.close()


def test_an_ear_that_is_not_prompt_rests_whatever_is_told_and_takes_over(rests):
    line = ConnectionOfOneScheduler(lock_is_free=False)
    ear = Ear(lambda: line)
    ear.wait(0)
    assert not ear.prompt
    line.notify("x\x1fdag_run")
    assert ear.rest(0.5) == [Told("x", "dag_run")]
    assert rests == [0.5]
    line.lock_is_free = True
    ear.rest(0.5)
    assert ear.prompt
    line.notify("x\x1fdag_run")
    assert ear.rest(0.5) == [Told("x", "dag_run")]
    assert rests == [0.5, 0.5], "a prompt ear is woken"
    ear.close()


def test_a_line_that_breaks_is_opened_again_after_a_while(rests, caplog):
    lines: list[ConnectionOfOneScheduler] = []

    def connect() -> ConnectionOfOneScheduler:
        lines.append(ConnectionOfOneScheduler())
        return lines[-1]

    ear = Ear(connect)
    ear.wait(0)
    lines[0].broken = True
    assert ear.wait(0) == []
    assert not ear.listening
    assert not ear.prompt
    assert "server closed the connection unexpectedly" in caplog.text
    assert ear.wait(1) == []
    assert (len(lines), rests) == (1, [1]), "it rests instead of asking a server that is away"
    rests.append(5.0)
    ear.wait(0)
    assert len(lines) == 2
    assert ear.listening
    ear.close()


def test_a_database_that_is_away_is_no_error(rests, caplog):
    def refused() -> None:
        raise ConnectionRefusedError("connection refused")

    ear = Ear(refused)
    assert [ear.wait(1), ear.wait(1)] == [[], []]
    assert rests == [1, 1]
    assert caplog.text.count("connection refused") == 1


def test_a_payload_names_writer_and_table():
    assert told("tradewind-scheduler\x1fdag_run") == Told("tradewind-scheduler", "dag_run")
    assert told("\x1fdag_run") == Told("", "dag_run")
    assert told("psql - joe's\x1ftask_instance\x1fa dag\x1fa run") == Told(
        "psql - joe's", "task_instance", ("a dag", "a run")
    )
    assert told("anything") == told("") == Told("", "")
