"""What is in force beside what is asked for, so that an update can fail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it. What was proven is in force; its lock lies where there were no revisions yet."""
    op.add_column("environments", sa.Column("settled", JSONB))
    op.add_column("environments", sa.Column("refused_generation", sa.Integer, nullable=False, server_default="0"))
    op.add_column("environments", sa.Column("workers", sa.Text, nullable=False, server_default=""))
    op.add_column("environments", sa.Column("trial", JSONB))
    op.add_column("changes", sa.Column("strategy", sa.Text))
    op.execute(
        "UPDATE environments SET settled = jsonb_build_object('spec', spec, 'revision', 0) WHERE phase = 'READY'"
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("changes", "strategy")
    op.drop_column("environments", "trial")
    op.drop_column("environments", "workers")
    op.drop_column("environments", "refused_generation")
    op.drop_column("environments", "settled")
