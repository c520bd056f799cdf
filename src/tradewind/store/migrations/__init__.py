"""Alembic's home: `upgrade` brings a database to the newest schema; versions/ holds one file a change."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def upgrade(engine: sa.Engine) -> None:
    """Run what is missing, under an advisory lock so that two control planes do not do it at once."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7234101)"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
