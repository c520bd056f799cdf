"""Temporary credentials: sessions of roles, of users and of the account's root."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "iam_sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("holder_id", sa.Text, sa.ForeignKey("iam_entities.id", ondelete="CASCADE"), index=True),
        sa.Column("secrets", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source_identity", sa.Text),
        sa.Column("tags", JSONB, nullable=False),
        sa.Column("transitive", JSONB, nullable=False),
        sa.Column("policies", JSONB),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("iam_sessions")
