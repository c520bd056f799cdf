"""Which one-time tokens were used: a row a token until it would have expired anyway."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from tradewind.store.tables import used_tokens


@dataclass(frozen=True)
class UsedTokens:
    """The used_tokens table."""

    engine: sa.Engine

    def claim(self, jti: str, expires: datetime) -> bool:
        """True for the first caller with this token id, False for every later one, from whichever process."""
        with self.engine.begin() as connection:
            connection.execute(sa.delete(used_tokens).where(used_tokens.c.expires < sa.func.now()))
            claimed = connection.execute(
                insert(used_tokens)
                .values(jti=jti, expires=expires)
                .on_conflict_do_nothing()
                .returning(used_tokens.c.jti)
            ).scalar_one_or_none()
        return claimed is not None
