"""One module a migration, each run in one transaction."""
