"""Recordings out of the ledger for good, with what keeps them out, and the search that proves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, or_, select, text, update

from pipeline.archive.ledger_contents import release_contents, release_copies
from pipeline.archive.ledger_database import Database
from pipeline.archive.ledger_rows import FREED, MAX_IDS, ours
from pipeline.archive.ledger_tables import Clock, contents, metadata, recordings, tombstones
from pipeline.archive.name_search import NameSearch
from pipeline.archive.recordings import Recording
from pipeline.errors import LedgerError

Reason = Literal["call", "person", "before"]
REASONS: tuple[Reason, ...] = ("call", "person", "before")
"""Why people have recordings forgotten: one call, a person, everything before a date."""

_HELD = "is being forgotten: where that broke off, run forget again"
_c = recordings.c


def hold(connection: Connection, ids: Sequence[int]) -> None:
    """Take the recordings from whatever run has them and set them aside, so that none works on them any more."""
    known = select(contents.c.sha256).where(contents.c.recording == _c.id).limit(1).scalar_subquery()
    aside = FREED | {"state": "quarantined", "error": _HELD, "sha256": func.coalesce(_c.sha256, known)}
    connection.execute(update(recordings).where(_c.id.in_(ids)).values(aside))


def is_held(recording: Recording) -> bool:
    """Whether the recording was set aside to be forgotten, and is still there."""
    return recording.state == "quarantined" and recording.error == _HELD


def forget(connection: Connection, ids: Sequence[int], why: str) -> int:
    """How many recordings went: these, and the copies of them, whose bytes are the same. Tombstones take their place:
    hashes of key and bytes, the etag, when and why; nothing that names anybody."""
    which = or_(_c.id.in_(ids), _c.copy_of.in_(ids))
    gone = connection.execute(select(_c.id, _c.key_hash, _c.etag, _c.sha256).where(which).with_for_update()).all()
    _bury(connection, gone, why)
    return len(gone)


def forget_copy(connection: Connection, id: int, run: str, sha256: str) -> bool:
    """Whether the recording was the run's; it is out, because its bytes were forgotten under another key."""
    mine = select(_c.id, _c.key_hash, _c.etag).where(ours(run), _c.id == id).with_for_update()
    row = connection.execute(mine).one_or_none()
    if row is not None:
        _bury(connection, [(*row, sha256)], "copy")
    return row is not None


def forget_copies(connection: Connection, done: Mapping[int, str]) -> frozenset[int]:
    """Those of the recordings, given with the hashes of their bytes, that were forgotten under another key while they
    were worked on; they are out."""
    query = select(tombstones.c.sha256).where(tombstones.c.sha256.in_(set(done.values())))
    gone = set(connection.scalars(query))
    ids = [id for id, sha256 in done.items() if sha256 in gone]
    if ids:
        rows = connection.execute(select(_c.id, _c.key_hash, _c.etag).where(_c.id.in_(ids))).all()
        _bury(connection, [(*row, done[row.id]) for row in rows], "copy")
    return frozenset(ids)


def is_forgotten(connection: Connection, sha256: str) -> bool:
    """Whether a recording of these bytes was forgotten, under whatever key."""
    return connection.scalar(select(func.count()).where(tombstones.c.sha256 == sha256)) != 0


def _bury(connection: Connection, gone: Sequence[Any], why: str) -> None:
    ids = [id for id, *_ in gone]
    if not ids:
        return
    release_contents(connection, ids)
    release_copies(connection, ids)
    for _, digest, etag, _ in gone:  # the same recording may have been forgotten and asked for again
        connection.execute(delete(tombstones).where(tombstones.c.key_hash == digest, tombstones.c.etag == etag))
    rows = [{"key_hash": digest, "etag": etag, "sha256": sha, "why": why} for _, digest, etag, sha in gone]
    connection.execute(insert(tombstones).values(forgotten_at=Clock()), rows)
    connection.execute(delete(recordings).where(_c.id.in_(ids)))


def wipe(database: Database) -> None:
    """Write the database's files anew, so that what was deleted lies in none of them. Raises LedgerError."""
    if database.is_sqlite:
        database.outside(_wipe_sqlite)
    else:
        database.outside(_wipe_postgres)


def _wipe_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("VACUUM")
    busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
    if busy:
        raise LedgerError(
            "the rows are out of the ledger, but its log could not be emptied while another process reads it. "
            "Wait for that one or end it, then run forget again: it empties the log."
        )


def _wipe_postgres(connection: Connection) -> None:
    for table in metadata.sorted_tables:
        connection.execute(text(f"VACUUM FULL {table.name}"))


def search(connection: Connection, wanted: str) -> dict[str, int]:
    """By table, how many rows hold the text in any column, as `NameSearch` compares; none: the table is left out."""
    search = NameSearch(wanted)
    found = {}
    for table in metadata.sorted_tables:
        rows = connection.execution_options(yield_per=MAX_IDS).execute(select(table))
        holding = sum(any(isinstance(value, str) and search.is_in(value) for value in row) for row in rows)
        if holding:
            found[table.name] = holding
    return found
