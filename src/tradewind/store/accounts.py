"""The account of this data directory: made once, at the first `up`, with its root key.

There is one account; its users, groups, roles and policies are IAM's (`identities`). Its secrets are sealed: whoever
reads the table alone can neither sign a request nor a token. That the account has an audit log is noted among them: who
can write the tables, but has no master key, cannot have a new log begun by emptying the old one.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from tradewind.store.sealed import open_document, seal_document
from tradewind.store.sealing import Sealing
from tradewind.store.tables import accounts

_KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LOG = "audit_log"


@dataclass(frozen=True)
class Account:
    """Account number (12 digits), root key, and the key that web-login and CLI tokens are signed with."""

    account_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    token_key: bytes = field(repr=False)
    has_log: bool = False  # its audit log was begun


@dataclass(frozen=True)
class Accounts:
    """The accounts table."""

    engine: sa.Engine
    sealing: Sealing

    def ensure(self) -> Account:
        """The account, made if there is none. Safe when two do it at once: the first one's stays. Raises Unsealable."""
        with self.engine.begin() as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7234102)"))
            row = connection.execute(sa.select(accounts)).mappings().first()
            if row is None:
                account_id = str(secrets.randbelow(9 * 10**11) + 10**11)
                drawn = {
                    "account_id": account_id,
                    "access_key_id": "AKIA" + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(16)),
                    "secrets": seal_document(self.sealing, _drawn(), _place(account_id)),
                    "created_at": datetime.now(UTC),
                }
                row = connection.execute(insert(accounts).values(drawn).returning(accounts)).mappings().one()
            return self._account(row)[0]

    def find(self) -> Account | None:
        """The account, if there is one; none is made. For who only reads. Raises Unsealable."""
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(accounts)).mappings().first()
        return None if row is None else self._account(row)[0]

    def note_log(self, account_id: str) -> None:
        """Its audit log has been begun: where there is none from now on, it was removed."""
        row_of = accounts.c.account_id == account_id
        with self.engine.begin() as connection:
            row = connection.execute(sa.select(accounts).where(row_of).with_for_update()).mappings().one()
            noted = {**self._account(row)[1], _LOG: "begun"}
            sealed = seal_document(self.sealing, noted, _place(account_id))
            connection.execute(sa.update(accounts).where(row_of).values(secrets=sealed))

    def _account(self, row: sa.RowMapping) -> tuple[Account, Mapping[str, str]]:
        kept = open_document(self.sealing, row["secrets"], _place(row["account_id"]))
        token_key = base64.b64decode(kept["token_key"])
        key = row["access_key_id"]
        return Account(row["account_id"], key, kept["secret_access_key"], token_key, has_log=_LOG in kept), kept


def _place(account_id: str) -> str:
    return f"accounts/{account_id}"


def _drawn() -> dict[str, str]:
    token_key = base64.b64encode(secrets.token_bytes(32)).decode()
    return {"secret_access_key": secrets.token_urlsafe(30), "token_key": token_key}
