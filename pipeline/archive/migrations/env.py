"""How Alembic runs the ledger's migrations: on the connection and in the transaction that `ledger_schema` gives."""

from __future__ import annotations

from alembic import context

from pipeline.archive.ledger_schema import VERSION_TABLE
from pipeline.archive.ledger_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # SQLite's DDL is transactional where the driver begins no transactions of its own
)
context.run_migrations()
