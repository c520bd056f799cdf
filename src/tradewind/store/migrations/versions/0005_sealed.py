"""Secrets as sealed text, one document a row, and the rotation of an environment's Fernet key.

A migration knows no key: what was plain stays so here, and the service seals it before it serves (`sealed.py`).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TO_TEXT = "CASE WHEN secrets = '{}'::jsonb THEN '' ELSE secrets::text END"
_TO_JSON = "CASE WHEN secrets = '' THEN '{}' ELSE secrets END::jsonb"


def upgrade() -> None:
    """Change the columns. What had nothing in it holds nothing."""
    for table in ("environments", "snapshots"):
        op.alter_column(table, "secrets", type_=sa.Text, postgresql_using=_TO_TEXT)
    op.alter_column("snapshots", "secrets", server_default="")
    op.add_column("environments", sa.Column("rotation", JSONB))
    op.add_column("accounts", sa.Column("secrets", sa.Text))
    op.execute(
        "UPDATE accounts SET secrets = jsonb_build_object("
        "'secret_access_key', secret_access_key, 'token_key', encode(token_key, 'base64'))::text"
    )
    op.alter_column("accounts", "secrets", nullable=False)
    op.drop_column("accounts", "secret_access_key")
    op.drop_column("accounts", "token_key")


def downgrade() -> None:
    """Only while nothing is sealed: PostgreSQL refuses to read sealed text as JSON."""
    op.add_column("accounts", sa.Column("secret_access_key", sa.Text))
    op.add_column("accounts", sa.Column("token_key", sa.LargeBinary))
    op.execute(
        "UPDATE accounts SET secret_access_key = secrets::jsonb->>'secret_access_key',"
        " token_key = decode(secrets::jsonb->>'token_key', 'base64')"
    )
    op.alter_column("accounts", "secret_access_key", nullable=False)
    op.alter_column("accounts", "token_key", nullable=False)
    op.drop_column("accounts", "secrets")
    op.drop_column("environments", "rotation")
    op.alter_column("snapshots", "secrets", server_default=None)
    for table in ("environments", "snapshots"):
        op.alter_column(table, "secrets", type_=JSONB, postgresql_using=_TO_JSON)
