"""The account and the note that its audit log was begun, on a database in memory; who only looks makes nothing."""

import pytest
import sqlalchemy as sa

from tradewind.audit import head_key
from tradewind.bootstrap import auditing
from tradewind.bootstrap.wiring import _log_of
from tradewind.domain.errors import CannotProvide
from tradewind.settings import Settings
from tradewind.store import Accounts
from tradewind.store.audit import AuditLog
from tradewind.store.sealing import MasterKey, Sealing
from tradewind.store.server import Server
from tradewind.store.tables import accounts, audit_head, audit_records, metadata


@pytest.fixture
def engine():
    made = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    sa.event.listen(
        made, "connect", lambda raw, _: raw.create_function("pg_advisory_xact_lock", 1, lambda _number: None)
    )
    metadata.create_all(made, [accounts, audit_head, audit_records])
    yield made
    made.dispose()


def log_of(engine, account):
    return AuditLog(engine, account.account_id, head_key(account.token_key))


def head_of(engine):
    with engine.connect() as connection:
        return connection.execute(sa.select(audit_head)).first()


def test_that_a_log_was_begun_is_noted_with_the_secrets(engine):
    known = Accounts(engine, Sealing(MasterKey.draw()))
    assert known.find() is None
    first = known.ensure()
    assert not first.has_log
    known.note_log(first.account_id)
    assert known.find() == known.ensure()
    assert known.ensure().has_log
    assert known.ensure().secret_access_key == first.secret_access_key
    assert known.ensure().token_key == first.token_key


def test_a_log_is_begun_once_also_after_a_crash_before_the_note(engine):
    sealing = Sealing(MasterKey.draw())
    known = Accounts(engine, sealing)
    log_of(engine, known.ensure()).ensure()  # and there it ended
    begun = head_of(engine)
    assert _log_of(known.ensure(), engine, sealing)
    assert head_of(engine) == begun
    assert known.ensure().has_log


def test_a_log_whose_tables_were_emptied_is_not_begun_anew(engine):
    """Without the note the next start made a new head, sealed, and `audit verify` found an intact empty log."""
    sealing = Sealing(MasterKey.draw())
    known = Accounts(engine, sealing)
    _log_of(known.ensure(), engine, sealing)
    with engine.begin() as connection:
        connection.execute(sa.delete(audit_head))
    assert _log_of(known.ensure(), engine, sealing)
    assert head_of(engine) is None


class ServerInMemory(Server):
    """A server whose only database is that engine."""

    def engine(self):
        return self.kept


def test_who_only_reads_the_log_makes_no_account(engine, monkeypatch, tmp_path):
    """It would be sealed with a key that nobody keeps, and the service could never be started on it again."""
    server = ServerInMemory("127.0.0.1", 5432, "postgres", "word")
    object.__setattr__(server, "kept", engine)
    monkeypatch.setattr(auditing, "_server", lambda _settings: server)
    monkeypatch.setattr(auditing, "_is_there", lambda _engine: True)
    with pytest.raises(CannotProvide, match="there is none yet"), auditing.open_log(Settings(data_dir=tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []
