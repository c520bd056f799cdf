"""The first schema: accounts, environments, changes, checkpoints, leases, used tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("access_key_id", sa.Text, nullable=False),
        sa.Column("secret_access_key", sa.Text, nullable=False),
        sa.Column("token_key", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("access_key_id", name="uq_accounts_access_key_id"),
    )
    op.create_table(
        "environments",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("spec", JSONB, nullable=False),
        sa.Column("tags", JSONB, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("ports", JSONB, nullable=False),
        sa.Column("secrets", JSONB, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("observed_generation", sa.Integer, nullable=False, server_default="0"),
        sa.Column("progress", sa.Text, nullable=False, server_default=""),
        sa.Column("bundle_version", sa.Text, nullable=False, server_default=""),
        sa.Column("gone_at", sa.DateTime(timezone=True)),
    )
    live = sa.text("gone_at IS NULL")
    op.create_index("uq_environments_live_name", "environments", ["name"], unique=True, postgresql_where=live)
    op.create_index("uq_environments_live_address", "environments", ["address"], unique=True, postgresql_where=live)
    op.create_table(
        "changes",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("environment_id", sa.Text, sa.ForeignKey("environments.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("error_code", sa.Text),
        sa.Column("error_message", sa.Text),
    )
    op.create_index("ix_changes_environment_id", "changes", ["environment_id"])
    op.create_table(
        "checkpoints",
        sa.Column("environment_id", sa.Text, sa.ForeignKey("environments.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("step", sa.Text, primary_key=True),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "used_tokens",
        sa.Column("jti", sa.Text, primary_key=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_used_tokens_expires", "used_tokens", ["expires"])


def downgrade() -> None:
    """Drop every table."""
    for table in ("used_tokens", "leases", "checkpoints", "changes", "environments", "accounts"):
        op.drop_table(table)
