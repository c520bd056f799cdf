"""Databases that replace one another, and snapshots of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them. An environment without a database of its own naming has its first one."""
    op.add_column("environments", sa.Column("database", sa.Text, nullable=False, server_default=""))
    op.add_column("environments", sa.Column("origin", JSONB))
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("environment_id", sa.Text, nullable=False, index=True),
        sa.Column("environment_name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("spec", JSONB),
        sa.Column("secrets", JSONB, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("error", sa.Text, nullable=False, server_default=""),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("snapshots")
    op.drop_column("environments", "origin")
    op.drop_column("environments", "database")
