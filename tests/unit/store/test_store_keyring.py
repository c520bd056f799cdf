"""Master keys at a start, with tables that are only told: what is left out, and what may stay."""

import psycopg
import pytest
import sqlalchemy as sa
import structlog

from tradewind.domain.errors import TradewindError
from tradewind.store import keyring
from tradewind.store.keyring import Keyring
from tradewind.store.sealing import MasterKey, Sealing

OLD, NEW = MasterKey(b"o" * 32), MasterKey(b"n" * 32)


class Source:
    words = "the file"

    def __init__(self):
        self.kept = (NEW, OLD)

    def keep(self):
        pass

    def renew(self, *older):
        raise NotImplementedError

    def narrow(self, current):
        self.kept = (current,)
        return True


class SourceThatIsMounted(Source):
    """A secret of a container's platform: nobody writes there."""

    def narrow(self, current):
        raise TradewindError("cannot keep the master key in /run/secrets/key: Read-only file system")


@pytest.fixture(autouse=True)
def tables(monkeypatch):
    monkeypatch.setattr(keyring, "in_use", lambda _engine: {OLD.id: 3})
    monkeypatch.setattr(keyring, "seal_anew", lambda _engine, _sealing: 3)
    monkeypatch.setattr(keyring, "unmarked", lambda _engine: {})


def test_a_start_leaves_the_older_key_out():
    sealing, source = Sealing(NEW, OLD), Source()
    Keyring(None, sealing, source).settle()
    assert sealing.keys == source.kept == (NEW,)


class SourceThatRenews(Source):
    def renew(self, *older):
        return NEW


@pytest.mark.parametrize(("deadlocks", "tries"), [(0, 1), (2, 3)])
def test_a_rotation_that_postgresql_ended_for_another_writer_is_tried_again(monkeypatch, deadlocks, tries):
    asked = []

    def seal(_engine, sealing):
        asked.append(sealing.keys)
        if len(asked) <= deadlocks:
            raise sa.exc.OperationalError("", {}, psycopg.errors.DeadlockDetected())
        return 7

    monkeypatch.setattr(keyring, "seal_anew", seal)
    assert Keyring(None, Sealing(OLD), SourceThatRenews()).rotate() == 7
    assert asked == [(NEW, OLD)] * tries


@pytest.mark.parametrize("error", [psycopg.errors.DeadlockDetected, psycopg.errors.AdminShutdown])
def test_a_rotation_that_cannot_be_written_says_so(monkeypatch, error):
    def seal(_engine, _sealing):
        raise sa.exc.OperationalError("", {}, error())

    monkeypatch.setattr(keyring, "seal_anew", seal)
    with pytest.raises(sa.exc.OperationalError):
        Keyring(None, Sealing(OLD), SourceThatRenews()).rotate()


def test_an_older_key_that_cannot_be_taken_out_is_no_reason_not_to_start():
    sealing = Sealing(NEW, OLD)
    with structlog.testing.capture_logs() as told:
        Keyring(None, sealing, SourceThatIsMounted()).settle()
    assert sealing.keys == (NEW, OLD)
    assert [line["action"] for line in told] == ["sealed", "kept"]
