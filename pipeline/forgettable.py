"""What is asked to be forgotten, found in ledger and scorecards: by call id, by a person's name, by date."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pipeline.archive.ledger import Ledger
from pipeline.archive.ledger_forget import Reason, is_held
from pipeline.archive.name_search import NameSearch
from pipeline.archive.recordings import Recording
from pipeline.archive.scores import Scores
from pipeline.errors import StorageError, UsageError

__all__ = ["Forgettable", "find_forgettable"]

_SCORECARD = "scorecard.json"


@dataclass(frozen=True, slots=True)
class Forgettable:
    """A call that is to be forgotten: its row in the ledger and the recording's key, both None where only files of it
    are there. `why` is said without naming anybody; `asked` is what was asked for, and stays in the tombstone."""

    recording: int | None
    key: str | None
    call_id: str
    why: str
    asked: Reason


def find_forgettable(
    ledger: Ledger,
    scores: Scores,
    *,
    calls: Collection[str] = (),
    person: str | None = None,
    before: date | str | None = None,
) -> tuple[Forgettable, ...]:
    """What is to be forgotten, in the order of the ledger, and what a forgetting that broke off left.

    `calls` are exact call ids; one that nothing has is passed over. `person` is a whole name: every call goes in whose
    key, manifest row or files it stands at all. `before` is a date (ISO 8601): every call goes that was held before it,
    or where nobody says when, was first listed before it. With a recording go all others of the same bytes. Nothing
    changes yet. Raises UsageError where the request is wrong, StorageError and LedgerError where a store fails.
    """
    asked = _Asked(scores, frozenset(calls), person, before)
    rows, known = _of_rows(ledger, asked)
    return (*rows, *asked.of_files(ledger, known))


class _Asked:
    """What is asked for. Raises UsageError where it is nothing, or no date."""

    def __init__(self, scores: Scores, calls: frozenset[str], person: str | None, before: date | str | None) -> None:
        if not calls and person is None and before is None:
            raise UsageError("nothing was named to be forgotten. Give a call's id, a person's name or a date.")
        self._scores = scores
        self._calls = calls
        self._before = None if before is None else _day(before)
        self._person = None if person is None else NameSearch(person)
        self._naming: dict[str, list[str]] = {}
        for call_id, name in () if person is None else scores.search(person):
            self._naming.setdefault(call_id, []).append(name.rpartition("/")[2] or "its call id")

    def of_row(self, one: Recording) -> tuple[Reason, str] | None:
        """Why a recording of the ledger is to be forgotten, None where it is not."""
        if is_held(one):
            return "call", "a forgetting that broke off"
        if one.call_id in self._calls:
            return "call", "asked for by its id"
        if places := self._naming.get(one.call_id, []) + self._in_row(one):
            return "person", f"the name stands in {', '.join(sorted(set(places)))}"
        return self._too_old(one.row.get("started_at"), one.first_seen)

    def of_files(self, ledger: Ledger, known: Collection[str]) -> Iterator[Forgettable]:
        """Calls that have files and no row: of `ridealong score`, or of a writer that was killed."""
        stored = {*self._naming, *self._scores.call_ids(), *(one for one in self._calls if self._scores.files(one))}
        for call_id in sorted(stored.difference(known, [""])):
            if (why := self._of_stored(ledger, call_id)) is not None:
                yield Forgettable(None, None, call_id, why[1], why[0])

    def _of_stored(self, ledger: Ledger, call_id: str) -> tuple[Reason, str] | None:
        if call_id in self._calls:
            return "call", "asked for by its id"
        if call_id in self._naming:
            return "person", f"the name stands in {', '.join(sorted(set(self._naming[call_id])))}"
        card = _scorecard(self._scores, call_id)
        if ledger.is_forgotten(str(card.get("provenance", {}).get("recording_sha256"))):
            return "call", "left over of a recording that was forgotten"
        return self._too_old(card.get("started_at"), None)

    def _in_row(self, one: Recording) -> list[str]:
        """Where the ledger's row names the person."""
        if self._person is None:
            return []
        texts = {"its key": one.key, "its call id": one.call_id, "its reason for failing": one.error or ""}
        cells = {f"the manifest ({name})": json.dumps(cell, ensure_ascii=False) for name, cell in one.row.items()}
        return [place for place, text in (cells | texts).items() if text and self._person.is_in(text)]

    def _too_old(self, started_at: str | None, first_seen: str | None) -> tuple[Reason, str] | None:
        when = _moment(started_at) or _moment(first_seen)
        if self._before is None or when is None or when.date() >= self._before:
            return None
        said = "held on" if _moment(started_at) else "of an unknown date, first listed on"
        return "before", f"{said} {when.date()}, before {self._before}"


def _of_rows(ledger: Ledger, asked: _Asked) -> tuple[list[Forgettable], set[str]]:
    """What is asked for among the ledger's rows with what has the same bytes, and the call ids of all rows."""
    found: dict[int, Forgettable] = {}
    contents: dict[str, Reason] = {}
    originals: dict[int, Reason] = {}
    known = set()
    for one in ledger.all():
        known.add(one.call_id)
        if (why := asked.of_row(one)) is not None:
            found[one.id] = Forgettable(one.id, one.key, one.call_id, why[1], why[0])
            contents |= {one.sha256: why[0]} if one.sha256 else {}
            originals |= {one.id if one.copy_of is None else one.copy_of: why[0]}
    for one in ledger.all() if found else ():
        of_same = contents.get(one.sha256 or "") or originals.get(one.id) or originals.get(one.copy_of or -1)
        if one.id not in found and of_same:
            found[one.id] = Forgettable(one.id, one.key, one.call_id, "the same recording under another key", of_same)
    return [found[id] for id in sorted(found)], known


def _scorecard(scores: Scores, call_id: str) -> dict[str, Any]:
    """The stored scorecard as plain values; empty where there is none that can be read."""
    try:
        card = json.loads(scores.read(call_id, _SCORECARD))
    except ValueError:
        return {}
    except StorageError as error:
        if error.fault == "missing":
            return {}
        raise
    return card if isinstance(card, dict) else {}


def _day(text: date | str) -> date:
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r}: is no date. Write year, month and day, as 2026-01-31.") from error


def _moment(text: object) -> datetime | None:
    """The time that the text gives, as its writer's clock showed it; None where it gives none."""
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
