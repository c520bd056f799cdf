"""Which zygotes a slot is connected to. The other end of each connection is the test's."""

import json
import socket

import pytest

from tradewind_airflow.zygotes.keeping import CONNECTIONS_MOST, PATIENCE_SECONDS, Keeper
from tradewind_airflow.zygotes.parsed import File

ONE, TWO = File("bucket", "v1", "one.py"), File("bucket", "v1", "two.py")


class Zygotes:
    """Answers each request as `answers` says, by the file's name; nothing where it says nothing."""

    def __init__(self) -> None:
        self.asked: list[File] = []
        self.at_once: list[bool] = []
        self.ends: dict[File, socket.socket] = {}
        self.answers: dict[File, dict[str, object]] = {}
        self.is_gone = False

    def ask(self, file: File, *, at_once: bool = False) -> socket.socket | None:
        self.asked.append(file)
        self.at_once.append(at_once)
        if self.is_gone:
            return None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if file in self.ends:
            self.ends[file].close()
        self.ends[file] = theirs
        if file in self.answers:
            self.say(file, **self.answers[file])
        return ours

    def say(self, file: File, **message: object) -> None:
        self.ends[file].send(json.dumps(message).encode())
        if "parsed" not in message:
            self.ends[file].close()


@pytest.fixture
def zygotes():
    made = Zygotes()
    yield made
    for end in made.ends.values():
        end.close()


@pytest.fixture
def keeper(zygotes):
    made = Keeper(zygotes)
    yield made
    for file in zygotes.asked:
        made.drop(file)


def test_one_that_has_parsed_the_file_is_used_at_once_and_kept(keeper, zygotes):
    zygotes.answers[ONE] = {"parsed": True}
    assert keeper.ready(ONE) is keeper.ready(ONE) is not None
    assert zygotes.asked == [ONE]
    assert keeper.ready(TWO) is None


def test_nobody_waits_for_one_that_still_parses(keeper, zygotes):
    assert keeper.ready(ONE) is None
    assert keeper.ready(ONE) is None
    assert zygotes.asked == [ONE], "it was asked already"
    zygotes.say(ONE, parsed=True)
    assert keeper.ready(ONE) is not None
    assert PATIENCE_SECONDS <= 0.01


def test_later_means_that_it_is_asked_again(keeper, zygotes):
    zygotes.answers[ONE] = {"later": True}
    assert keeper.ready(ONE) is None
    zygotes.answers[ONE] = {"parsed": True}
    assert keeper.ready(ONE) is not None
    assert zygotes.asked == [ONE, ONE]


def test_a_file_that_was_refused_is_not_asked_for_again(keeper, zygotes, capsys):
    zygotes.answers[ONE] = {"refused": "it asks time.time"}
    assert keeper.ready(ONE) is None
    assert keeper.ready(ONE) is None
    assert zygotes.asked == [ONE]
    assert "it asks time.time" in capsys.readouterr().out


@pytest.mark.parametrize("answered", [True, False])
def test_one_that_has_gone_is_asked_for_again(keeper, zygotes, answered):
    if answered:
        zygotes.answers[ONE] = {"parsed": True}
    keeper.ready(ONE)
    zygotes.ends[ONE].close()
    zygotes.answers[ONE] = {"parsed": True}
    keeper.ready(ONE)
    assert keeper.ready(ONE) is not None
    assert zygotes.asked == [ONE, ONE]


def test_one_that_was_dropped_reads_the_end(keeper, zygotes):
    zygotes.answers[ONE] = {"parsed": True}
    keeper.ready(ONE)
    keeper.drop(ONE)
    assert zygotes.ends[ONE].recv(10) == b""


def test_without_a_nursery_tasks_start_as_ever(keeper, zygotes):
    zygotes.is_gone = True
    assert keeper.ready(ONE) is None


def test_files_do_not_pile_up(keeper, zygotes):
    files = [File("bucket", "v1", f"{number}.py") for number in range(CONNECTIONS_MOST + 3)]
    for file in files:
        zygotes.answers[file] = {"parsed": True}
        assert keeper.ready(file) is not None
    assert zygotes.ends[files[0]].recv(10) == b"", "the one longest not used"
    assert keeper.ready(files[-1]) is not None
    assert zygotes.asked == files


def test_what_was_refused_is_forgotten_some_day(keeper, zygotes):
    files = [File("bucket", "v1", f"{number}.py") for number in range(202)]
    for file in files:
        zygotes.answers[file] = {"refused": "no"}
        keeper.ready(file)
    keeper.ready(files[0])
    keeper.ready(files[-1])
    assert zygotes.asked == [*files, files[0]]


def test_an_eager_slot_waits_for_the_parse(zygotes):
    keeper = Keeper(zygotes, is_eager=True)
    zygotes.answers = {ONE: {"parsed": True}, TWO: {"refused": "it asks time.time"}}
    assert keeper.ready(ONE) is not None
    assert keeper.ready(TWO) is None
    zygotes.ends[ONE].close()  # for its age
    assert keeper.ready(ONE) is not None
    assert zygotes.asked == [ONE, TWO, ONE]
    assert all(zygotes.at_once)
    keeper.drop(ONE)
