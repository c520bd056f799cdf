"""The embedded PostgreSQL: made once, under its own user, and back by itself after a kill."""

import os
import signal
import time
from pathlib import Path

import psycopg
import pytest

from tests.unit.domain.samples import SEALING
from tradewind.domain.errors import CannotStart
from tradewind.domain.manifests import HOST
from tradewind.runtime import users
from tradewind.store import Accounts
from tradewind.store.server import Server


def postmaster(postgres):
    """The server's process id, as the server itself recorded it."""
    return int((postgres.layout.postgres / "postmaster.pid").read_text().splitlines()[0])


def has_come_back(postgres, killed):
    """Whether another server than the killed one answers."""
    try:
        if postmaster(postgres) == killed:
            return False
        psycopg.connect(postgres.server.url("postgres"), connect_timeout=5).close()
    except (OSError, ValueError, IndexError, psycopg.OperationalError):
        return False
    return True


def test_only_the_machine_itself_is_let_in_with_a_password(postgres):
    with psycopg.connect(postgres.server.url("postgres")) as connection:
        shown = {
            name: connection.execute(f"SHOW {name}").fetchone()[0]
            for name in ("listen_addresses", "password_encryption", "unix_socket_directories")
        }
        methods = {row[0] for row in connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules")}
    assert shown == {
        "listen_addresses": "127.0.0.1", "password_encryption": "scram-sha-256", "unix_socket_directories": "",
    }  # fmt: skip
    assert methods == {"scram-sha-256"}
    for password in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(postgres.server.url("postgres", user=postgres.server.user, password=password))


def test_it_runs_as_its_own_user_and_its_files_are_private(postgres):
    status = Path(f"/proc/{postmaster(postgres)}/status").read_text()
    uid = int(status.partition("Uid:")[2].split()[0])
    expected = users.find(users.POSTGRES).uid if users.is_root() else os.geteuid()
    assert uid == expected
    found = postgres.layout.postgres.stat()
    assert (found.st_uid, found.st_mode & 0o077) == (expected, 0)


def test_ensuring_again_leaves_it_as_it_is(postgres):
    before = (postgres.layout.postgres / "PG_VERSION").stat().st_mtime_ns
    postgres.cluster.ensure()
    assert (postgres.layout.postgres / "PG_VERSION").stat().st_mtime_ns == before


def test_no_password_is_in_a_process_list_or_a_repr(postgres):
    process = postgres.cluster.process()
    assert postgres.server.password not in " ".join(process.command) + repr(dict(process.environment))
    assert postgres.server.password not in repr(postgres.server) + repr(postgres.cluster)


def test_a_killed_server_comes_back_and_queries_go_on(postgres, engine):
    account = Accounts(engine, SEALING).ensure()
    killed = postmaster(postgres)
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not has_come_back(postgres, killed):  # a backend of the killed server may answer for a moment
        assert time.monotonic() < deadline, postgres.runtime.last_lines(HOST, "postgres")
        time.sleep(0.1)
    # the connections in the pool are dead: whoever asks next does not notice
    for _ in range(20):
        assert Accounts(engine, SEALING).ensure() == account


def test_a_server_that_does_not_answer_is_told_with_its_place():
    server = Server("127.0.0.1", 1, "u", "HUSH")
    with pytest.raises(CannotStart) as refused:
        server.wait(0.2)
    assert refused.value.sentence.startswith("cannot reach PostgreSQL at 127.0.0.1:1: ")
    assert "HUSH" not in refused.value.sentence


def test_an_external_server_is_read_from_its_url():
    server = Server.from_url("postgresql://me:p%40ss@db.example.org:5433/any")
    assert (server.host, server.port, server.user, server.password) == ("db.example.org", 5433, "me", "p@ss")
    assert Server.from_url("postgresql://db.example.org").port == 5432
    assert server.url("x", user="env", password="a/b@c:d") == "postgresql://env:a%2Fb%40c%3Ad@db.example.org:5433/x"
