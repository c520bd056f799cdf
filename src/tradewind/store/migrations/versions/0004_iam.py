"""IAM: users, groups, roles, policies and access keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "iam_entities",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tags", JSONB, nullable=False),
        sa.Column("boundary", sa.Text, index=True),
        sa.Column("trust", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("max_session_duration", sa.Integer, nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_region", sa.Text, nullable=False, server_default=""),
        sa.UniqueConstraint("kind", "folded"),
    )
    op.create_table(
        "iam_memberships",
        sa.Column("user_id", sa.Text, sa.ForeignKey("iam_entities.id"), primary_key=True),
        sa.Column("group_id", sa.Text, sa.ForeignKey("iam_entities.id"), primary_key=True, index=True),
    )
    op.create_table(
        "iam_inline_policies",
        sa.Column("entity_id", sa.Text, sa.ForeignKey("iam_entities.id"), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "iam_policies",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("arn", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False, unique=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("default_version", sa.Integer, nullable=False),
        sa.Column("latest_version", sa.Integer, nullable=False),
        sa.Column("tags", JSONB, nullable=False),
    )
    op.create_table(
        "iam_policy_versions",
        sa.Column("policy_id", sa.Text, sa.ForeignKey("iam_policies.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "iam_attachments",
        sa.Column("entity_id", sa.Text, sa.ForeignKey("iam_entities.id"), primary_key=True),
        sa.Column("policy_arn", sa.Text, primary_key=True, index=True),
    )
    op.create_table(
        "iam_access_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, sa.ForeignKey("iam_entities.id"), nullable=False, index=True),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_service", sa.Text),
        sa.Column("last_used_region", sa.Text),
    )
    op.create_table("iam_aliases", sa.Column("alias", sa.Text, primary_key=True))


def downgrade() -> None:
    """Drop them, those that others hang on last."""
    for table in ("aliases", "access_keys", "attachments", "policy_versions", "policies", "inline_policies"):
        op.drop_table(f"iam_{table}")
    op.drop_table("iam_memberships")
    op.drop_table("iam_entities")
