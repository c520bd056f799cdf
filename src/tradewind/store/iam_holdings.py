"""Everything that is in force for a user, a group or a role, in one query.

A user holds its own policies, those of its groups, and a boundary; a role holds its own and a boundary. Documents are
parsed once and kept by their text (they are values), since the same few are asked for with every request. A policy that
is named but not there raises: left out, it might have been the one that denies.
"""

from collections.abc import Iterator
from functools import lru_cache

import sqlalchemy as sa

from tradewind.iam import Document, DocumentKind, Holding, Kind, Policy, Principal, parse_document
from tradewind.iam.aws_policies import aws_policies, aws_version
from tradewind.iam.entities import Entity, EntityKind, Home
from tradewind.store.iam_tables import (
    iam_attachments,
    iam_entities,
    iam_inline_policies,
    iam_memberships,
    iam_policies,
    iam_policy_versions,
)

_INLINE, _MANAGED, _BOUNDARY = "inline", "managed", "boundary"
_PARSED = 1024


def principal_of(entity: Entity, home: Home) -> Principal:
    """Who it is for decisions. A role's stands for any session of it: a real session says its own name and tags."""
    is_role = entity.kind is EntityKind.ROLE
    return Principal(
        arn=entity.arn,
        account=home.account,
        identity=f"{entity.kind.value}/{entity.name}",
        user_id=entity.id,
        user_name=entity.name if entity.kind is EntityKind.USER else None,
        kind=Kind.ASSUMED_ROLE if is_role else Kind.USER,
        tags=entity.tags,
        role_arn=entity.arn if is_role else None,
        partition=home.partition,
    )


def holding_of_entity(connection: sa.Connection, home: Home, entity: Entity) -> Holding:
    """Its identity-based policies and its boundary. Raises LookupError when the tables contradict themselves."""
    identity: list[Policy] = []
    boundary: Policy | None = None
    for source, policy in _policies(connection, home, entity):
        if source == _BOUNDARY:
            boundary = policy
        else:
            identity.append(policy)
    return Holding(identity=tuple(identity), boundary=boundary)


def managed_policy(home: Home, arn: str, name: str | None, document: str | None) -> Policy:
    """A managed policy in force; `document` is None for AWS's own. Raises LookupError when there is none."""
    if document is None:
        ours = aws_policies(home).get(arn)
        if ours is None:
            raise LookupError(f"cannot tell what is allowed: the policy {arn} is held but not there")
        name, document = ours.name, aws_version(ours.name).document
    return Policy(name or arn, parsed(document), f"managed policy {arn}")


@lru_cache(maxsize=_PARSED)
def parsed(document: str) -> Document:
    """An identity-based policy that was accepted when it was put. Raises MalformedDocument."""
    return parse_document(document, DocumentKind.IDENTITY)


def _policies(connection: sa.Connection, home: Home, entity: Entity) -> Iterator[tuple[str, Policy]]:
    for source, kind, holder, name, arn, document in connection.execute(_query(entity)):
        if source == _INLINE:
            yield source, Policy(name, parsed(document), f"inline policy {name} of {kind} {holder}")
        else:
            yield source, managed_policy(home, arn, name, document)


def _query(entity: Entity) -> sa.CompoundSelect[str, str, str, str, str, str]:
    groups = sa.select(iam_memberships.c.group_id).where(iam_memberships.c.user_id == entity.id)
    is_holder = sa.or_(iam_entities.c.id == entity.id, iam_entities.c.id.in_(groups))
    who = (iam_entities.c.kind, iam_entities.c.name)
    inline = (
        sa.select(
            sa.literal(_INLINE).label("source"),
            *who,
            iam_inline_policies.c.name.label("policy"),
            sa.null().cast(sa.Text).label("arn"),
            iam_inline_policies.c.document,
        )
        .join(iam_inline_policies, iam_inline_policies.c.entity_id == iam_entities.c.id)
        .where(is_holder)
    )
    arn = iam_attachments.c.policy_arn
    held = iam_entities.join(iam_attachments, iam_attachments.c.entity_id == iam_entities.c.id)
    managed = (
        sa.select(sa.literal(_MANAGED), *who, iam_policies.c.name, arn, iam_policy_versions.c.document)
        .select_from(_with_versions(held, arn))
        .where(is_holder)
    )
    boundary = (
        sa.select(
            sa.literal(_BOUNDARY), *who, iam_policies.c.name, iam_entities.c.boundary, iam_policy_versions.c.document
        )
        .select_from(_with_versions(iam_entities, iam_entities.c.boundary))
        .where(iam_entities.c.id == entity.id, iam_entities.c.boundary.is_not(None))
    )
    return sa.union_all(inline, managed, boundary).order_by("source", "kind", "name", "policy", "arn")


def _with_versions(held: sa.FromClause, arn: sa.ColumnElement[str | None]) -> sa.FromClause:
    """Beside a policy's ARN: its row and its default version, or nothing where it is one of AWS's."""
    is_default = sa.and_(
        iam_policy_versions.c.policy_id == iam_policies.c.id,
        iam_policy_versions.c.number == iam_policies.c.default_version,
    )
    return held.outerjoin(iam_policies, iam_policies.c.arn == arn).outerjoin(iam_policy_versions, is_default)
