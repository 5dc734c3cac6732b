"""A database in, one with the ledger's tables out: made, brought up to date, or refused in words.

Several processes may open a new ledger at once: one makes it, behind a lock, the others wait and find it made.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from pipeline.archive.ledger_database import Database
from pipeline.archive.ledger_rows import inserting
from pipeline.archive.ledger_tables import about
from pipeline.errors import LedgerError

HEAD = "0001"
"""The newest migration; a test compares it with the folder."""
REVISIONS = ("0001",)
VERSION_TABLE = "ledger_version"
"""Not Alembic's own name: a database that Prefect or another program keeps its tables in has one of those."""

_LOCK = 0x7269_6465  # any number, the same in every process


def is_made(database: Database) -> bool:
    """Whether there is a ledger; asking makes none."""
    path = database.path
    if path is not None and not path.exists():
        return False
    return database.read(_version) is not None


def make_ready(database: Database) -> None:
    """Create the tables or bring them up to date. Raises LedgerError where a newer version made them."""
    path = database.path
    if path is not None:
        _make_folder(path, database.url)
    if database.read(_version) != HEAD:
        database.write(lambda connection: _migrate(connection, database.url))


def served(connection: Connection) -> str | None:
    """Where the scorecards go; None where that is not said yet."""
    return connection.scalar(select(about.c.value).where(about.c.name == "out"))


def serve(connection: Connection, out: str) -> None:
    """Write down where the scorecards go; what the first says holds."""
    connection.execute(inserting(connection, about).values(name="out", value=out).on_conflict_do_nothing())


def _make_folder(path: Path, url: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"the ledger {url}: its folder cannot be made ({error.strerror}). Name another file with --ledger."
        ) from error


def _version(connection: Connection) -> str | None:
    """The migration that the tables are at; None where there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 (a constant)


def _migrate(connection: Connection, url: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    version = _version(connection)
    if version == HEAD:
        return
    if version is not None and version not in REVISIONS:
        raise LedgerError(
            f"the ledger {url} was made by a newer version of ridealong (its tables are at {version}, this version "
            f"knows {HEAD}). Update ridealong, or name another --ledger; the file was left as it is."
        )
    _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
