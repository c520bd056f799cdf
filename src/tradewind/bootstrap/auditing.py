"""The audit log of a data directory, for the command line: PostgreSQL must run, the API need not."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from tradewind.audit import head_key
from tradewind.bootstrap import directory
from tradewind.bootstrap.masterkeys import open_sealing
from tradewind.domain.errors import CannotProvide
from tradewind.settings import Settings
from tradewind.store import Accounts
from tradewind.store.audit import AuditLog
from tradewind.store.server import SUPERUSER, Server

_NONE = "cannot read the audit log: there is none yet; tradewind up makes it"


class LogOutOfReach(CannotProvide):
    """PostgreSQL does not answer."""


@contextmanager
def open_log(settings: Settings) -> Iterator[AuditLog]:
    """The log. Raises LogOutOfReach when PostgreSQL is down, CannotProvide when there is no log, Unsealable."""
    server = _server(settings)
    engine = server.engine()
    try:
        if not _is_there(engine):
            raise CannotProvide(_NONE)
        sealing, _ = open_sealing(settings)
        account = Accounts(engine, sealing).find()  # one made here would be sealed with a key that nobody keeps
        if account is None:
            raise CannotProvide(_NONE)
        yield AuditLog(engine, account.account_id, head_key(account.token_key))
    except sa.exc.OperationalError as error:
        raise LogOutOfReach(
            f"cannot read the audit log: PostgreSQL does not answer at {server.host}:{server.port}; it runs while the "
            "service does (tradewind up)"
        ) from error
    finally:
        engine.dispose()


def _server(settings: Settings) -> Server:
    if settings.database_url is not None:
        return Server.from_url(settings.database_url)
    state = directory.recall(settings.layout)
    if state is None:
        raise CannotProvide(
            f"cannot read the audit log: no service was ever started in {settings.data_dir} (tradewind up)"
        )
    return Server("127.0.0.1", state.postgres_port, SUPERUSER, state.postgres_password)


def _is_there(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        return connection.execute(sa.text("SELECT to_regclass('audit_head')")).scalar_one() is not None
