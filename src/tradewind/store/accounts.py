"""The account of this data directory: made once, at the first `up`, with its root key.

One account and one principal for now; users, roles and policies come with IAM and live beside it. Its secrets
are sealed: whoever reads the table alone can neither sign a request nor a token.
"""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from tradewind.store.sealed import open_document, seal_document
from tradewind.store.sealing import Sealing
from tradewind.store.tables import accounts

_KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Account:
    """Account number (12 digits), root key, and the key that web-login and CLI tokens are signed with."""

    account_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    token_key: bytes = field(repr=False)


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
        kept = open_document(self.sealing, row["secrets"], _place(row["account_id"]))
        token_key = base64.b64decode(kept["token_key"])
        return Account(row["account_id"], row["access_key_id"], kept["secret_access_key"], token_key)


def _place(account_id: str) -> str:
    return f"accounts/{account_id}"


def _drawn() -> dict[str, str]:
    token_key = base64.b64encode(secrets.token_bytes(32)).decode()
    return {"secret_access_key": secrets.token_urlsafe(30), "token_key": token_key}
