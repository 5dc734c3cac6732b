"""The migrations of the ledger's tables; Alembic reads this folder from the installed package."""
