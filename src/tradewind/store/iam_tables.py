"""IAM's tables. Users, groups and roles are one table; managed policies, versions, attachments and keys hang on it.

`folded` is the name in small letters: it is what is unique. Foreign keys do not cascade, so that an entity that still
holds something cannot go, whatever a query forgets; AWS's own answer for that is DeleteConflict. An attachment and a
boundary name their policy by ARN, since AWS's own policies have no row. Secrets of access keys are sealed.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from tradewind.store.tables import metadata, sealed_in

iam_entities = sa.Table(
    "iam_entities",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("folded", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("tags", JSONB, nullable=False),
    sa.Column("boundary", sa.Text, index=True),
    # of roles
    sa.Column("trust", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("max_session_duration", sa.Integer, nullable=False),
    sa.Column("last_used_at", sa.DateTime(timezone=True)),
    sa.Column("last_used_region", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("kind", "folded"),
)

iam_memberships = sa.Table(
    "iam_memberships",
    metadata,
    sa.Column("user_id", sa.Text, sa.ForeignKey("iam_entities.id"), primary_key=True),
    sa.Column("group_id", sa.Text, sa.ForeignKey("iam_entities.id"), primary_key=True, index=True),
)

iam_inline_policies = sa.Table(
    "iam_inline_policies",
    metadata,
    sa.Column("entity_id", sa.Text, sa.ForeignKey("iam_entities.id"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
)

iam_policies = sa.Table(
    "iam_policies",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("arn", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("folded", sa.Text, nullable=False, unique=True),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("default_version", sa.Integer, nullable=False),
    sa.Column("latest_version", sa.Integer, nullable=False),  # ever: numbers are never used again
    sa.Column("tags", JSONB, nullable=False),
)

iam_policy_versions = sa.Table(
    "iam_policy_versions",
    metadata,
    sa.Column("policy_id", sa.Text, sa.ForeignKey("iam_policies.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

iam_attachments = sa.Table(
    "iam_attachments",
    metadata,
    sa.Column("entity_id", sa.Text, sa.ForeignKey("iam_entities.id"), primary_key=True),
    sa.Column("policy_arn", sa.Text, primary_key=True, index=True),
)

iam_access_keys = sa.Table(
    "iam_access_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Text, sa.ForeignKey("iam_entities.id"), nullable=False, index=True),
    sa.Column("secret", sa.Text, nullable=False, info=sealed_in("access_keys")),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("last_used_at", sa.DateTime(timezone=True)),
    sa.Column("last_used_service", sa.Text),
    sa.Column("last_used_region", sa.Text),
)

iam_aliases = sa.Table("iam_aliases", metadata, sa.Column("alias", sa.Text, primary_key=True))
