"""The control plane's tables. Migrations make them; a test holds the two against each other.

Times are `timestamptz`. Documents (spec, tags, ports) are JSON whose shapes the domain's dataclasses own.
`environments.name` is unique among those not gone, so a name can be made again. What is secret is one sealed
document a row (`sealed.py`), marked by `sealed_in`, which also tells the place that it is sealed for.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def sealed_in(place: str) -> dict[str, Any]:
    """A column's `info`: its values are sealed for `<place>/<primary key>`."""
    return {"sealed": place}


accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("access_key_id", sa.Text, nullable=False, unique=True),
    sa.Column("secrets", sa.Text, nullable=False, info=sealed_in("accounts")),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

environments = sa.Table(
    "environments",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("spec", JSONB, nullable=False),
    sa.Column("tags", JSONB, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("address", sa.Text),
    sa.Column("ports", JSONB, nullable=False),
    sa.Column("secrets", sa.Text, nullable=False, info=sealed_in("environments")),
    sa.Column("origin", JSONB),
    # written by the reconciler only
    sa.Column("database", sa.Text, nullable=False, server_default=""),
    sa.Column("settled", JSONB),
    sa.Column("trial", JSONB),
    sa.Column("refused_generation", sa.Integer, nullable=False, server_default="0"),
    sa.Column("workers", sa.Text, nullable=False, server_default=""),
    sa.Column("phase", sa.Text, nullable=False),
    sa.Column("observed_generation", sa.Integer, nullable=False, server_default="0"),
    sa.Column("progress", sa.Text, nullable=False, server_default=""),
    sa.Column("bundle_version", sa.Text, nullable=False, server_default=""),
    # where its Fernet key is being replaced: written by both (docs/secrets.md)
    sa.Column("rotation", JSONB),
    sa.Column("gone_at", sa.DateTime(timezone=True)),
)

one_live_name = sa.Index(
    "uq_environments_live_name", environments.c.name, unique=True, postgresql_where=environments.c.gone_at.is_(None)
)
one_live_address = sa.Index(
    "uq_environments_live_address",
    environments.c.address,
    unique=True,
    postgresql_where=environments.c.gone_at.is_(None),
)

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column(
        "environment_id", sa.Text, sa.ForeignKey("environments.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("finished_at", sa.DateTime(timezone=True)),
    sa.Column("error_code", sa.Text),
    sa.Column("error_message", sa.Text),
    sa.Column("strategy", sa.Text),
)

checkpoints = sa.Table(
    "checkpoints",
    metadata,
    sa.Column("environment_id", sa.Text, sa.ForeignKey("environments.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("step", sa.Text, primary_key=True),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("passed_at", sa.DateTime(timezone=True), nullable=False),
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("environment_id", sa.Text, nullable=False, index=True),
    sa.Column("environment_name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("spec", JSONB),
    sa.Column("secrets", sa.Text, nullable=False, server_default="", info=sealed_in("snapshots")),
    sa.Column("size", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
)

used_tokens = sa.Table(
    "used_tokens",
    metadata,
    sa.Column("jti", sa.Text, primary_key=True),
    sa.Column("expires", sa.DateTime(timezone=True), nullable=False, index=True),
)

audit_records = sa.Table(
    "audit_records",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("seal", sa.LargeBinary, nullable=False),
)
