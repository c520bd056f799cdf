"""Users, groups and roles in the tables: made, changed, tagged, put into groups, deleted.

IAM's writes run one after another: each takes one advisory lock for its transaction. Quotas and rules of deletion look
at several tables at once, and a busy day of IAM is a few writes a second, so that one lock is both right and cheap;
reads take none. What IAM refuses is a `Refused` with AWS's type and words.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tradewind.iam.aws_policies import aws_policies
from tradewind.iam.entities import Entity, EntityKind, Home
from tradewind.iam.quotas import refuse_more_entities, refuse_more_groups, tagged, untagged
from tradewind.iam.refusals import entity_exists, in_the_way, no_entity, no_such, not_attachable
from tradewind.iam.trustees import ids_in, named_by_arn, named_by_id
from tradewind.store.iam_tables import (
    iam_access_keys,
    iam_attachments,
    iam_entities,
    iam_inline_policies,
    iam_memberships,
    iam_policies,
)


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that is the only one that writes IAM's tables."""
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7234104)"))
        yield connection


@dataclass(frozen=True)
class Entities:
    """The iam_entities and iam_memberships tables."""

    engine: sa.Engine
    home: Home

    def find(self, kind: EntityKind, name: str) -> Entity | None:
        """By name, in any case."""
        with self.engine.connect() as connection:
            return find_entity(connection, self.home, kind, name)

    def get(self, kind: EntityKind, name: str) -> Entity:
        """By name. Raises Refused."""
        with self.engine.connect() as connection:
            return get_entity(connection, self.home, kind, name)

    def all(self, kind: EntityKind, path_prefix: str = "/") -> list[Entity]:
        """Of a kind, in the order of their names."""
        query = (
            sa.select(iam_entities)
            .where(iam_entities.c.kind == kind.value, iam_entities.c.path.startswith(path_prefix, autoescape=True))
            .order_by(iam_entities.c.folded)
        )
        with self.engine.connect() as connection:
            return [entity_of_row(row, self.home) for row in connection.execute(query).mappings()]

    def create(self, entity: Entity) -> Entity:
        """Make it. Raises Refused: the name is taken, the quota is reached, the boundary is not there."""
        with writing(self.engine) as connection:
            if find_entity(connection, self.home, entity.kind, entity.name) is not None:
                raise entity_exists(entity.kind, entity.name)
            query = sa.select(sa.func.count()).where(iam_entities.c.kind == entity.kind.value)
            refuse_more_entities(entity.kind, connection.execute(query).scalar_one())
            if entity.boundary is not None:
                refuse_no_policy(connection, self.home, entity.boundary)
            self._insert(connection, entity)
        return entity

    def create_first(self, entity: Entity, inline: Mapping[str, str]) -> bool:
        """Make it, with inline policies (documents by names), where nobody is there yet. False where somebody is.

        One transaction: it is never there without its policies, and of two control planes that begin only one makes it.
        """
        with writing(self.engine) as connection:
            if connection.execute(sa.select(iam_entities.c.id).limit(1)).first() is not None:
                return False
            self._insert(connection, entity)
            rows = [{"entity_id": entity.id, "name": name, "document": text} for name, text in inline.items()]
            if rows:
                connection.execute(sa.insert(iam_inline_policies), rows)
        return True

    def rename(self, kind: EntityKind, name: str, new_name: str | None, new_path: str | None) -> None:
        """Another name, another path, or both; what it holds stays. Raises Refused."""
        with writing(self.engine) as connection:
            entity = get_entity(connection, self.home, kind, name)
            if new_name is not None:
                taken = find_entity(connection, self.home, kind, new_name)
                if taken is not None and taken.id != entity.id:
                    raise entity_exists(kind, new_name)
            name = new_name or entity.name
            _update(connection, entity, name=name, folded=name.lower(), path=new_path or entity.path)

    def change_role(
        self, name: str, *, trust: str | None = None, description: str | None = None, duration: int | None = None
    ) -> Entity:
        """Set what is given of a role. Raises Refused."""
        with writing(self.engine) as connection:
            kept = None if trust is None else _by_id(connection, self.home, trust)
            given = {"trust": kept, "description": description, "max_session_duration": duration}
            entity = get_entity(connection, self.home, EntityKind.ROLE, name)
            values = {column: value for column, value in given.items() if value is not None}
            if values:
                _update(connection, entity, **values)
            return get_entity(connection, self.home, EntityKind.ROLE, name)

    def shown(self, roles: Sequence[Entity]) -> list[Entity]:
        """The same with trust policies that name users and roles by the ARNs that they have now."""
        ids = {id_ for role in roles for id_ in ids_in(role.trust)}
        query = sa.select(iam_entities).where(iam_entities.c.id.in_(ids))
        with self.engine.connect() as connection:
            rows = connection.execute(query).mappings().all() if ids else []
        arns = {row["id"]: entity_of_row(row, self.home).arn for row in rows}
        return [dataclasses.replace(role, trust=named_by_arn(role.trust, arns.get)) for role in roles]

    def bound(self, kind: EntityKind, name: str, policy_arn: str | None) -> None:
        """Set or take away the permissions boundary. Raises Refused."""
        with writing(self.engine) as connection:
            entity = get_entity(connection, self.home, kind, name)
            if policy_arn is not None:
                refuse_no_policy(connection, self.home, policy_arn)
            _update(connection, entity, boundary=policy_arn)

    def tag(self, kind: EntityKind, name: str, given: Iterable[tuple[str, str]]) -> None:
        """Add or replace tags. Raises Refused."""
        with writing(self.engine) as connection:
            entity = get_entity(connection, self.home, kind, name)
            _update(connection, entity, tags=tagged(entity.tags, given))

    def untag(self, kind: EntityKind, name: str, keys: Iterable[str]) -> None:
        """Take tags away. Raises Refused."""
        with writing(self.engine) as connection:
            entity = get_entity(connection, self.home, kind, name)
            _update(connection, entity, tags=untagged(entity.tags, keys))

    def delete(self, kind: EntityKind, name: str) -> None:
        """Delete it, when it holds nothing any more. Raises Refused."""
        with writing(self.engine) as connection:
            entity = get_entity(connection, self.home, kind, name)
            for column, what in _IN_THE_WAY[kind]:
                if connection.execute(sa.select(sa.exists().where(column == entity.id))).scalar_one():
                    raise in_the_way(what)
            connection.execute(sa.delete(iam_entities).where(iam_entities.c.id == entity.id))

    def join_group(self, user: str, group: str) -> None:
        """Put a user into a group; being in it already is fine. Raises Refused."""
        with writing(self.engine) as connection:
            pair = self._pair(connection, user, group)
            of_user = sa.select(iam_memberships.c.group_id).where(iam_memberships.c.user_id == pair["user_id"])
            present = set(connection.execute(of_user).scalars())
            if pair["group_id"] not in present:
                refuse_more_groups(len(present))
                connection.execute(sa.insert(iam_memberships).values(pair))

    def leave_group(self, user: str, group: str) -> None:
        """Take a user out of a group. Raises Refused."""
        with writing(self.engine) as connection:
            pair = self._pair(connection, user, group)
            gone = sa.delete(iam_memberships).where(
                iam_memberships.c.user_id == pair["user_id"], iam_memberships.c.group_id == pair["group_id"]
            )
            if not connection.execute(gone.returning(iam_memberships.c.user_id)).first():
                raise no_such(f"User {user} not in group {group}")

    def groups_of(self, user: str) -> list[Entity]:
        """The groups that a user is in. Raises Refused."""
        is_of = iam_memberships.c.group_id == iam_entities.c.id
        return self._related(EntityKind.USER, user, is_of, iam_memberships.c.user_id)

    def members(self, group: str) -> list[Entity]:
        """The users in a group. Raises Refused."""
        is_in = iam_memberships.c.user_id == iam_entities.c.id
        return self._related(EntityKind.GROUP, group, is_in, iam_memberships.c.group_id)

    def _insert(self, connection: sa.Connection, entity: Entity) -> None:
        row = _row_of(entity)
        if entity.kind is EntityKind.ROLE:
            row["trust"] = _by_id(connection, self.home, entity.trust)
        connection.execute(sa.insert(iam_entities).values(row))

    def _related(self, kind: EntityKind, name: str, joined: sa.ColumnElement[bool], by: Any) -> list[Entity]:
        with self.engine.connect() as connection:
            entity = get_entity(connection, self.home, kind, name)
            query = (
                sa.select(iam_entities)
                .join(iam_memberships, joined)
                .where(by == entity.id)
                .order_by(iam_entities.c.folded)
            )
            return [entity_of_row(row, self.home) for row in connection.execute(query).mappings()]

    def _pair(self, connection: sa.Connection, user: str, group: str) -> dict[str, str]:
        group_id = get_entity(connection, self.home, EntityKind.GROUP, group).id
        return {"user_id": get_entity(connection, self.home, EntityKind.USER, user).id, "group_id": group_id}


_HELD = (
    (iam_attachments.c.entity_id, "detach all policies"),
    (iam_inline_policies.c.entity_id, "delete policies"),
)
_IN_THE_WAY: dict[EntityKind, tuple[tuple[sa.Column[Any], str], ...]] = {
    EntityKind.USER: (
        (iam_memberships.c.user_id, "remove users from group"),
        (iam_access_keys.c.user_id, "delete access keys"),
        *_HELD,
    ),
    EntityKind.GROUP: ((iam_memberships.c.group_id, "remove users from group"), *_HELD),
    EntityKind.ROLE: _HELD,
}


def find_entity(connection: sa.Connection, home: Home, kind: EntityKind, name: str) -> Entity | None:
    """Within a transaction: by name, in any case."""
    query = sa.select(iam_entities).where(iam_entities.c.kind == kind.value, iam_entities.c.folded == name.lower())
    row = connection.execute(query).mappings().first()
    return None if row is None else entity_of_row(row, home)


def get_entity(connection: sa.Connection, home: Home, kind: EntityKind, name: str) -> Entity:
    """Within a transaction: by name. Raises Refused."""
    entity = find_entity(connection, home, kind, name)
    if entity is None:
        raise no_entity(kind, name)
    return entity


def refuse_no_policy(connection: sa.Connection, home: Home, arn: str) -> None:
    """Within a transaction: the managed policy must be there. Raises Refused."""
    if arn in aws_policies(home):
        return
    if connection.execute(sa.select(iam_policies.c.id).where(iam_policies.c.arn == arn)).first() is None:
        raise not_attachable(arn)


def entity_of_row(row: sa.RowMapping, home: Home) -> Entity:
    """A row as the value that the rooms above work with."""
    kind = EntityKind(row["kind"])
    return Entity(
        kind=kind,
        id=row["id"],
        name=row["name"],
        path=row["path"],
        arn=home.entity(kind, row["path"], row["name"]),
        created_at=row["created_at"],
        tags=row["tags"],
        boundary=row["boundary"],
        trust=row["trust"],
        description=row["description"],
        max_session_duration=row["max_session_duration"],
        last_used_at=row["last_used_at"],
        last_used_region=row["last_used_region"],
    )


def _by_id(connection: sa.Connection, home: Home, trust: str) -> str:
    """A trust policy as it is kept. Raises Refused."""

    def id_of(name: str) -> str | None:
        is_id = iam_entities.c.id == name
        kind, _, rest = name.removeprefix(home.arn("")).partition("/")
        is_named = sa.and_(iam_entities.c.kind == kind, iam_entities.c.folded == rest.rsplit("/", 1)[-1].lower())
        is_able = iam_entities.c.kind != EntityKind.GROUP.value
        for row in connection.execute(sa.select(iam_entities).where(sa.or_(is_id, is_named), is_able)).mappings():
            if name in {row["id"], entity_of_row(row, home).arn}:
                return str(row["id"])
        return None

    return named_by_id(trust, home, id_of)


def _row_of(entity: Entity) -> dict[str, Any]:
    return {
        "id": entity.id,
        "kind": entity.kind.value,
        "name": entity.name,
        "folded": entity.name.lower(),
        "path": entity.path,
        "created_at": entity.created_at,
        "tags": dict(entity.tags),
        "boundary": entity.boundary,
        "trust": entity.trust,
        "description": entity.description,
        "max_session_duration": entity.max_session_duration,
    }


def _update(connection: sa.Connection, entity: Entity, **values: Any) -> None:
    connection.execute(sa.update(iam_entities).where(iam_entities.c.id == entity.id).values(values))
