"""Recordings out for good: what was found is removed from scorecards and ledger, and searched for again.

The order makes it safe against a kill in the middle. First the ledger holds the recordings, so that no run works on
them and the next forgetting finds them whatever is left; then files go, and rows last. The recordings themselves are
the user's own and stay; a tombstone in the ledger keeps a run from bringing them back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from pipeline.archive.ledger import Ledger
from pipeline.archive.ledger_forget import Reason
from pipeline.archive.scores import Scores
from pipeline.archive.temporary import sweep_temporary
from pipeline.batch.places import local_folder
from pipeline.forget_beside import clear_beside, still_beside
from pipeline.forgettable import Forgettable, find_forgettable

__all__ = ["Forgettable", "Forgotten", "find_forgettable", "forget"]

Tell = Callable[[str, int, int], None]
"""Told the stage, and how many of how many calls it is done with."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten, and the proof. `calls` are the call ids that went, `rows` how many rows of the ledger.

    `searched_files` and `searched_rows` were read through for the person's name (the rows also for the calls), and
    `still_found` says where it, or anything of the calls, stands nevertheless: empty is the proof. `sources` are the
    keys of the recordings, which are the user's own to delete.
    """

    calls: tuple[str, ...]
    rows: int
    searched_files: int
    searched_rows: int
    still_found: tuple[str, ...]
    sources: tuple[str, ...]


def forget(
    ledger: Ledger,
    scores: Scores,
    found: Sequence[Forgettable],
    *,
    person: str | None = None,
    progress: Tell | None = None,
) -> Forgotten:
    """What was forgotten, with the proof that nothing is left; `found` is what `find_forgettable` gave.

    It is worth a call with nothing found: the search is made all the same. `person` is the name that is searched for
    afterwards. Stages told to `progress` are removing, ledger and searching.
    After an error, and after a kill, the same call again goes on where this one stopped. Raises StorageError and
    LedgerError where a store fails.
    """
    tell = progress or (lambda stage, done, total: None)
    ids = [one.recording for one in found if one.recording is not None]
    calls = tuple(dict.fromkeys(one.call_id for one in found))
    ledger.hold(ids)
    contents = {one.sha256 for one in ledger.get(ids)} - {None}
    _remove(scores, calls, tell)
    if (out := local_folder(scores.url)) is not None:
        clear_beside(out, calls, person)
    sweep_temporary()
    tell("ledger", 0, 1)
    rows = _out_of_ledger(ledger, found)
    _remove(scores, calls, tell)  # what a worker was just writing that did not know yet
    tell("searching", 0, 1)
    left, searched = _left_of_calls(ledger, scores, calls, contents)
    files = 0
    if person is not None:
        left += _left_of_person(ledger, scores, person)
        files = sum(len(scores.files(call_id)) for call_id in scores.call_ids())
    sources = tuple(sorted({one.key for one in found if one.key is not None}))
    return Forgotten(calls, rows, files, searched, tuple(left), sources)


# --- removing -----------------------------------------------------------------------------------------


def _remove(scores: Scores, calls: Sequence[str], tell: Tell) -> None:
    for number, call_id in enumerate(calls):
        tell("removing", number, len(calls))
        scores.remove(call_id)


def _out_of_ledger(ledger: Ledger, found: Sequence[Forgettable]) -> int:
    """How many rows went. The database's files are written anew even where none did: the time before may have broken
    off just there."""
    by_reason: dict[Reason, list[int]] = {} if found else {"call": []}
    for one in found:
        by_reason.setdefault(one.asked, []).extend([] if one.recording is None else [one.recording])
    return sum(ledger.forget(ids, why) for why, ids in by_reason.items())


# --- proving ------------------------------------------------------------------------------------------


def _left_of_calls(
    ledger: Ledger, scores: Scores, calls: Sequence[str], contents: Collection[str | None]
) -> tuple[list[str], int]:
    """What there still is of the calls, and how many rows of the ledger were looked at."""
    left = [scores.where(call_id, name) for call_id in calls for name in scores.files(call_id)]
    gone, rows = set(calls), 0
    for one in ledger.all():
        rows += 1
        if one.call_id in gone or one.sha256 in contents:
            left.append(f"the ledger: row {one.id}, which a batch made meanwhile. Run forget again.")
    return left, rows


def _left_of_person(ledger: Ledger, scores: Scores, person: str) -> list[str]:
    """Where the name still stands: in files, and in the ledger's tables."""
    left = [f"{scores.url}: call {call_id or '-'}, {name or 'its id'}" for call_id, name in scores.search(person)]
    left += [f"the ledger: {rows} rows of the table {table}" for table, rows in ledger.search(person).items()]
    if (out := local_folder(scores.url)) is not None:
        left += still_beside(out, person)
    return list(dict.fromkeys(left))
