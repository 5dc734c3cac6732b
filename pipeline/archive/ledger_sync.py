"""A listing compared with the ledger, and what it showed written down."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, not_, or_, select, text, update

from pipeline.archive.ledger_rows import COLUMNS, MAX_IDS, UNDONE, recording_of
from pipeline.archive.ledger_tables import AnyRow, Clock, columns, recordings, tombstones
from pipeline.archive.ledger_text import json_text, key_hash, quoted, suffix, unquoted
from pipeline.archive.recordings import Marks, Recording, Seen, Versions
from pipeline.listen.call_rows import ended, folder_key

_c = recordings.c
_PLANNING = 0x706C_616E
_KNOWN = columns(
    "id key_hash etag size call_id folder_key asked_id row state need why plan wanted_listening wanted_judging "
    "wanted_levelling done_listening done_judging done_levelling sha256 copy_of generation attempts interruptions error"
)


def compare(connection: Connection, keys: Sequence[str], source: str) -> dict[str, Recording]:
    """By key, what the ledger has of these keys; a key that it does not know is left out."""
    hashes = [key_hash(source, key) for key in keys]
    found = connection.execute(select(*COLUMNS).where(_c.key_hash.in_(hashes)))
    return {one.key: one for one in map(recording_of, found)}


def forgotten(connection: Connection, keys: Sequence[str], source: str) -> dict[str, str]:
    """By key, the etag of the recording that was forgotten under it; the last one's where there were several."""
    by_hash = {key_hash(source, key): key for key in keys}
    query = select(tombstones.c.key_hash, tombstones.c.etag).where(tombstones.c.key_hash.in_(by_hash))
    return {
        by_hash[found]: unquoted(etag) for found, etag in connection.execute(query.order_by(tombstones.c.forgotten_at))
    }


def outdated(connection: Connection, source: str, marks: Marks, but: Container[int]) -> tuple[list[int], int]:
    """Of the recordings that something is stored of, without those `but`: the ids of those whose results the rules of
    today would judge or level anew, or that wait or failed; and of how many the rules would have to hear the sound.

    Where the rules are those that everything was done with, an index answers.
    """
    other = _is_other(marks)
    stale = or_(and_(_c.state == "done", not_(_c.plan.startswith(marks.plan)), other), and_(_c.state == "copy", other))
    open_ = _c.state.in_(("pending", "claimed", "failed", "quarantined"))
    query = select(_c.id, and_(_c.state == "done", not_(_begins(marks.listening))).label("unheard"))
    query = query.where(_c.source == source, _c.done_levelling != "", or_(open_, stale)).order_by(_c.id)
    ids, unheard = [], 0
    for row in connection.execution_options(yield_per=MAX_IDS).execute(query):
        if row.id not in but:
            unheard += row.unheard
            if not row.unheard:
                ids.append(row.id)
    return ids, unheard


def _is_other(marks: Marks) -> ColumnElement[bool]:
    """Whether other rules made the wishes of a recording; a copy's are those that it shares with its original."""
    levels = (
        and_(_c.row.contains(f'"call_type":"{name}"', autoescape=True), not_(_c.wanted_levelling.startswith(mark)))
        for name, mark in marks.levelling
    )
    return or_(not_(_begins(marks.listening)), not_(_c.wanted_judging.startswith(marks.judging)), *levels)


def _begins(listening: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(_c.wanted_listening.startswith(mark) for mark in listening))


def record(connection: Connection, source: str, seen: Sequence[Seen], plan: str) -> int:
    """How many of them wait for that plan now. New ones are written down, known ones brought up to date.

    One that was forgotten stays so. A recording that another run works on keeps its claim; it waits anew once that run
    is done with it.
    """
    if connection.dialect.name == "postgresql":  # one planner at a time: they share the call ids to give away
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _PLANNING})
    by_hash = {key_hash(source, one.key): one for one in seen}
    query = select(*_KNOWN).where(_c.key_hash.in_(by_hash)).order_by(_c.id).with_for_update()
    known = {row.key_hash: row for row in connection.execute(query)}
    new = {digest: one for digest, one in by_hash.items() if digest not in known and one.need is not None}
    _add(connection, source, _remembered(connection, new), plan)
    changes = [_change(row, by_hash[digest], plan) for digest, row in known.items()]
    _update(connection, [change for change in changes if change])
    rename = {d: by_hash[d] for d, row in known.items() if _may_rename(row) and row.asked_id != by_hash[d].call_id}
    _rename(connection, rename)
    query = select(_c.id).where(_c.key_hash.in_(by_hash), _c.state == "pending", _c.plan == plan)
    return len(connection.execute(query).all())


def _remembered(connection: Connection, new: Mapping[str, Seen]) -> dict[str, Seen]:
    """Those of the new recordings that were not forgotten."""
    query = select(tombstones.c.key_hash, tombstones.c.etag).where(tombstones.c.key_hash.in_(new))
    gone = {(digest, etag) for digest, etag in connection.execute(query)}
    return {digest: one for digest, one in new.items() if (digest, quoted(one.etag)) not in gone}


def _add(connection: Connection, source: str, new: Mapping[str, Seen], plan: str) -> None:
    if not new:
        return
    ids = _free_ids(connection, new)
    rows = [
        _facts(one, plan)
        | {
            "source": source,
            "key_hash": digest,
            "key": quoted(one.key),
            "suffix": suffix(one.key),
            "call_id": ids[digest],
            "folder_key": folder_key(ids[digest]),
            "asked_id": one.call_id,
            "state": "pending",
        }
        for digest, one in new.items()
    ]
    connection.execute(insert(recordings).values(first_seen=Clock()), rows)


def _facts(one: Seen, plan: str) -> dict[str, Any]:
    """What a listing says of a recording, as columns."""
    return {
        "etag": quoted(one.etag),
        "size": one.size,
        "row": json_text(one.row),
        "need": one.need,
        "why": one.why,
        "plan": plan,
        "wanted_listening": one.versions.listening,
        "wanted_judging": one.versions.judging,
        "wanted_levelling": one.versions.levelling,
    }


_WISHES = ("etag", "wanted_listening", "wanted_judging", "wanted_levelling")
_STORED = ("done_listening", "done_judging", "done_levelling")
_KEPT = ("state", "generation", "attempts", "interruptions", "copy_of", "error", *_STORED)
_PLANNED = ("need", "why", "plan")


def _change(row: AnyRow, one: Seen, plan: str) -> dict[str, Any]:
    """The columns of a known recording after this listing; empty where all stay."""
    old = row._mapping
    new = _facts(one, plan) | {name: old[name] for name in _KEPT}
    is_other = any(old[name] != new[name] for name in _WISHES)
    if one.need is not None and old["etag"] != new["etag"]:
        new |= UNDONE
    if one.need is None:
        _keep(new, old, one)
    elif old["state"] == "quarantined" and not is_other:
        new |= {name: old[name] for name in _PLANNED}
    else:
        _pend(new, old, is_other)
    return {} if all(old[name] == new[name] for name in new) else new | {"b_id": old["id"]}


def _keep(new: dict[str, Any], old: Mapping[Any, Any], one: Seen) -> None:
    """A recording of which nothing new is wanted: as it was. One that waits for another plan's wish, or failed at it,
    is done where what is stored is what is wanted now; one that still waits does so for this plan, and so will a copy
    whose original goes."""
    new |= {"need": old["need"], "why": old["why"]}
    stored = Versions(*(old[name] for name in _STORED))
    waits = old["state"] in ("pending", "failed", "quarantined") and old["need"] is not None
    if waits and stored == one.versions and old["etag"] == new["etag"]:
        new |= {"state": "done", "need": None, "why": "", "error": None}
    elif old["state"] not in ("pending", "copy"):
        new["plan"] = old["plan"]


def _pend(new: dict[str, Any], old: Mapping[Any, Any], is_other: bool) -> None:
    """A recording that is to be done: pending, counted anew unless it is the same work that failed before. One that is
    being worked on stays with its run, and waits again after that."""
    if old["copy_of"] is not None:
        new |= UNDONE | {"need": "listen", "copy_of": None}  # nothing is stored under its own id: its bytes are asked
    if is_other or old["state"] not in ("pending", "claimed"):
        new["generation"] += 1
    if old["state"] == "claimed":
        return
    if is_other or old["state"] in ("done", "copy"):
        new |= {"attempts": 0, "interruptions": 0}
    new["state"] = "pending"


def _update(connection: Connection, changes: Sequence[dict[str, Any]]) -> None:
    if changes:
        connection.execute(update(recordings).where(_c.id == bindparam("b_id")), changes)


def _may_rename(row: AnyRow) -> bool:
    """Whether nothing lies under the recording's call id yet."""
    return row.sha256 is None and not row.done_levelling and row.state in ("pending", "failed", "quarantined")


def _rename(connection: Connection, named: Mapping[str, Seen]) -> None:
    for digest, one in named.items():
        call_id = _free_ids(connection, {digest: one})[digest]
        values = {"call_id": call_id, "folder_key": folder_key(call_id), "asked_id": one.call_id}
        connection.execute(update(recordings).where(_c.key_hash == digest).values(values))


def _free_ids(connection: Connection, named: Mapping[str, Seen]) -> dict[str, str]:
    """A call id of its own for each: the one asked for, else that with 8 digits of the key's hash, or with more."""
    given: dict[str, str] = {}
    keys: set[str] = set()
    for digits in (0, 8, 16, 64):
        wanted = {
            d: ended(one.call_id, d[:digits]) if digits else one.call_id for d, one in named.items() if d not in given
        }
        if not wanted:
            break
        taken = _taken(connection, map(folder_key, wanted.values()), named)
        for digest, call_id in wanted.items():
            if (key := folder_key(call_id)) not in taken and key not in keys:
                given[digest] = call_id
                keys.add(key)
    return given


def _taken(connection: Connection, keys: Iterable[str], named: Mapping[str, Seen]) -> set[str]:
    """Those of the folder keys that other recordings have."""
    query = select(_c.folder_key).where(_c.folder_key.in_(keys), _c.key_hash.not_in(named))
    return set(connection.scalars(query))
