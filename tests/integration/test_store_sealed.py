"""Nothing secret lies readable in the tables: not in a dump, not after an upgrade, not while a key is replaced."""

import base64
import dataclasses
import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from tests.integration.iam_account import IamAccount
from tests.unit.domain.samples import SEALING, SECRETS, SPEC, environment
from tradewind.domain.errors import CannotStart, TradewindError
from tradewind.domain.identifiers import new_environment_id
from tradewind.domain.snapshots import Kind, new_snapshot_id
from tradewind.iam.entities import Home
from tradewind.store import Accounts, Environments, Identities, migrations
from tradewind.store.keyring import Keyring
from tradewind.store.migrations import upgrade
from tradewind.store.sealed import in_use, seal_anew, unmarked
from tradewind.store.sealing import MasterKey, Sealing, Unsealable
from tradewind.store.snapshots import SnapshotRecords
from tradewind.store.tables import environments, metadata

NEW = MasterKey(b"n" * 32)
OLD = SEALING.keys[0]


class KeysInMemory:
    """A source whose keys are a list; each write of it is kept."""

    words = "a list"

    def __init__(self):
        self.written = []

    def keep(self):
        self.written.append("keep")

    def renew(self, *older):
        self.written.append((NEW, *older))
        return NEW

    def narrow(self, current):
        self.written.append((current,))
        return True


class KeysThatCannotBeWritten(KeysInMemory):
    """A full disk."""

    def renew(self, *older):
        raise TradewindError("cannot keep the master key: the disk is full")


def fill(engine, sealing):
    """An account, an environment and a snapshot; answers all that is secret in them."""
    account = Accounts(engine, sealing).ensure()
    made = dataclasses.replace(environment(), id=new_environment_id(), name=f"e{new_snapshot_id()[5:]}")
    Environments(engine, sealing).create(made)
    records, id_ = SnapshotRecords(engine, sealing), new_snapshot_id()
    records.ask(id_, made, Kind.MANUAL)
    records.finish(id_, spec=SPEC, fernet_key="fernet-of-the-snapshot", size=1)
    token_key = base64.b64encode(account.token_key).decode()
    return [account.secret_access_key, token_key, "fernet-of-the-snapshot", *dataclasses.astuple(SECRETS)]


def read(engine, sealing):
    """All of them again, through the store."""
    account = Accounts(engine, sealing).ensure()
    (made,) = Environments(engine, sealing).all()
    (snapshot,) = SnapshotRecords(engine, sealing).all()
    token_key = base64.b64encode(account.token_key).decode()
    return [account.secret_access_key, token_key, snapshot.fernet_key, *dataclasses.astuple(made.secrets)]


def everything(engine):
    """Each row of each table, as text."""
    with engine.connect() as connection:
        return "\n".join(
            str(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(sa.select(table))
        )


def test_no_secret_is_in_the_tables(engine):
    secret = fill(engine, SEALING)
    dumped = everything(engine)
    assert "environments" in {table.name for table in metadata.sorted_tables}
    assert "some-bucket" in dumped  # what is no secret is
    for each in secret:
        assert each not in dumped
        assert each.encode().hex() not in dumped
    assert read(engine, SEALING) == secret
    assert dict(in_use(engine)) == {OLD.id: 3}


def test_a_row_does_not_open_as_another(engine):
    fill(engine, SEALING)
    fill(engine, SEALING)
    with engine.begin() as connection:
        first = connection.execute(sa.select(environments.c.secrets).order_by(environments.c.id)).scalars().first()
        connection.execute(sa.update(environments).values(secrets=first))
    with pytest.raises(Unsealable, match="cannot open environments/"):
        Environments(engine, SEALING).all()


def test_another_key_reads_nothing(engine):
    fill(engine, SEALING)
    with pytest.raises(Unsealable, match=OLD.id):
        Environments(engine, Sealing(NEW)).all()


# -- an older database -----------------------------------------------------------------------------------------


@pytest.fixture
def older(postgres):
    """A database as the release before sealing left it, with rows."""
    postgres.execute("CREATE DATABASE from_before")
    engine = postgres.server.engine("from_before")
    config = Config()
    config.set_main_option("script_location", migrations.__path__[0])
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        now, id_ = datetime.now(UTC), str(new_environment_id())
        accounts = "INSERT INTO accounts VALUES ('123456789012', 'AKIAOLD', 'old-secret', :key, :now)"
        connection.execute(sa.text(accounts), {"key": b"\xff" * 32, "now": now})
        columns = "id, name, spec, tags, target, generation, created_at, ports, secrets, phase"
        rows = f"INSERT INTO environments ({columns}) VALUES"
        values = {
            "id": id_, "now": now, "spec": json.dumps(SPEC.to_json()),
            "secrets": json.dumps(dataclasses.asdict(SECRETS)),
        }  # fmt: skip
        live = " (:id, 'e', :spec, '{}', 'PRESENT', 1, :now, '{\"api\": 1, \"broker\": 2}', :secrets, 'READY')"
        gone = " ('gone', 'g', :spec, '{}', 'ABSENT', 1, :now, '{}', '{}', 'GONE')"
        connection.execute(sa.text(rows + live), values)
        connection.execute(sa.text(rows + gone), values)
        change = "INSERT INTO changes (environment_id, kind, generation, state, created_at) VALUES"
        connection.execute(sa.text(f"{change} (:id, 'CREATE', 1, 'SUCCESS', :now)"), values)
        columns = "id, environment_id, environment_name, kind, state, created_at, generation, secrets"
        kept = f"INSERT INTO snapshots ({columns}) VALUES ('snap-1', :id, 'e', 'MANUAL', "
        connection.execute(sa.text(kept + "'AVAILABLE', :now, 1, '{\"fernet_key\": \"old-fernet\"}')"), values)
    yield engine
    engine.dispose()
    postgres.execute("DROP DATABASE from_before WITH (FORCE)")


def test_an_older_database_is_sealed_at_the_next_start(older):
    upgrade(older)
    assert dict(in_use(older)) == {None: 3}
    source = KeysInMemory()
    Keyring(older, SEALING, source).settle()
    assert dict(in_use(older)) == {OLD.id: 3}
    assert source.written == ["keep"]
    account, *_ = found = read(older, SEALING)
    assert account == "old-secret"
    assert base64.b64decode(found[1]) == b"\xff" * 32
    assert found[2:] == ["old-fernet", *dataclasses.astuple(SECRETS)]
    assert not any(each in everything(older) for each in ("old-secret", "old-fernet", SECRETS.jwt_secret))


def test_a_database_may_go_back_only_while_nothing_is_sealed(older):
    def back():
        config = Config()
        config.set_main_option("script_location", migrations.__path__[0])
        with older.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "0003")

    upgrade(older)
    back()
    with older.connect() as connection:
        assert connection.execute(sa.text("SELECT secret_access_key FROM accounts")).scalar() == "old-secret"
        kept = connection.execute(sa.text("SELECT secrets FROM environments WHERE name = 'e'")).scalar()
        assert kept == dataclasses.asdict(SECRETS)
    upgrade(older)
    seal_anew(older, SEALING)
    with pytest.raises(sa.exc.DBAPIError):
        back()
    assert dict(in_use(older)) == {OLD.id: 3}


def test_a_plain_value_among_sealed_ones_is_not_taken(engine):
    fill(engine, SEALING)
    with engine.begin() as connection:
        connection.execute(sa.update(environments).values(secrets='{"jwt_secret": "planted"}'))
    with pytest.raises(CannotStart, match="it is not sealed, and others are"):
        Keyring(engine, SEALING, KeysInMemory()).settle()
    assert in_use(engine)[None] == 1


# -- replacing the key -----------------------------------------------------------------------------------------


def test_everything_is_sealed_anew_with_a_new_key(engine):
    sealing, source = Sealing(OLD), KeysInMemory()
    secret = fill(engine, sealing)
    keyring = Keyring(engine, sealing, source)
    assert keyring.rotate() == 3
    assert source.written == [(NEW, OLD)]
    assert [(use.id, use.is_current, use.values) for use in keyring.show()] == [(NEW.id, True, 3), (OLD.id, False, 0)]
    # a store that holds the same sealing goes on
    assert read(engine, sealing) == secret
    assert read(engine, Sealing(NEW)) == secret
    with pytest.raises(Unsealable):
        read(engine, Sealing(OLD))


def test_keys_of_users_are_sealed_anew_as_well(engine):
    sealing = Sealing(OLD)
    identities = Identities(engine, sealing, Home("123456789012"))
    IamAccount(identities)("CreateUser", UserName="alice")
    key, secret = identities.keys.create("alice", datetime.now(UTC))
    assert secret not in everything(engine)
    Keyring(engine, sealing, KeysInMemory()).rotate()
    assert dict(in_use(engine)) == {NEW.id: 1}
    assert unmarked(engine) == {}
    sealing.use(NEW)
    assert identities.credential(key.id).secret == secret


def test_a_key_that_cannot_be_kept_is_not_used(engine):
    sealing = Sealing(OLD)
    secret = fill(engine, sealing)
    with pytest.raises(TradewindError, match="the disk is full"):
        Keyring(engine, sealing, KeysThatCannotBeWritten()).rotate()
    assert sealing.keys == (OLD,)
    assert read(engine, Sealing(OLD)) == secret


def test_a_start_ends_what_a_crash_left(engine):
    """The new key was kept, and nothing or not all was sealed with it."""
    secret = fill(engine, Sealing(OLD))
    sealing, source = Sealing(NEW, OLD), KeysInMemory()
    Keyring(engine, sealing, source).settle()
    assert source.written == ["keep", (NEW,)]
    assert sealing.keys == (NEW,)
    assert dict(in_use(engine)) == {NEW.id: 3}
    assert read(engine, sealing) == secret


def test_a_key_that_an_unmarked_column_needs_is_not_left_out(engine):
    """Somebody seals into a column and forgets to mark it: no rotation may cost that value."""
    fill(engine, Sealing(OLD))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE forgotten (id text PRIMARY KEY, secret text)"))
        connection.execute(
            sa.text("INSERT INTO forgotten VALUES ('a', :sealed)"), {"sealed": Sealing(OLD).seal(b"x", "forgotten/a")}
        )
    try:
        sealing, source = Sealing(NEW, OLD), KeysInMemory()
        Keyring(engine, sealing, source).settle()
        assert source.written == ["keep"]
        assert sealing.keys == (NEW, OLD)
        assert {column: set(ids) for column, ids in unmarked(engine).items()} == {"forgotten.secret": {OLD.id}}
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE forgotten"))


def test_one_value_that_does_not_open_leaves_all_as_they_were(engine):
    fill(engine, SEALING)
    with engine.begin() as connection:
        cut = sa.func.left(environments.c.secrets, 60)
        connection.execute(sa.update(environments).values(secrets=cut))
    before = everything(engine)
    with pytest.raises(Unsealable, match=r"environments/.* is not whole"):
        seal_anew(engine, Sealing(NEW, OLD))
    assert everything(engine) == before


def test_a_lost_key_is_told_by_its_id(engine):
    fill(engine, SEALING)
    source = KeysInMemory()
    with pytest.raises(CannotStart, match=f"3 secrets are sealed with master key {OLD.id}, which a list does not hold"):
        Keyring(engine, Sealing(NEW), source).settle()
    assert source.written == []
