"""What went wrong with the ledger's database, in words, and whether waiting may help."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from pipeline.errors import LedgerError

SAFE = "What was finished is in it, nothing is lost: the same command goes on from there."

_SQLITE_WORDS = {
    "SQLITE_FULL": "the disk is full. Free some space there",
    "SQLITE_READONLY": "it cannot be written to. Allow writing to the file and its folder, or name another --ledger",
    "SQLITE_CANTOPEN": "the file cannot be opened. See that its folder exists and may be written to",
    "SQLITE_PERM": "the file may not be read. Allow reading and writing",
    "SQLITE_AUTH": "the file may not be read. Allow reading and writing",
    "SQLITE_NOTADB": "the file is not a ledger. Name another --ledger, or move the file away",
    "SQLITE_CORRUPT": "the file is damaged. Restore a copy of it, or move it away: all is then scored anew",
    "SQLITE_BUSY": "another process has kept it locked for {patience:.0f} s. End that one, or wait for it",
    "SQLITE_LOCKED": "another process has kept it locked for {patience:.0f} s. End that one, or wait for it",
    "SQLITE_IOERR": "the disk fails to read or write. Look after the disk; a network drive is no place for it",
}
_POSTGRES_WORDS = {
    "28": "the server refuses this user or password. Check the URL",
    "3D000": "the server has no such database. Create it, or name another",
    "42501": "this user may not do that. Give it the right to create and use tables in the database",
    "25006": "the server only lets it be read. Name the server that takes writes",
    "53100": "the server's disk is full. Free some space there",
    "53300": "the server has no connection left. Allow more, or run fewer workers",
    "42P07": "it holds tables of something else by the same names. Name an empty database",
}
_PASSING = ("08", "40", "53300", "57P01", "57P02", "57P03", "55P03")
"""Codes of PostgreSQL: connection, deadlock, no connection free, shutting down, crashed, starting up, locked."""


def is_passing(error: BaseException) -> bool:
    """Whether the same may go well a little later: connections that break or are refused, locks, deadlocks."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _sqlite_name(cause).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    code = _code(cause)
    if code is None:
        return _is_connection(cause) and not _is_refused(str(cause))
    return code.startswith(_PASSING)


def in_words(error: Exception, url: str, patience: float) -> LedgerError:
    """The error for people: what, where, what to do. The database's own words stand in it, their first line alone."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    words = _words(cause, patience)
    said = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
    return LedgerError(f"the ledger {url}: {words} ({said}). {SAFE}")


def _words(cause: BaseException | None, patience: float) -> str:
    if isinstance(cause, sqlite3.Error):
        name = _sqlite_name(cause)
        found = next((words for start, words in _SQLITE_WORDS.items() if name.startswith(start)), None)
        if found is None and "already exists" in str(cause):
            found = "the file holds tables of something else by the same names. Name another --ledger"
        return (found or "SQLite cannot do what it was asked to").format(patience=patience)
    code = _code(cause)
    if code is not None:
        found = next((words for start, words in _POSTGRES_WORDS.items() if code.startswith(start)), None)
        if found is not None:
            return found
    if _is_refused(str(cause)):
        return "the server refuses the user, the password or the database. Check the URL"
    if _is_connection(cause) or (code is not None and code.startswith(_PASSING)):
        return f"the server was not there for {patience:.0f} s. Start it, and see that its address and port are right"
    return "the database cannot do what it was asked to"


def _sqlite_name(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", "") or ""


def _code(cause: BaseException | None) -> str | None:
    code = getattr(cause, "sqlstate", None)
    return code if isinstance(code, str) else None


def _is_connection(cause: BaseException | None) -> bool:
    """Whether psycopg says that no server could be talked to; it has no code for that."""
    return _code(cause) is None and type(cause).__name__ in ("OperationalError", "ConnectionTimeout")


def _is_refused(said: str) -> bool:
    """Whether connecting failed for good: psycopg gives no code then, only the server's words."""
    return any(words in said for words in ("authentication failed", "does not exist", "no pg_hba.conf entry"))
