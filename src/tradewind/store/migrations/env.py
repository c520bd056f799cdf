"""Alembic's entry: uses the connection that `upgrade` gives it, inside its transaction."""

from alembic import context

from tradewind.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
