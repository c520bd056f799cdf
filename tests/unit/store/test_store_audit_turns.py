"""Who writes the audit log for whom, without a database: a log whose writing is a list, and may be held up or fail."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.audit.samples import record
from tradewind.store.audit import AuditLog, CannotRecord


class LogThatIsAList(AuditLog):
    """Batches of event ids. While `open` is not set, whoever writes waits."""

    def __init__(self):
        super().__init__(None, "123456789012", b"k")
        self.batches, self.open, self.error = [], threading.Event(), None
        self.open.set()
        self.entered = threading.Event()

    def _write(self, records):
        self.entered.set()
        assert self.open.wait(20)
        self.batches.append([each.event_id for each in records])
        if self.error is not None:
            raise self.error


@pytest.fixture
def log():
    return LogThatIsAList()


def held_up(log, pool, others):
    """One caller who writes, and is held up; then so many who wait for it."""
    log.open.clear()
    first = pool.submit(log.append, record(event_id="first"))
    assert log.entered.wait(20)
    waiting = [pool.submit(log.append, record(event_id=str(number))) for number in range(others)]
    while len(log._waiting) < others:
        assert not first.done()
    return first, waiting


def test_those_who_came_meanwhile_are_written_together(log):
    with ThreadPoolExecutor(16) as pool:
        first, waiting = held_up(log, pool, 15)
        log.open.set()
        for one in (first, *waiting):
            one.result(20)
    assert log.batches[0] == ["first"]
    assert sorted(log.batches[1], key=int) == [str(number) for number in range(15)]
    assert len(log.batches) == 2


def test_a_failure_is_told_to_everybody_whose_record_it_was_and_to_nobody_else(log):
    with ThreadPoolExecutor(8) as pool:
        first, waiting = held_up(log, pool, 7)
        log.error = OSError("disk")
        log.open.set()
        for one in (first, *waiting):
            with pytest.raises(CannotRecord, match="cannot write the audit log: OSError"):
                one.result(20)
    log.error = None
    log.append(record(event_id="later"))
    assert log.batches[-1] == ["later"]


def test_nobody_is_left_waiting_and_each_is_written_once(log):
    def write(number):
        for turn in range(50):
            log.append(record(event_id=f"{number}-{turn}"))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(16)))
    written = [event for batch in log.batches for event in batch]
    assert sorted(written) == sorted(f"{number}-{turn}" for number in range(16) for turn in range(50))
    assert not log._is_writing
    assert not log._waiting
