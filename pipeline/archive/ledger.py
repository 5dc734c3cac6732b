"""The ledger: one row a recording, what it needs, who works on it and what became of it.

Open one in each process that needs it; threads of a process may share it. Every method is one transaction, waits for
a database that is away, and raises LedgerError in words when it stays away: then nothing was lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

from pipeline.archive import ledger_claims as claims
from pipeline.archive import ledger_contents as held
from pipeline.archive import ledger_figures as figures
from pipeline.archive import ledger_finish, ledger_forget, ledger_runs, ledger_sync
from pipeline.archive.ledger_database import IN_MEMORY, PATIENCE, Database
from pipeline.archive.ledger_figures import Pace, Speed, Speeds
from pipeline.archive.ledger_forget import Reason
from pipeline.archive.ledger_rows import pieces
from pipeline.archive.ledger_runs import Run
from pipeline.archive.ledger_schema import is_made, make_ready, serve, served
from pipeline.archive.ledger_text import quoted, unquoted
from pipeline.archive.recordings import Done, Marks, Need, Recording, Seen, State, Versions
from pipeline.errors import UsageError

__all__ = ["Ledger", "Pace", "Run", "Speed", "Speeds", "open_ledger"]

FAILED: tuple[State, ...] = ("failed", "quarantined")


def open_ledger(url: str | Path, *, patience: float = PATIENCE, dry_run: bool = False) -> Ledger:
    """The ledger at `sqlite:///FILE` (or a path) or `postgresql://…`; made or brought up to date where it must be.

    `patience` is for how many seconds a database that is away is waited for. A `dry_run` makes nothing: where there is
    no ledger yet, it gets an empty one in memory. Raises UsageError for a URL of another
    kind, LedgerError where the database cannot be used.
    """
    database = Database(url, patience)
    if dry_run and not is_made(database):
        database = Database(IN_MEMORY, patience)
    make_ready(database)
    return Ledger(database)


class Ledger:
    """A ledger that is open. `open_ledger` makes one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.url = database.url

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database; another call opens it again."""
        self._database.close()

    # --- what it serves -------------------------------------------------------------------------

    @property
    def out(self) -> str | None:
        """Where the scorecards of its recordings are; None before the first run."""
        found = self._database.read(served)
        return None if found is None else unquoted(found)

    def serve(self, out: str) -> None:
        """Bind the ledger to where the scorecards go, once. Raises UsageError where it serves another place."""
        wanted = out.rstrip("/") or out
        if self.out is None:
            self._database.write(serve, quoted(wanted))
        if (bound := self.out) != wanted:
            raise UsageError(
                f"the ledger {self.url} is that of {bound}, not of {wanted}: it says which scorecards are there. "
                f"Give --out {bound}, or another --ledger for {wanted}."
            )

    # --- planning -------------------------------------------------------------------------------

    def compare(self, keys: Sequence[str], source: str) -> dict[str, Recording]:
        """By key, what the ledger has of these; best asked 1,000 at a time."""
        found: dict[str, Recording] = {}
        for piece in pieces(keys):
            found |= self._database.read(ledger_sync.compare, piece, quoted(source))
        return found

    def forgotten(self, keys: Sequence[str], source: str) -> dict[str, str]:
        """By key, the etag of what was forgotten under it; keys without a tombstone are left out."""
        found: dict[str, str] = {}
        for piece in pieces(keys):
            found |= self._database.read(ledger_sync.forgotten, piece, quoted(source))
        return found

    def outdated(self, source: str, marks: Marks, but: Container[int] = ()) -> tuple[list[int], int]:
        """The recordings without those `but` whose stored results are not those of the rules that make these `marks`:
        the ids of those that can be judged or levelled anew, or wait or failed; and how many others there are, which
        would have to be listened to. Nothing is said of recordings that nothing is stored of."""
        return self._database.read(ledger_sync.outdated, quoted(source), marks, but)

    def is_forgotten(self, sha256: str) -> bool:
        """Whether a recording of these bytes was forgotten, under whatever key."""
        return self._database.read(ledger_forget.is_forgotten, sha256)

    def record(self, source: str, seen: Sequence[Seen], plan: str = "") -> int:
        """Write down what a listing showed; how many of them wait for the plan now.

        `plan` is a fingerprint of the run's settings and manifest: only runs with the same one claim them. What failed
        before waits again; what is quarantined only where the recording or the versions wanted are others. A forgotten
        recording stays forgotten.
        """
        waiting = 0
        for piece in pieces(seen):
            waiting += self._database.write(ledger_sync.record, quoted(source), piece, plan)
        return waiting

    # --- runs -----------------------------------------------------------------------------------

    def begin(self, settings: Mapping[str, Any]) -> str:
        """The id of a new run of this process, which lives until `end`, or until the process does."""
        run = secrets.token_hex(8)
        self._database.write(ledger_runs.begin, run, dict(settings))
        return run

    def beat(self, run: str) -> bool:
        """Say that the run lives, at least every 20 s; False where others have found it dead: it must stop."""
        return self._database.write(ledger_runs.beat, run)

    def end(self, run: str, state: str = "done") -> None:
        """The run is over; what it still had claimed waits again."""
        self._database.write(ledger_runs.end, run, state)
        self._database.write(claims.give_back_all, run)

    def release_dead(self) -> tuple[Recording, ...]:
        """The recordings of dead runs, pending again: of those that were started there may be leftovers to sweep."""
        return self._database.write(claims.release_dead)

    def runs(self) -> tuple[Run, ...]:
        """The runs that work now, on whatever machine."""
        return self._database.read(ledger_runs.live_runs)

    # --- work -----------------------------------------------------------------------------------

    def claim(self, run: str, source: str, limit: int, plan: str | None = None) -> tuple[Recording, ...]:
        """Up to `limit` pending recordings of the source and plan (None: of any), now the run's; empty: none waits."""
        token = secrets.token_hex(8)
        return self._database.write(claims.claim, run, quoted(source), limit, plan, token)

    def give_back(self, run: str, ids: Sequence[int]) -> tuple[Recording, ...]:
        """Those of the recordings that were still the run's, pending again; a started one counts an interruption."""
        given = [self._database.write(claims.give_back_these, run, piece) for piece in pieces(sorted(ids))]
        return tuple(chain.from_iterable(given))

    def start(self, id: int, run: str) -> Recording | None:
        """The recording, with one attempt more; None where it is no longer the run's."""
        return next(iter(self.start_many([id], run)), None)

    def start_many(self, ids: Sequence[int], run: str) -> tuple[Recording, ...]:
        """Those of the recordings that are still the run's, by id, each with one attempt more."""
        started = [self._database.write(claims.start, run, piece) for piece in pieces(sorted(ids))]
        return tuple(chain.from_iterable(started))

    def claim_content(self, id: int, sha256: str, versions: Versions, run: str) -> Recording | None:
        """None where the content is this recording's to work on, else the other that has it, done or at work on it."""
        return self._database.write(held.claim_content, id, sha256, versions, run)

    def heard(self, id: int, sha256: str, listening: str) -> Recording | None:
        """Another recording of these bytes that was listened to as this version of listening says; None without one."""
        return self._database.read(held.heard, id, sha256, listening)

    def finish(self, id: int, run: str, done: Done) -> bool:
        """Whether the recording was still the run's; it is done. False: released or forgotten meanwhile."""
        return bool(self.finish_many(run, {id: done}))

    def finish_many(self, run: str, results: Mapping[int, Done]) -> frozenset[int]:
        """The ids of those that were still the run's, and are done."""
        told: frozenset[int] = frozenset()
        for piece in pieces(results.items()):
            told |= self._database.write(ledger_finish.finish, run, dict(piece))
        return told

    def copied(self, id: int, run: str, original: int, sha256: str) -> bool:
        """Whether the recording is now a copy of the original. False: it is no longer the run's, or the original failed
        meanwhile; then it waits again."""
        return self._database.write(held.copied, id, run, original, sha256)

    def failed(self, id: int, run: str, reason: str, tries: int, *, need: Need | None = None) -> State | None:
        """`failed`, or `quarantined` after so many failures; None where the recording is no longer the run's. `need` is
        the work that failed where that is less than was needed: what may help it differs."""
        return self._database.write(claims.failed, id, run, reason, tries, need)

    def postponed(self, id: int, run: str, reason: str) -> bool:
        """Whether the recording was still the run's; it waits again, and the attempt does not count."""
        return self._database.write(claims.postponed, id, run, reason)

    # --- figures --------------------------------------------------------------------------------

    def counts(self, source: str | None = None, plan: str | None = None) -> dict[State, int]:
        """By state, how many recordings, of a source and a plan (None: of any); a state without any is left out."""
        return self._database.read(figures.counts, _quoted(source), plan)

    def progress(self, since: str) -> Pace:
        """What was done since a time, ISO 8601 in UTC as the ledger's own times are."""
        return self._database.read(figures.progress, since)

    def speeds(self) -> Speeds:
        """How long work took by need and device, and the bytes of a second of audio by suffix."""
        return self._database.read(figures.speeds)

    def all(self, states: Collection[State] | None = None, source: str | None = None) -> Iterator[Recording]:
        """Every recording in one of the states (None: any), by id; read page by page."""
        return figures.every(self._database, states, _quoted(source))

    def failures(self, states: Collection[State] = FAILED) -> Iterator[Recording]:
        """The recordings that failed, by id, each with its reason in `error`."""
        return self.all(states)

    def get(self, ids: Sequence[int]) -> tuple[Recording, ...]:
        """The recordings of these ids, by id; one that is not there is left out."""
        found = [self._database.read(figures.by_id, piece) for piece in pieces(sorted(ids))]
        return tuple(chain.from_iterable(found))

    def find(self, call_id: str) -> Recording | None:
        """The recording of this call id; None where there is none."""
        return self._database.read(figures.by_call_id, call_id)

    # --- asked for ------------------------------------------------------------------------------

    def retry(self, ids: Sequence[int] | None = None) -> int:
        """How many failed and quarantined recordings, of these or of all, wait again as if they had never failed."""
        if ids is None:
            return self._database.write(claims.retry, None)
        return sum(self._database.write(claims.retry, piece) for piece in pieces(ids))

    def lost(self, ids: Sequence[int]) -> int:
        """How many of these were done, and wait to be done anew because their scorecards are gone."""
        return sum(self._database.write(claims.lost, piece) for piece in pieces(ids))

    def hold(self, ids: Sequence[int]) -> None:
        """Set the recordings aside: whoever works on them loses them, and `forget` finds them if it breaks off."""
        for piece in pieces(ids):
            self._database.write(ledger_forget.hold, piece)

    def forget(self, ids: Sequence[int], why: Reason) -> int:
        """How many recordings went, with their copies: rows out, tombstones in, the database's files written anew.

        `why` is call, person or before: a tombstone names nobody. The scorecards are the caller's to remove, first.
        """
        if why not in ledger_forget.REASONS:
            raise UsageError(f"a tombstone's reason is one of {', '.join(ledger_forget.REASONS)}, not what was given.")
        gone = 0
        for piece in pieces(ids):
            gone += self._database.write(ledger_forget.forget, piece, why)
        ledger_forget.wipe(self._database)
        return gone

    def forget_copy(self, id: int, run: str, sha256: str) -> bool:
        """Whether the recording was still the run's; it is out, because its bytes were forgotten under another key."""
        return self._database.write(ledger_forget.forget_copy, id, run, sha256)

    def search(self, wanted: str) -> dict[str, int]:
        """By table, how many rows hold the text in any column, whatever its case; empty: none does."""
        return self._database.read(ledger_forget.search, wanted)


def _quoted(source: str | None) -> str | None:
    return None if source is None else quoted(source)
