"""The audit log on a real PostgreSQL: one chain whoever writes, and nothing can be changed unseen."""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest
import sqlalchemy as sa

from tests.unit.audit.samples import ACCOUNT, record
from tradewind.audit import Broken, Head, Intact, genesis, head_key
from tradewind.store.audit import AuditLog, CannotRecord
from tradewind.store.tables import audit_records

KEY = head_key(b"k" * 32)


@pytest.fixture
def log(engine):
    made = AuditLog(engine, ACCOUNT, KEY)
    made.ensure()
    return made


def events(log):
    return [json.loads(entry.text)["eventID"] for entry in log.read()][::-1]


def test_what_is_appended_is_there_in_order_and_intact(log):
    log.append(record(event_id="1"))
    log.append(record(event_id="2"), record(event_id="3"))
    log.append()
    assert events(log) == ["1", "2", "3"]
    assert [entry.sequence for entry in log.read(after=1)] == [3, 2]
    verdict = log.verify()
    assert isinstance(verdict, Intact)
    assert verdict.count == 3
    assert log.verify(Head(verdict.count, verdict.hash))


def test_an_empty_log(log):
    log.ensure()
    assert log.verify() == Intact(0, genesis(ACCOUNT))


def test_sixteen_threads_of_two_processes_make_one_chain(new_engine):
    """Two logs share nothing but the database, as two control planes would."""
    logs = [AuditLog(new_engine(), ACCOUNT, KEY) for _ in range(2)]
    logs[0].ensure()
    together = Barrier(16)

    def write(number):
        together.wait(20)
        for turn in range(25):
            logs[number % 2].append(record(event_id=f"{number}-{turn}"))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(16)))
    found = events(logs[0])
    assert sorted(found) == sorted(f"{number}-{turn}" for number in range(16) for turn in range(25))
    for number in range(16):  # a caller's own records are in the order it made them
        own = [event for event in found if event.startswith(f"{number}-")]
        assert own == [f"{number}-{turn}" for turn in range(25)]
    assert logs[1].verify()


def test_a_record_is_one_statement_while_nobody_else_writes(log):
    statements = []
    log.append(record(event_id="1"))
    sa.event.listen(log.engine, "before_cursor_execute", lambda _c, _cursor, text, *_: statements.append(text))
    log.append(record(event_id="2"), record(event_id="3"))
    assert len(statements) == 1
    assert "INSERT INTO audit_records" in statements[0]


def test_writers_who_take_turns_follow_one_another(log, engine):
    other = AuditLog(engine, ACCOUNT, KEY)
    for number in range(6):
        (log if number % 2 else other).append(record(event_id=str(number)))
    assert events(log) == [str(number) for number in range(6)]
    assert log.verify()


def test_those_who_wait_share_a_transaction(log):
    """While one is held up, the others gather; then they need one transaction, not twenty."""
    began = []

    @sa.event.listens_for(log.engine, "begin")
    def _count(_connection):
        began.append(1)

    def write(number):
        log.append(record(event_id=str(number)))

    with ThreadPoolExecutor(20) as pool:
        with log.engine.begin() as holder:
            holder.execute(sa.text("SELECT 1 FROM audit_head FOR UPDATE"))
            first = pool.submit(write, 0)
            while not log._is_writing or log._waiting:
                assert not first.done()
            others = [pool.submit(write, number) for number in range(1, 20)]
            while len(log._waiting) < 19:
                assert not first.done()
        for one in [first, *others]:
            one.result(20)
    assert len(events(log)) == 20
    assert len(began) == 4  # the holder's, the first writer's, the one of all who waited; the reading


def test_who_cannot_be_recorded_is_told_and_nothing_is_left(log, postgres):
    log.append(record(event_id="1"))
    together = Barrier(8)

    def write(number):
        together.wait(20)
        with pytest.raises(CannotRecord, match="cannot write the audit log"):
            log.append(record(event_id=f"x{number}"))

    with log.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE audit_records RENAME TO elsewhere"))
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(8)))
    finally:
        with log.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO audit_records"))
    log.append(record(event_id="2"))
    assert events(log) == ["1", "2"]
    assert log.verify()


@pytest.mark.parametrize("is_known", [True, False], ids=["the head is known", "another wrote last"])
def test_a_writer_that_dies_before_its_commit_leaves_nothing(log, is_known):
    """Killed before the one statement, or between the rows and the head: the transaction was never there."""
    (log if is_known else AuditLog(log.engine, ACCOUNT, KEY)).append(record(event_id="1"))

    @sa.event.listens_for(log.engine, "before_cursor_execute")
    def _kill(connection, _cursor, statement, *_):
        if "UPDATE audit_head" in statement:
            connection.connection.driver_connection.pgconn.finish()

    with pytest.raises(CannotRecord):
        log.append(record(event_id="2"))
    sa.event.remove(log.engine, "before_cursor_execute", _kill)
    assert events(log) == ["1"]
    log.append(record(event_id="3"))
    assert events(log) == ["1", "3"]
    assert log.verify()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_records SET record = '{}'",
        "DELETE FROM audit_records WHERE sequence = 1",
        "DELETE FROM audit_records WHERE false",
        "TRUNCATE audit_records",
        "TRUNCATE audit_head",
        "DELETE FROM audit_head",
    ],
)
def test_the_tables_refuse(log, statement):
    log.append(record())
    with pytest.raises(sa.exc.ProgrammingError, match="append-only"), log.engine.begin() as connection:
        connection.execute(sa.text(statement))
    assert log.verify()


SWAP = ";".join(
    f"UPDATE audit_records SET sequence = {new} WHERE sequence = {old}" for old, new in ((2, -2), (3, 2), (-2, 3))
)
TAMPERING = [
    ("UPDATE audit_records SET record = replace(record, 'GetEnvironment', 'X') WHERE sequence = 2", 2),
    ("UPDATE audit_records SET hash = decode(repeat('00', 32), 'hex') WHERE sequence = 3", 3),
    ("DELETE FROM audit_records WHERE sequence = 2", 2),
    ("DELETE FROM audit_records WHERE sequence = 4", 4),
    ("DELETE FROM audit_records", 1),
    ("INSERT INTO audit_records SELECT 5, record, hash FROM audit_records WHERE sequence = 4", 5),
    (SWAP, 2),
    ("UPDATE audit_head SET count = 3, hash = (SELECT hash FROM audit_records WHERE sequence = 3)", 0),
    ("DELETE FROM audit_head", 0),
]


@pytest.mark.parametrize(("statements", "place"), TAMPERING)
def test_a_superuser_who_takes_the_trigger_away_is_found_out(log, statements, place):
    log.append(*(record(event_id=str(number)) for number in range(4)))
    with log.engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for statement in statements.split(";"):
            connection.execute(sa.text(statement))
    found = log.verify()
    assert isinstance(found, Broken)
    assert found.sequence == place


def test_a_head_that_was_removed_is_not_made_again(log):
    log.append(record())
    with log.engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("DELETE FROM audit_head"))
    log.ensure()
    assert log.verify() == Broken(0, "the head of the log is missing")
    with pytest.raises(CannotRecord):
        log.append(record())


def test_another_key_does_not_open_it(log):
    log.append(record())
    assert not dataclasses.replace(log, key=head_key(b"l" * 32)).verify()


def test_verifying_goes_on_while_others_write(log):
    log.append(*(record() for _ in range(1200)))
    with closing(log.read()) as reading:
        next(reading)
        log.append(record())
        assert sum(1 for _ in reading) == 1199
    assert log.verify().count == 1201
    with log.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(audit_records)).scalar_one() == 1201
