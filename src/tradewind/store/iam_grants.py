"""What users, groups and roles hold: inline policies, and managed policies that are attached to them.

A managed policy is named by its ARN, the account's own or AWS's. Who holds what is changed under IAM's one lock
(`writing`), so a policy cannot be deleted while it is being attached, nor a quota be passed by two calls at once.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from tradewind.iam.entities import Entity, EntityKind, Home
from tradewind.iam.quotas import refuse_large_inline, refuse_more_attached
from tradewind.iam.refusals import no_inline_policy, no_policy
from tradewind.store.iam_entities import entity_of_row, get_entity, refuse_no_policy, writing
from tradewind.store.iam_tables import iam_attachments, iam_entities, iam_inline_policies


@dataclass(frozen=True)
class Grants:
    """The iam_inline_policies and iam_attachments tables."""

    engine: sa.Engine
    home: Home

    def put_inline(self, kind: EntityKind, name: str, policy: str, document: str) -> None:
        """Add or replace an inline policy. Raises Refused: all of them together are too large."""
        with writing(self.engine) as connection:
            entity = get_entity(connection, self.home, kind, name)
            documents = {**_inline(connection, entity.id), policy: document}
            refuse_large_inline(kind, entity.name, documents.values())
            row = {"entity_id": entity.id, "name": policy, "document": document}
            statement = insert(iam_inline_policies).values(row)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["entity_id", "name"], set_={"document": document})
            )

    def inline(self, kind: EntityKind, name: str) -> dict[str, str]:
        """The documents of an entity's inline policies by their names, in order. Raises Refused."""
        with self.engine.connect() as connection:
            return _inline(connection, get_entity(connection, self.home, kind, name).id)

    def delete_inline(self, kind: EntityKind, name: str, policy: str) -> None:
        """Delete an inline policy. Raises Refused."""
        with writing(self.engine) as connection:
            entity = get_entity(connection, self.home, kind, name)
            gone = sa.delete(iam_inline_policies).where(
                iam_inline_policies.c.entity_id == entity.id, iam_inline_policies.c.name == policy
            )
            if not connection.execute(gone.returning(iam_inline_policies.c.name)).first():
                raise no_inline_policy(kind, policy)

    def attach(self, kind: EntityKind, name: str, policy_arn: str) -> None:
        """Attach a managed policy; a second time is fine. Raises Refused."""
        with writing(self.engine) as connection:
            entity = get_entity(connection, self.home, kind, name)
            refuse_no_policy(connection, self.home, policy_arn)
            present = _attached(connection, entity.id)
            if policy_arn not in present:
                refuse_more_attached(kind, len(present))
                connection.execute(sa.insert(iam_attachments).values(entity_id=entity.id, policy_arn=policy_arn))

    def detach(self, kind: EntityKind, name: str, policy_arn: str) -> None:
        """Detach a managed policy. Raises Refused."""
        with writing(self.engine) as connection:
            entity = get_entity(connection, self.home, kind, name)
            gone = sa.delete(iam_attachments).where(
                iam_attachments.c.entity_id == entity.id, iam_attachments.c.policy_arn == policy_arn
            )
            if not connection.execute(gone.returning(iam_attachments.c.policy_arn)).first():
                raise no_policy(policy_arn)

    def attached(self, kind: EntityKind, name: str) -> list[str]:
        """ARNs of an entity's attached policies. Raises Refused."""
        with self.engine.connect() as connection:
            return _attached(connection, get_entity(connection, self.home, kind, name).id)

    def holders(self, policy_arn: str) -> list[Entity]:
        """Users, groups and roles that a managed policy is attached to."""
        attached = sa.select(iam_attachments.c.entity_id).where(iam_attachments.c.policy_arn == policy_arn)
        return self._entities(iam_entities.c.id.in_(attached))

    def bounded(self, policy_arn: str) -> list[Entity]:
        """Users and roles whose permissions boundary a managed policy is."""
        return self._entities(iam_entities.c.boundary == policy_arn)

    def everything(self) -> tuple[dict[str, dict[str, str]], dict[str, list[str]]]:
        """Inline documents and ARNs of attached policies of the whole account, each by the entity's unique id."""
        inline: dict[str, dict[str, str]] = {}
        attached: dict[str, list[str]] = {}
        with self.engine.connect() as connection:
            for id_, name, document in connection.execute(sa.select(iam_inline_policies).order_by("entity_id", "name")):
                inline.setdefault(id_, {})[name] = document
            for id_, arn in connection.execute(sa.select(iam_attachments).order_by("entity_id", "policy_arn")):
                attached.setdefault(id_, []).append(arn)
        return inline, attached

    def _entities(self, condition: sa.ColumnElement[bool]) -> list[Entity]:
        query = sa.select(iam_entities).where(condition).order_by(iam_entities.c.kind, iam_entities.c.folded)
        with self.engine.connect() as connection:
            return [entity_of_row(row, self.home) for row in connection.execute(query).mappings()]


def _inline(connection: sa.Connection, entity_id: str) -> dict[str, str]:
    columns = iam_inline_policies.c
    query = sa.select(columns.name, columns.document).where(columns.entity_id == entity_id).order_by(columns.name)
    return {name: document for name, document in connection.execute(query)}  # noqa: C416  (rows are not pairs to mypy)


def _attached(connection: sa.Connection, entity_id: str) -> list[str]:
    columns = iam_attachments.c
    query = sa.select(columns.policy_arn).where(columns.entity_id == entity_id).order_by(columns.policy_arn)
    return list(connection.execute(query).scalars())
