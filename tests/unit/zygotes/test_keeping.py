"""Which zygote a slot keeps. The zygote's end of each connection is the test's."""

import json
import socket

import pytest

from tradewind_airflow.zygotes.keeping import PARSE_SECONDS_MOST, Keeper
from tradewind_airflow.zygotes.parsed import File

ONE, TWO = File("bucket", "v1", "one.py"), File("bucket", "v1", "two.py")
NEXT_VERSION = File("bucket", "v2", "one.py")
CEILING = 1000


class Zygotes:
    """Answers what the nursery is asked with a connection whose other end is kept."""

    def __init__(self) -> None:
        self.asked: list[File] = []
        self.ends: list[socket.socket] = []
        self.is_gone = False

    def ask(self, file: File) -> socket.socket | None:
        self.asked.append(file)
        if self.is_gone:
            return None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ends.append(theirs)
        return ours

    def say(self, **message: object) -> None:
        self.ends[-1].send(json.dumps(message).encode())


@pytest.fixture
def zygotes():
    made = Zygotes()
    yield made
    for end in made.ends:
        end.close()


@pytest.fixture
def keeper(zygotes):
    made = Keeper(zygotes, CEILING)
    yield made
    made.drop()


def begin(keeper: Keeper, *files: File) -> None:
    for file in files:
        keeper.begun(file)


def test_a_single_task_of_a_file_makes_no_zygote(keeper, zygotes):
    begin(keeper, ONE, TWO, ONE, TWO)
    assert zygotes.asked == []


def test_the_second_in_a_row_makes_one_and_nobody_waits_for_it(keeper, zygotes):
    begin(keeper, ONE, ONE)
    assert zygotes.asked == [ONE]
    assert keeper.ready(ONE) is None
    begin(keeper, ONE, ONE)
    assert zygotes.asked == [ONE]


def test_a_proven_parse_is_used_by_that_file_only(keeper, zygotes):
    begin(keeper, ONE, ONE)
    zygotes.say(parsed=True, resident=10)
    assert keeper.ready(ONE) is keeper.ready(ONE) is not None
    assert keeper.ready(TWO) is None
    assert keeper.ready(NEXT_VERSION) is None


@pytest.mark.parametrize("other", [TWO, NEXT_VERSION])
def test_another_file_or_version_ends_it(keeper, zygotes, other):
    begin(keeper, ONE, ONE)
    zygotes.say(parsed=True, resident=10)
    keeper.ready(ONE)
    begin(keeper, other)
    assert zygotes.ends[0].recv(10) == b""
    assert keeper.ready(ONE) is None
    begin(keeper, other)
    assert zygotes.asked == [ONE, other]


@pytest.mark.parametrize("said", [{"refused": "it asks time.time"}, {"parsed": True, "resident": CEILING + 1}])
def test_a_file_that_is_refused_or_too_large_is_not_tried_again(keeper, zygotes, said, capsys):
    begin(keeper, ONE, ONE)
    zygotes.say(**said)
    assert keeper.ready(ONE) is None
    assert "one.py" in capsys.readouterr().out
    begin(keeper, ONE, ONE, ONE)
    assert zygotes.asked == [ONE]


def test_a_zygote_that_dies_over_the_parse_counts_as_refused(keeper, zygotes):
    begin(keeper, ONE, ONE)
    zygotes.ends[0].close()
    assert keeper.ready(ONE) is None
    begin(keeper, ONE, ONE)
    assert zygotes.asked == [ONE]


def test_one_that_ended_for_its_age_is_made_again(keeper, zygotes):
    begin(keeper, ONE, ONE)
    zygotes.say(parsed=True, resident=10)
    assert keeper.ready(ONE) is not None
    zygotes.ends[0].close()
    assert keeper.ready(ONE) is None
    begin(keeper, ONE)
    assert zygotes.asked == [ONE, ONE]


def test_without_a_nursery_tasks_start_as_ever(keeper, zygotes):
    zygotes.is_gone = True
    begin(keeper, ONE, ONE)
    assert keeper.ready(ONE) is None


def test_what_was_refused_is_forgotten_some_day(keeper, zygotes):
    begin(keeper, ONE, ONE)
    zygotes.say(refused="no")
    keeper.ready(ONE)
    for number in range(200):
        other = File("bucket", "v1", f"{number}.py")
        begin(keeper, other, other)
        zygotes.say(refused="no")
        keeper.ready(other)
    begin(keeper, ONE, ONE)
    assert zygotes.asked.count(ONE) == 2


def test_a_parse_without_end_is_given_up(zygotes):
    now = [0.0]
    keeper = Keeper(zygotes, CEILING, clock=lambda: now[0])
    begin(keeper, ONE, ONE)
    now[0] = PARSE_SECONDS_MOST - 1
    assert keeper.ready(ONE) is None
    zygotes.ends[0].setblocking(False)
    with pytest.raises(BlockingIOError):
        zygotes.ends[0].recv(1)
    now[0] = PARSE_SECONDS_MOST
    assert keeper.ready(ONE) is None
    assert zygotes.ends[0].recv(1) == b"", "let go of: the kernel kills a zygote that still parses then"
    begin(keeper, ONE, ONE)
    assert zygotes.asked == [ONE]


def test_an_eager_slot_waits_for_the_parse_of_its_first_task(zygotes):
    keeper = Keeper(zygotes, CEILING, is_eager=True)
    asked = zygotes.ask

    def ask_and_answer(file: File) -> socket.socket | None:
        connection = asked(file)
        zygotes.say(**({"parsed": True, "resident": 10} if file == ONE else {"refused": "it asks time.time"}))
        return connection

    zygotes.ask = ask_and_answer
    assert keeper.ready(ONE) is not None
    begin(keeper, ONE)
    assert keeper.ready(TWO) is None
    begin(keeper, TWO)
    assert keeper.ready(TWO) is None
    assert keeper.ready(ONE) is not None
    zygotes.ends[-1].close()  # for its age
    assert keeper.ready(ONE) is not None
    assert zygotes.asked == [ONE, TWO, ONE, ONE]
    keeper.drop()
