"""The audit log's table: appended to, read, never changed.

A record is committed before `append` returns. Callers that wait at the same time share one transaction: each of
them costs a wait for the disk otherwise, and the log is one row after the other by its nature. A batch is one
statement that moves the head from where this writer left it; where another process has moved it since, the head's row
is locked and read again, so that two processes make one chain. A trigger refuses UPDATE, DELETE and
TRUNCATE of records; the database's superuser can take it away, and then the chain shows what was done (`verify`).

Nothing is ever removed: there is no retention yet.
"""

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from tradewind.audit import Broken, Entry, Head, Intact, Record, genesis, link, seal_head, text_of, verify
from tradewind.domain.errors import TradewindError
from tradewind.store.engines import reading
from tradewind.store.tables import audit_head, audit_records

_AT_A_TIME = 500  # rows fetched while reading, or written by one statement


class CannotRecord(TradewindError):
    """What was to be recorded is not in the log."""


@dataclass
class _Waiting:
    """What one caller wants recorded, until it is."""

    records: Sequence[Record]
    turn: threading.Event = field(default_factory=threading.Event)  # it is done, or it is to write
    is_done: bool = False
    error: Exception | None = None


@dataclass
class AuditLog:
    """The log of one account. `key` seals the head (`tradewind.audit.head_key`)."""

    engine: sa.Engine
    account: str
    key: bytes = field(repr=False)
    _waiting: list[_Waiting] = field(default_factory=list, init=False, repr=False)
    _list: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _is_writing: bool = field(default=False, init=False, repr=False)
    _known: Head | None = field(default=None, init=False, repr=False)  # the head, if nobody else wrote; the writer's

    def ensure(self) -> None:
        """Make the head of an empty log, unless there is one. A log with records and no head is left as it is."""
        head = seal_head(0, genesis(self.account), self.account, self.key)
        with self.engine.begin() as connection:
            if connection.execute(sa.select(audit_records.c.sequence).limit(1)).first() is None:
                row = {"account_id": self.account, "count": 0, "hash": head.hash, "seal": head.seal}
                connection.execute(insert(audit_head).values(row).on_conflict_do_nothing())

    def append(self, *records: Record) -> None:
        """Record; committed when it returns. Raises CannotRecord: these may not be in the log then."""
        if not records:
            return
        mine = _Waiting(records)
        with self._list:
            self._waiting.append(mine)
            is_first, self._is_writing = not self._is_writing, True
        if not is_first:
            mine.turn.wait()
        if not mine.is_done:
            self._write_for_all()
        if mine.error is not None:
            raise CannotRecord(f"cannot write the audit log: {type(mine.error).__name__}") from mine.error

    def _write_for_all(self) -> None:
        """Write for everybody who waits now, and give the turn to one of those who came meanwhile."""
        with self._list:
            batch, self._waiting = self._waiting, []
        error: Exception | None = InterruptedError("the writer was interrupted")
        try:
            self._write([record for waiting in batch for record in waiting.records])
            error = None
        except Exception as raised:  # noqa: BLE001  (raised again for each of those who wait)
            error = raised
        finally:
            with self._list:
                following = self._waiting[:1]
                self._is_writing = bool(following)
            for waiting in batch:
                waiting.is_done, waiting.error = True, error
            for waiting in [*following, *batch]:
                waiting.turn.set()

    def _write(self, records: Sequence[Record]) -> None:
        texts = [text_of(record) for record in records]  # before the lock
        if not self._follow(texts):
            self._take_turn(texts)

    def _follow(self, texts: Sequence[str]) -> bool:
        """Write behind the head that we know, in one statement. False, and nothing done, where it is not the head."""
        known = self._known
        if known is None or len(texts) > _AT_A_TIME:
            return False
        self._known = None  # until we know that it was written
        rows, head = self._linked(texts, known)
        asked = {
            "account": self.account, "known_count": known.count, "known_hash": known.hash,
            "at": head.count, "to": head.hash, "by": head.seal,
        }  # fmt: skip
        for number, row in enumerate(rows):
            asked |= {f"{name}_{number}": value for name, value in row.items()}
        with reading(self.engine) as connection:
            written = connection.execute(_follow(len(rows)), asked).rowcount
        if written:
            self._known = head
        return bool(written)

    def _take_turn(self, texts: Sequence[str]) -> None:
        """Write behind the head that is there, whoever wrote last."""
        with self.engine.begin() as connection:
            held = connection.execute(_HEAD.with_for_update(), {"account": self.account}).mappings().one()
            rows, head = self._linked(texts, _head(held))
            connection.execute(sa.insert(audit_records), rows)
            connection.execute(_MOVE, {"account": self.account, "at": head.count, "to": head.hash, "by": head.seal})
        self._known = head

    def _linked(self, texts: Sequence[str], head: Head) -> tuple[list[dict[str, Any]], Head]:
        """The rows behind a head, and the head behind them."""
        previous, sequence, rows = head.hash, head.count, []
        for text in texts:
            sequence += 1
            previous = link(previous, sequence, text)
            rows.append({"sequence": sequence, "record": text, "hash": previous})
        return rows, seal_head(sequence, previous, self.account, self.key)

    def read(self, after: int = 0) -> Generator[Entry, None, None]:
        """The newest first, as a stream, down to the record behind `after`."""
        asked = sa.select(audit_records).where(audit_records.c.sequence > after)
        asked = asked.order_by(audit_records.c.sequence.desc())
        with _snapshot(self.engine) as connection, closing(_entries(connection, asked)) as entries:
            yield from entries

    def verify(self, noted: Head | None = None) -> Intact | Broken:
        """Check the whole log as it is at one moment, whoever goes on writing."""
        with _snapshot(self.engine) as connection:
            row = connection.execute(_HEAD, {"account": self.account}).mappings().first()
            head = None if row is None else _head(row)
            asked = sa.select(audit_records).order_by(audit_records.c.sequence)
            with closing(_entries(connection, asked)) as entries:
                return verify(entries, head, self.account, self.key, noted)


_HEAD = sa.select(audit_head).where(audit_head.c.account_id == sa.bindparam("account"))
_MOVE = (
    sa.update(audit_head)
    .where(audit_head.c.account_id == sa.bindparam("account"))
    .values(count=sa.bindparam("at"), hash=sa.bindparam("to"), seal=sa.bindparam("by"))
)


@lru_cache(maxsize=64)
def _follow(rows: int) -> sa.TextClause:
    """Move the head and write so many rows, or, where the head is another one, neither."""
    values = ", ".join(
        f"(CAST(:sequence_{n} AS bigint), CAST(:record_{n} AS text), CAST(:hash_{n} AS bytea))" for n in range(rows)
    )
    return sa.text(f"""
        WITH moved AS (
          UPDATE audit_head SET count = :at, hash = :to, seal = :by
          WHERE account_id = :account AND count = :known_count AND hash = :known_hash
          RETURNING account_id
        )
        INSERT INTO audit_records (sequence, record, hash)
        SELECT written.* FROM moved, (VALUES {values}) AS written
    """)  # noqa: S608  (numbers alone are put in)


def _head(row: sa.RowMapping) -> Head:
    return Head(row["count"], bytes(row["hash"]), bytes(row["seal"]))


@contextmanager
def _snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        yield connection


def _entries(connection: sa.Connection, asked: sa.Select[tuple[int, str, bytes]]) -> Generator[Entry, None, None]:
    with connection.execution_options(yield_per=_AT_A_TIME).execute(asked) as streamed:
        for row in streamed.mappings():
            yield Entry(row["sequence"], row["record"], bytes(row["hash"]))
