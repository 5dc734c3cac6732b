"""What workers finished, written down: one by one or hundreds at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from pipeline.archive.ledger_contents import leave_alone, release_contents, take_contents
from pipeline.archive.ledger_forget import forget_copies
from pipeline.archive.ledger_tables import AnyRow, Clock, columns, recordings
from pipeline.archive.ledger_text import json_text
from pipeline.archive.recordings import Done, Need, Versions

_c = recordings.c
_NEEDS: tuple[Need, ...] = ("listen", "assess", "level")
_ASKED = columns(
    "id state run need why wanted_listening wanted_judging wanted_levelling "
    "generation claimed_generation attempts interruptions sha256 done_listening done_judging done_levelling"
)


def finish(connection: Connection, run: str, results: Mapping[int, Done]) -> frozenset[int]:
    """The ids of those that were the run's, and are now done.

    One whose bytes were forgotten meanwhile, under another key, is out. One for which another plan wanted something
    else meanwhile has its result, and waits for that plan.
    """
    query = select(*_ASKED).where(_c.id.in_(results), _c.run == run).order_by(_c.id).with_for_update()
    rows = connection.execute(query).all()
    out = forget_copies(connection, {row.id: results[row.id].sha256 for row in rows if row.state == "claimed"})
    rows = [row for row in rows if row.id not in out]
    fresh = [row for row in rows if row.state == "claimed"]
    if fresh:
        told = update(recordings).where(_c.id == bindparam("b_id")).values(finished_at=Clock())
        connection.execute(told, [_change(row, results[row.id]) for row in fresh])
        _settle_contents(connection, fresh, results)
    known = {row.id for row in rows if row.state != "claimed" and _is_told(row, results[row.id])}
    return frozenset(known.union(row.id for row in fresh))


def _is_told(row: AnyRow, done: Done) -> bool:
    """Whether the ledger has this very result already: the connection broke while it was told."""
    versions = Versions(row.done_listening, row.done_judging, row.done_levelling)
    return row.state == "done" and row.sha256 == done.sha256 and versions == done.versions


def _change(row: AnyRow, done: Done) -> dict[str, Any]:
    waits = row.generation != row.claimed_generation
    need = _still_needed(row, done.versions) if waits else None
    has = Versions() if need == "listen" else done.versions  # maybe of the bytes before these
    return {
        "b_id": row.id,
        "state": "pending" if waits else "done",
        "need": need,
        "attempts": 0 if waits else row.attempts,
        "interruptions": 0 if waits else row.interruptions,
        "why": row.why if waits else "",
        "done_need": row.need,
        "error": None,
        "copy_of": None,
        "sha256": done.sha256,
        "done_listening": has.listening,
        "done_judging": has.judging,
        "done_levelling": has.levelling,
        "provenance": json_text(done.provenance),
        "audio_seconds": done.audio_seconds,
        "wall_seconds": done.wall_seconds,
        "device": done.device,
    }


def _still_needed(row: AnyRow, versions: Versions) -> Need:
    """What the newer wishes need after this result; at least what their plan said."""
    wanted: Need = "level"
    if row.wanted_judging != versions.judging:
        wanted = "assess"
    if row.wanted_listening != versions.listening:
        wanted = "listen"
    return min(wanted, row.need or "level", key=_NEEDS.index)


def _settle_contents(connection: Connection, fresh: Sequence[AnyRow], results: Mapping[int, Done]) -> None:
    """Contents belong to those that are done; copies of other bytes or versions than theirs are copies no more."""
    before = [row.id for row in fresh if row.sha256 is not None]
    if before:
        release_contents(connection, before)
    take_contents(connection, [(row.id, results[row.id].sha256, results[row.id].versions) for row in fresh])
    if not before:
        return  # only what was done before has copies of something else
    copies = select(_c.id, _c.copy_of, _c.sha256, _c.wanted_listening, _c.wanted_judging, _c.wanted_levelling)
    found = connection.execute(copies.where(_c.state == "copy", _c.copy_of.in_(before))).all()
    alone = [row.id for row in found if not _fits(row, results[row.copy_of])]
    if alone:
        leave_alone(connection, _c.id.in_(alone))


def _fits(copy: AnyRow, done: Done) -> bool:
    wanted = Versions(copy.wanted_listening, copy.wanted_judging, copy.wanted_levelling)
    return copy.sha256 == done.sha256 and wanted == done.versions
