"""The table of temporary credentials.

`holder_id` is the role or user that they stand for, none for the account's root. It cascades: who deletes a role or a
user ends all of its sessions at once.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from tradewind.store.iam_tables import iam_entities
from tradewind.store.tables import metadata, sealed_in

iam_sessions = sa.Table(
    "iam_sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # the access key's
    sa.Column("holder_id", sa.Text, sa.ForeignKey(iam_entities.c.id, ondelete="CASCADE"), index=True),
    sa.Column("secrets", sa.Text, nullable=False, info=sealed_in("iam_sessions")),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source_identity", sa.Text),
    sa.Column("tags", JSONB, nullable=False),
    sa.Column("transitive", JSONB, nullable=False),
    sa.Column("policies", JSONB(none_as_null=True)),
    sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
)
