"""Managed policies in the tables, with their versions; AWS's own are beside them, from `iam/aws_policies.py`.

AWS's policies can be read and counted here, never changed. A version's number is never used again, also after it was
deleted. The default version is the one in force.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tradewind.iam.aws_policies import aws_policies, aws_version
from tradewind.iam.entities import Home, ManagedPolicy, PolicyVersion
from tradewind.iam.quotas import refuse_more_policies, refuse_more_versions, tagged, untagged
from tradewind.iam.refusals import conflict, invalid, no_policy, no_version, policy_exists
from tradewind.store.iam_entities import writing
from tradewind.store.iam_tables import iam_attachments, iam_entities, iam_policies, iam_policy_versions


@dataclass(frozen=True)
class ManagedPolicies:
    """The iam_policies and iam_policy_versions tables, and AWS's policies."""

    engine: sa.Engine
    home: Home

    def find(self, arn: str) -> ManagedPolicy | None:
        """By ARN, with the numbers of its uses."""
        with self.engine.connect() as connection:
            return _find(connection, self.home, arn)

    def get(self, arn: str) -> ManagedPolicy:
        """By ARN. Raises Refused."""
        with self.engine.connect() as connection:
            return _get(connection, self.home, arn)

    def all(self) -> list[ManagedPolicy]:
        """The account's and AWS's."""
        with self.engine.connect() as connection:
            attached = _counts(connection, iam_attachments.c.policy_arn)
            bounded = _counts(connection, iam_entities.c.boundary)
            rows = connection.execute(sa.select(iam_policies).order_by(iam_policies.c.folded)).mappings().all()
        policies = [*(_policy(row) for row in rows), *aws_policies(self.home).values()]
        return [
            dataclasses.replace(policy, attachments=attached.get(policy.arn, 0), boundaries=bounded.get(policy.arn, 0))
            for policy in policies
        ]

    def create(self, policy: ManagedPolicy, document: str) -> None:
        """Make it, with its version 1. Raises Refused."""
        with writing(self.engine) as connection:
            folded = policy.name.lower()
            if connection.execute(sa.select(iam_policies.c.id).where(iam_policies.c.folded == folded)).first():
                raise policy_exists(policy.name)
            query = sa.select(sa.func.count()).select_from(iam_policies)
            refuse_more_policies(connection.execute(query).scalar_one())
            row = {
                "id": policy.id,
                "arn": policy.arn,
                "name": policy.name,
                "folded": folded,
                "path": policy.path,
                "description": policy.description,
                "created_at": policy.created_at,
                "updated_at": policy.updated_at,
                "default_version": 1,
                "latest_version": 1,
                "tags": dict(policy.tags),
            }
            connection.execute(sa.insert(iam_policies).values(row))
            _insert_version(connection, policy.id, 1, document, policy.created_at)

    def delete(self, arn: str) -> None:
        """Delete it, when nobody has it and its default version is its only one. Raises Refused."""
        with writing(self.engine) as connection:
            policy = _ours(connection, self.home, arn)
            if policy.attachments or policy.boundaries:
                raise conflict("Cannot delete a policy attached to entities.")
            if len(_versions(connection, policy)) > 1:
                raise conflict(
                    "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                    "versions. The default version is deleted with the policy."
                )
            connection.execute(sa.delete(iam_policy_versions).where(iam_policy_versions.c.policy_id == policy.id))
            connection.execute(sa.delete(iam_policies).where(iam_policies.c.id == policy.id))

    def versions(self, arn: str) -> list[PolicyVersion]:
        """The newest first. Raises Refused."""
        with self.engine.connect() as connection:
            return _versions(connection, _get(connection, self.home, arn))

    def versions_in_use(self) -> int:
        """Of all of the account's policies."""
        with self.engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(iam_policy_versions)).scalar_one()

    def version(self, arn: str, id_: str) -> PolicyVersion:
        """One of them, by its id (`v2`). Raises Refused."""
        with self.engine.connect() as connection:
            return _version(connection, _get(connection, self.home, arn), id_)

    def add_version(self, arn: str, document: str, *, is_default: bool, now: datetime) -> PolicyVersion:
        """A new version; in force at once when it is the default. Raises Refused."""
        with writing(self.engine) as connection:
            policy = _ours(connection, self.home, arn)
            refuse_more_versions(len(_versions(connection, policy)))
            mine = iam_policies.c.id == policy.id
            latest = connection.execute(sa.select(iam_policies.c.latest_version).where(mine)).scalar_one()
            values: dict[str, Any] = {"latest_version": latest + 1, "updated_at": now}
            if is_default:
                values["default_version"] = latest + 1
            _insert_version(connection, policy.id, latest + 1, document, now)
            connection.execute(sa.update(iam_policies).where(mine).values(values))
        return PolicyVersion(latest + 1, document, is_default, now)

    def delete_version(self, arn: str, id_: str) -> None:
        """Delete a version that is not the default. Raises Refused."""
        with writing(self.engine) as connection:
            policy = _ours(connection, self.home, arn)
            version = _version(connection, policy, id_)
            if version.is_default:
                raise conflict("Cannot delete the default version of a policy.")
            columns = iam_policy_versions.c
            mine = sa.and_(columns.policy_id == policy.id, columns.number == version.number)
            connection.execute(sa.delete(iam_policy_versions).where(mine))

    def set_default(self, arn: str, id_: str, now: datetime) -> None:
        """Which version is in force. Raises Refused."""
        with writing(self.engine) as connection:
            policy = _ours(connection, self.home, arn)
            number = _version(connection, policy, id_).number
            values = {"default_version": number, "updated_at": now}
            connection.execute(sa.update(iam_policies).where(iam_policies.c.id == policy.id).values(values))

    def tag(self, arn: str, given: Iterable[tuple[str, str]]) -> None:
        """Add or replace tags. Raises Refused."""
        with writing(self.engine) as connection:
            policy = _ours(connection, self.home, arn)
            _set_tags(connection, policy, tagged(policy.tags, given))

    def untag(self, arn: str, keys: Iterable[str]) -> None:
        """Take tags away. Raises Refused."""
        with writing(self.engine) as connection:
            policy = _ours(connection, self.home, arn)
            _set_tags(connection, policy, untagged(policy.tags, keys))


def _find(connection: sa.Connection, home: Home, arn: str) -> ManagedPolicy | None:
    row = connection.execute(sa.select(iam_policies).where(iam_policies.c.arn == arn)).mappings().first()
    policy = aws_policies(home).get(arn) if row is None else _policy(row)
    if policy is None:
        return None
    attachments = sa.select(sa.func.count()).where(iam_attachments.c.policy_arn == arn).scalar_subquery()
    boundaries = sa.select(sa.func.count()).where(iam_entities.c.boundary == arn).scalar_subquery()
    attached, bounded = connection.execute(sa.select(attachments, boundaries)).one()
    return dataclasses.replace(policy, attachments=attached, boundaries=bounded)


def _get(connection: sa.Connection, home: Home, arn: str) -> ManagedPolicy:
    policy = _find(connection, home, arn)
    if policy is None:
        raise no_policy(arn)
    return policy


def _ours(connection: sa.Connection, home: Home, arn: str) -> ManagedPolicy:
    policy = _get(connection, home, arn)
    if not policy.is_ours:
        raise invalid("Policy is outside your own account.")
    return policy


def _versions(connection: sa.Connection, policy: ManagedPolicy) -> list[PolicyVersion]:
    if not policy.is_ours:
        return [aws_version(policy.name)]
    columns = iam_policy_versions.c
    query = sa.select(columns.number, columns.document, columns.created_at).where(columns.policy_id == policy.id)
    return [
        PolicyVersion(number, document, number == policy.default_version, created_at)
        for number, document, created_at in connection.execute(query.order_by(columns.number.desc()))
    ]


def _version(connection: sa.Connection, policy: ManagedPolicy, id_: str) -> PolicyVersion:
    for version in _versions(connection, policy):
        if version.id == id_:
            return version
    raise no_version(policy.arn, id_)


def _insert_version(connection: sa.Connection, policy_id: str, number: int, document: str, now: datetime) -> None:
    row = {"policy_id": policy_id, "number": number, "document": document, "created_at": now}
    connection.execute(sa.insert(iam_policy_versions).values(row))


def _set_tags(connection: sa.Connection, policy: ManagedPolicy, tags: dict[str, str]) -> None:
    connection.execute(sa.update(iam_policies).where(iam_policies.c.id == policy.id).values(tags=tags))


def _counts(connection: sa.Connection, column: sa.Column[Any]) -> dict[str, int]:
    query = sa.select(column, sa.func.count()).where(column.is_not(None)).group_by(column)
    return {arn: number for arn, number in connection.execute(query)}  # noqa: C416  (rows are not pairs to mypy)


def _policy(row: sa.RowMapping) -> ManagedPolicy:
    return ManagedPolicy(
        id=row["id"],
        name=row["name"],
        path=row["path"],
        arn=row["arn"],
        description=row["description"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        default_version=row["default_version"],
        tags=row["tags"],
    )
