"""Temporary credentials: made once, good until they expire or their holder is deleted.

Secret and session token are random (240 and 480 bits) and lie in the table as one sealed document: both are compared
as they are with what a caller sends. What a session may do is looked up with every use: what is taken away from a role
or a user is taken away from all of its sessions at once. Session policies are those of the moment it was made.

An expired session is known for a day, so that its owner is told that it has expired; then its row goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from tradewind.iam import Holding, Kind, Policy, Principal, parse_document, root_principal
from tradewind.iam.contexts import Context
from tradewind.iam.entities import Entity, EntityKind, Home, new_id, new_secret
from tradewind.iam.sessions import TRANSITIVE, effective_tags
from tradewind.store.engines import reading
from tradewind.store.iam_entities import entity_of_row
from tradewind.store.iam_holdings import holding_of_entity, principal_of
from tradewind.store.iam_tables import iam_entities
from tradewind.store.identities import Credential
from tradewind.store.sealed import open_document, seal_document
from tradewind.store.sealing import Sealing
from tradewind.store.session_tables import iam_sessions

PREFIX = "ASIA"
_REMEMBERED = timedelta(days=1)


class HolderGone(LookupError):
    """The role or user was deleted in the meantime."""


@dataclass(frozen=True)
class Session:
    """What a session is made of. `holder_id` is the unique id of a role or user, None for the account's root."""

    holder_id: str | None
    issued_at: datetime
    expires_at: datetime
    name: str = ""  # RoleSessionName
    source_identity: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: tuple[str, ...] = ()
    policies: tuple[Policy, ...] | None = None


@dataclass(frozen=True)
class Issued:
    """New credentials: shown now and never again."""

    access_key_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Sessions:
    """The iam_sessions table."""

    engine: sa.Engine
    sealing: Sealing
    home: Home

    def issue(self, session: Session) -> Issued:
        """Make credentials. Raises HolderGone."""
        id_ = new_id(PREFIX, letters=16)
        issued = Issued(id_, new_secret(), new_secret() + new_secret(), session.expires_at)
        values = {
            "id": id_,
            "holder_id": session.holder_id,
            "secrets": seal_document(self.sealing, {"secret": issued.secret, "token": issued.token}, place(id_)),
            "name": session.name,
            "source_identity": session.source_identity,
            "tags": dict(session.tags),
            "transitive": list(session.transitive),
            "policies": None if session.policies is None else [_written(policy) for policy in session.policies],
            "issued_at": session.issued_at,
            "expires_at": session.expires_at,
        }
        with self.engine.begin() as connection:
            forgotten = iam_sessions.c.expires_at < session.issued_at - _REMEMBERED
            connection.execute(sa.delete(iam_sessions).where(forgotten))
            try:
                connection.execute(sa.insert(iam_sessions).values(values))
            except sa.exc.IntegrityError as error:  # an id of 80 random bits is not drawn twice
                raise HolderGone(session.holder_id) from error
        return issued

    def credential(self, access_key_id: str) -> Credential | None:
        """Credentials, also expired ones, with everything that is in force for their holder now. Raises Unsealable."""
        columns = [column.label(f"session_{column.name}") for column in iam_sessions.c]
        query = (
            sa.select(iam_entities, *columns)
            .select_from(iam_sessions.outerjoin(iam_entities, iam_entities.c.id == iam_sessions.c.holder_id))
            .where(iam_sessions.c.id == access_key_id)
        )
        with reading(self.engine) as connection:
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            entity = None if row["session_holder_id"] is None else entity_of_row(row, self.home)
            held = Holding() if entity is None else holding_of_entity(connection, self.home, entity)
        secrets = open_document(self.sealing, row["session_secrets"], place(access_key_id))
        holding = Holding(held.identity, held.boundary, _read(row["session_policies"]))
        expires = row["session_expires_at"].astimezone(UTC)
        return Credential(
            secrets["secret"], secrets["token"], self._principal(row, entity), holding, expires, is_active=True
        )

    def _principal(self, row: sa.RowMapping, entity: Entity | None) -> Principal:
        if entity is None:
            base = root_principal(self.home.account, self.home.partition)
        else:
            base = principal_of(entity, self.home)
        is_role = entity is not None and entity.kind is EntityKind.ROLE
        name = f"assumed-role/{entity.name}/{row['session_name']}" if entity is not None and is_role else ""
        return Principal(
            arn=f"arn:{self.home.partition}:sts::{self.home.account}:{name}" if name else base.arn,
            account=base.account,
            identity=name or base.identity,
            is_root=base.is_root,
            user_id=f"{base.user_id}:{row['session_name']}" if name else base.user_id,
            user_name=base.user_name,
            kind=Kind.ASSUMED_ROLE if name else base.kind,
            tags=effective_tags(base.tags, row["session_tags"]),
            role_arn=base.role_arn,
            session_context=_context(row),
            partition=base.partition,
        )


def place(id_: str) -> str:
    """What secret and token are sealed for."""
    return f"iam_sessions/{id_}"


def _context(row: sa.RowMapping) -> Mapping[str, tuple[str, ...]]:
    return Context.of(
        {
            "aws:TokenIssueTime": row["session_issued_at"],
            "aws:MultiFactorAuthPresent": False,
            "aws:SourceIdentity": row["session_source_identity"],
            TRANSITIVE: row["session_transitive"],
        }
    ).values


def _written(policy: Policy) -> dict[str, str]:
    return {"name": policy.name, "document": policy.document.text, "origin": policy.origin}


def _read(policies: list[dict[str, str]] | None) -> tuple[Policy, ...] | None:
    if policies is None:
        return None
    return tuple(Policy(each["name"], parse_document(each["document"]), each["origin"]) for each in policies)
