"""Access keys of users in the tables. A secret is sealed for its place, `access_keys/ID`, and shown only when drawn.

`used` notes when a key was last used, at most once a minute for each, so that a busy client does not write a row with
every request (AWS's own answer is only as fine as that).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from tradewind.iam.entities import AccessKey, EntityKind, Home, new_access_key_id, new_secret
from tradewind.iam.quotas import refuse_more_keys
from tradewind.iam.refusals import no_key
from tradewind.store.iam_entities import get_entity, writing
from tradewind.store.iam_tables import iam_access_keys, iam_entities
from tradewind.store.sealing import Sealing

_GRAIN = timedelta(minutes=1)


@dataclass(frozen=True)
class AccessKeys:
    """The iam_access_keys table."""

    engine: sa.Engine
    sealing: Sealing
    home: Home

    def create(self, user: str, now: datetime) -> tuple[AccessKey, str]:
        """A new key of a user, active, and its secret. Raises Refused."""
        with writing(self.engine) as connection:
            entity = get_entity(connection, self.home, EntityKind.USER, user)
            query = sa.select(sa.func.count()).where(iam_access_keys.c.user_id == entity.id)
            refuse_more_keys(connection.execute(query).scalar_one())
            key, secret = AccessKey(new_access_key_id(), entity.name, is_active=True, created_at=now), new_secret()
            row = {
                "id": key.id,
                "user_id": entity.id,
                "secret": self.sealing.seal(secret.encode(), place(key.id)),
                "is_active": True,
                "created_at": now,
            }
            connection.execute(sa.insert(iam_access_keys).values(row))
        return key, secret

    def of_user(self, user: str) -> list[AccessKey]:
        """A user's keys, in order of their ids. Raises Refused."""
        with self.engine.connect() as connection:
            entity = get_entity(connection, self.home, EntityKind.USER, user)
            query = _SELECT.where(iam_access_keys.c.user_id == entity.id).order_by(iam_access_keys.c.id)
            return [_key(row) for row in connection.execute(query).mappings()]

    def find(self, id_: str) -> AccessKey | None:
        """Any user's key."""
        with self.engine.connect() as connection:
            row = connection.execute(_SELECT.where(iam_access_keys.c.id == id_)).mappings().first()
        return None if row is None else _key(row)

    def switch(self, user: str, id_: str, *, is_active: bool) -> None:
        """Make a user's key active or inactive. Raises Refused."""
        with writing(self.engine) as connection:
            mine = self._of_user(connection, user, id_)
            changed = sa.update(iam_access_keys).where(mine).values(is_active=is_active)
            if not connection.execute(changed.returning(iam_access_keys.c.id)).first():
                raise no_key(id_)

    def delete(self, user: str, id_: str) -> None:
        """Delete a user's key. Raises Refused."""
        with writing(self.engine) as connection:
            mine = self._of_user(connection, user, id_)
            if not connection.execute(sa.delete(iam_access_keys).where(mine).returning(iam_access_keys.c.id)).first():
                raise no_key(id_)

    def used(self, id_: str, service: str, region: str, at: datetime, noted: datetime | None = None) -> None:
        """A request of this key was accepted: note it, unless one was within the last minute (`noted`, if known)."""
        if noted is not None and at - noted < _GRAIN:
            return
        last = iam_access_keys.c.last_used_at
        is_due = sa.or_(last.is_(None), last < at - _GRAIN)
        values = {"last_used_at": at, "last_used_service": service, "last_used_region": region}
        with self.engine.begin() as connection:
            connection.execute(sa.update(iam_access_keys).where(iam_access_keys.c.id == id_, is_due).values(values))

    def _of_user(self, connection: sa.Connection, user: str, id_: str) -> sa.ColumnElement[bool]:
        entity = get_entity(connection, self.home, EntityKind.USER, user)
        return sa.and_(iam_access_keys.c.user_id == entity.id, iam_access_keys.c.id == id_)


def place(id_: str) -> str:
    """What a key's secret is sealed for."""
    return f"access_keys/{id_}"


_SELECT = sa.select(
    iam_access_keys.c.id,
    iam_access_keys.c.is_active,
    iam_access_keys.c.created_at,
    iam_access_keys.c.last_used_at,
    iam_access_keys.c.last_used_service,
    iam_access_keys.c.last_used_region,
    iam_entities.c.name.label("user_name"),
).join(iam_entities, iam_entities.c.id == iam_access_keys.c.user_id)


def _key(row: sa.RowMapping) -> AccessKey:
    key = AccessKey(row["id"], row["user_name"], row["is_active"], row["created_at"])
    if row["last_used_at"] is None:
        return key
    return AccessKey(
        key.id,
        key.user_name,
        key.is_active,
        key.created_at,
        row["last_used_at"],
        row["last_used_service"],
        row["last_used_region"],
    )
