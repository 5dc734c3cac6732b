"""Rows of the table and records of `recordings.py`, one into the other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, and_
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.archive.ledger_tables import CLAIMED, AnyRow, columns, recordings
from pipeline.archive.ledger_text import unquoted
from pipeline.archive.recordings import Recording, Versions

T = TypeVar("T")

MAX_IDS = 1_000
"""Most values in one statement; both databases allow more, but not without limit."""

COLUMNS = columns(
    "id key call_id etag size state need why row wanted_listening wanted_judging wanted_levelling done_listening "
    "done_judging done_levelling sha256 generation attempts interruptions error copy_of provenance audio_seconds "
    "wall_seconds device started_at finished_at first_seen"
)
"""The columns that `recording_of` reads, in its order."""


FREED: dict[str, Any] = {
    "state": "pending",
    "generation": recordings.c.generation + 1,
    "run": None,
    "claim": None,
    "started_at": None,
}
"""The columns of a recording that waits anew."""

CHANGED = recordings.c.generation != recordings.c.claimed_generation
"""Whether another recording or other versions were wanted after the claim."""
UNDONE = {"done_listening": "", "done_judging": "", "done_levelling": ""}
"""The columns of a recording of which nothing that is stored holds any more."""


def ours(run: str) -> ColumnElement[bool]:
    """Whether a recording is claimed by the run."""
    return and_(CLAIMED, recordings.c.run == run)


def recording_of(row: AnyRow) -> Recording:
    """The record of a row that was selected with `COLUMNS`."""
    return Recording(
        id=row[0],
        key=unquoted(row[1]),
        call_id=row[2],
        etag=unquoted(row[3]),
        size=row[4],
        state=row[5],
        need=row[6],
        why=row[7],
        row=json.loads(row[8]),
        wanted=Versions(row[9], row[10], row[11]),
        done_with=Versions(row[12], row[13], row[14]),
        sha256=row[15],
        generation=row[16],
        attempts=row[17],
        interruptions=row[18],
        error=row[19],
        copy_of=row[20],
        provenance=json.loads(row[21]),
        audio_seconds=row[22],
        wall_seconds=row[23],
        device=row[24],
        started_at=row[25],
        finished_at=row[26],
        first_seen=row[27],
    )


def fingerprint(versions: Versions) -> str:
    """One fingerprint of all three versions, 32 hex digits: half of a content's key."""
    joined = "\0".join((versions.listening, versions.judging, versions.levelling))
    return hashlib.sha256(joined.encode()).hexdigest()[:32]


def wants(versions: Versions) -> ColumnElement[bool]:
    """Whether a row wants exactly these versions."""
    return and_(
        recordings.c.wanted_listening == versions.listening,
        recordings.c.wanted_judging == versions.judging,
        recordings.c.wanted_levelling == versions.levelling,
    )


def inserting(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT in the database's own dialect, which can say what is to be done on a conflict."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def pieces(values: Iterable[T], size: int = MAX_IDS) -> Iterator[Sequence[T]]:
    """The values in lists of at most `size`."""
    piece: list[T] = []
    for value in values:
        piece.append(value)
        if len(piece) == size:
            yield piece
            piece = []
    if piece:
        yield piece
