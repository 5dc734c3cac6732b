"""A bucket in, one scorecard a recording out: plan, claim, hand to workers, count. What is done is what the ledger
says, so the same call made again goes on where this one stopped, whatever stopped it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.archive.bucket import Bucket
from pipeline.archive.buckets import open_bucket
from pipeline.archive.ledger import Ledger, open_ledger
from pipeline.archive.ledger_rows import pieces
from pipeline.archive.scores import open_scores
from pipeline.archive.temporary import sweep_temporary, temporary_folder
from pipeline.batch.places import default_ledger, local_folder
from pipeline.batch.plan import Plan, make_plan
from pipeline.batch.versions import rules_of
from pipeline.batch.work import Job, Place, Result
from pipeline.batch.workers import CALL_TIMEOUT, Runner, Workers, default_workers
from pipeline.errors import LedgerError, UsageError
from pipeline.settings import ListenSettings, keep_private

__all__ = ["Progress", "Summary", "score_bucket"]

TRIES = 3
_CLAIM = 8  # recordings claimed at once a worker: few, so that several machines share the end of a bucket
_LEVELS = 50  # recordings whose levels alone are needed are done together
_BEAT = 20.0  # seconds between two signs of life; the ledger waits minutes before it takes a run for dead
_IN_A_ROW = 5  # storage faults without one success between them after which the batch stops
_LONGEST_PAUSE = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running batch is: recordings of `planned`, seconds of audio that were listened to, seconds since the
    first was begun, and the reason of the last failure, None without one."""

    planned: int
    done: int = 0
    copies: int = 0
    failed: int = 0
    quarantined: int = 0
    postponed: int = 0
    audio_seconds: float = 0.0
    elapsed: float = 0.0
    last_failure: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a batch. `left` are recordings that are still to be done, `elsewhere` those that other runs have
    in hand, `stopped` says why it ended before all were tried, None where it did not. `seconds` are those of the work,
    without planning."""

    plan: Plan
    done: int = 0
    copies: int = 0
    failed: int = 0
    quarantined: int = 0
    left: int = 0
    audio_seconds: float = 0.0
    seconds: float = 0.0
    stopped: str | None = None
    elsewhere: int = 0


def score_bucket(
    source: str | Path,
    *,
    out: str | Path,
    manifest: str | Path | None = None,
    ledger: str | None = None,
    rubric: str | None = None,
    settings: ListenSettings | None = None,
    judge: str | Path | None = None,
    calibration: str | Path | None = None,
    workers: int | None = None,
    tries: int = TRIES,
    call_timeout: float = CALL_TIMEOUT,
    dry_run: bool = False,
    runner: Callable[[Place], AbstractContextManager[Runner]] | None = None,
    planned: Callable[[Plan], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """What became of the bucket's recordings; each has its scorecard in `out`, or its reason in the ledger.

    `source` and `out` are URLs (s3, gs, az, file) or folders, `manifest` a file or URL, `ledger` a database's URL
    (None: `places.default_ledger`). `workers` None means as many as the machine carries. A recording that fails is
    tried again by the next run, `tries` times in all. `dry_run` plans and writes nothing. `runner` takes the place of
    worker processes on this machine. Raises UsageError where the request is wrong, StorageError and LedgerError where
    bucket or database cannot be used.
    """
    keep_private()
    settings = replace(settings or ListenSettings(), threads=(settings and settings.threads) or 1)
    folder = local_folder(source)
    if folder is not None and not folder.is_dir():  # before a ledger is made
        raise UsageError(f"{source}: there is no such folder. Check the path and its spelling.")
    bucket = open_bucket(source)
    where = ledger or default_ledger(out)
    rules = rules_of(settings, rubric, judge, calibration)
    with _opened(where, out, dry_run) as book:
        if not dry_run:
            _release_dead(book, out)
        plan = _noted(make_plan(bucket, book, rules, manifest=manifest, out=out, record=not dry_run), out)
        if planned:
            planned(plan)
        if dry_run or not plan.to_do:
            return Summary(plan)
        place = Place(
            source=bucket.url,
            out=open_scores(out).url,
            ledger=where,
            run="",
            tries=tries,
            settings=settings,
            rubric=rubric,
            judge=None if judge is None else str(judge),
            calibration=None if calibration is None else str(calibration),
        )
        count = workers or default_workers(settings)
        hire = runner or (lambda at: Workers(at, count, call_timeout=call_timeout))
        return _Batch(book, bucket, place, plan, count, hire, progress).run()


def _noted(plan: Plan, out: str | Path) -> Plan:
    """The plan, saying so where all scorecards of earlier runs are gone."""
    if not plan.unchanged or next(open_scores(out).call_ids(), None) is not None:
        return plan
    gone = (
        f"There is no scorecard left in {out}; `ridealong retry {out} --missing` has those scored anew that are done."
    )
    return replace(plan, notes=(*plan.notes, gone))


@contextmanager
def _opened(url: str, out: str | Path, dry_run: bool) -> Iterator[Ledger]:
    """The ledger, bound to the place that it serves."""
    with open_ledger(url, dry_run=dry_run) as book:
        if not dry_run:
            book.serve(open_scores(out).url)
        yield book


def _release_dead(book: Ledger, out: str | Path) -> None:
    """Give back what runs had that are no more, and clear away what they had half written."""
    sweep_temporary()
    scores = open_scores(out)
    for recording in book.release_dead():
        scores.sweep(recording.call_id)


@dataclass(slots=True)
class _Batch:
    """A run in progress. `in_a_row` counts storage faults since the last recording that was done."""

    book: Ledger
    bucket: Bucket
    place: Place
    plan: Plan
    workers: int
    hire: Callable[[Place], AbstractContextManager[Runner]]
    told: Callable[[Progress], None] | None
    progress: Progress = field(init=False)
    began: float = field(default_factory=time.monotonic)
    in_a_row: int = 0
    stopped: str | None = None
    last_fault: str = ""
    postponed: dict[int, int] = field(default_factory=dict)

    def run(self) -> Summary:
        """Work until nothing is left that this run may do."""
        self.progress = Progress(self.plan.to_do)
        name = self.book.begin({"plan": self.plan.mark, "workers": self.workers})
        ended = "stopped"
        try:
            with temporary_folder() as folder, _beating(self.place.ledger, name, self._disown):
                place = replace(self.place, run=name, temporary=str(folder))
                with self.hire(place) as runner:
                    while self._round(runner, name):
                        pass
            self._tell_put_off()
            ended = "stopped" if self.stopped else "finished"
        finally:
            self.book.end(name, ended)
        return self._summary()

    def _round(self, runner: Runner, run: str) -> bool:
        """Whether another round is worth while: recordings were done with, so that others may wait again that were put
        off, or were taken for copies of one that failed after all."""
        ended = False
        for results in runner(self._jobs(run)):
            ended = True
            for result in results:
                self._count(result, run)
            if self.told:
                self.told(self.progress)
        return ended and self.stopped is None

    def _jobs(self, run: str) -> Iterator[Job]:
        """Jobs of what this run claims, a few recordings at a time, until nothing is left or it is told to stop."""
        each = _CLAIM
        while self.stopped is None:
            self._pause()
            claimed = self.book.claim(run, self.bucket.url, each * self.workers, self.plan.mark)
            if not claimed:
                return
            fresh = [one for one in claimed if self.postponed.get(one.id, 0) < _IN_A_ROW]
            levels = [one.id for one in fresh if one.need == "level"]
            each = 2 * _LEVELS if levels else _CLAIM
            yield from (Job("level", tuple(piece)) for piece in pieces(levels, _LEVELS))
            yield from (Job(one.need, (one.id,)) for one in fresh if one.need and one.need != "level")

    def _pause(self) -> None:
        """Wait a little longer after each storage fault in a row."""
        if self.in_a_row:
            time.sleep(min(_LONGEST_PAUSE, 2.0 ** (self.in_a_row - 1)))

    def _count(self, result: Result, run: str) -> None:
        state = result.state
        if not result.recorded:
            found = self.book.failed(result.id, run, result.reason or "", self.place.tries)
            state = "quarantined" if found == "quarantined" else "failed"
        now = self.progress
        tried = now.done + now.copies + now.failed + now.quarantined + (state not in ("postponed", "lost"))
        self.progress = replace(
            now,
            planned=max(now.planned, tried),  # a copy may be tried itself, another machine may have added some
            done=now.done + (state == "done"),
            copies=now.copies + (state == "copy"),
            failed=now.failed + (state == "failed"),
            quarantined=now.quarantined + (state == "quarantined"),
            postponed=now.postponed + (state == "postponed"),
            audio_seconds=now.audio_seconds + (result.audio_seconds or 0.0),
            elapsed=time.monotonic() - self.began,
            last_failure=result.reason if state in ("failed", "quarantined") else now.last_failure,
        )
        self._weigh(result)

    def _weigh(self, result: Result) -> None:
        """Stop where storage is full, or where it failed many times without one success between."""
        if result.state != "postponed":
            self.in_a_row = 0
            return
        self.in_a_row += 1
        self.postponed[result.id] = self.postponed.get(result.id, 0) + 1
        self.last_fault = result.reason or ""
        if result.fault == "full" or self.in_a_row >= _IN_A_ROW + self.workers:
            self.stopped = f"{result.reason} The batch stopped here; nothing is lost, and running it again goes on."

    def _tell_put_off(self) -> None:
        """Say why, where recordings are left because storage failed for them each time."""
        left = sum(times >= _IN_A_ROW for times in self.postponed.values())
        if left and self.stopped is None:
            self.stopped = (
                f"Storage failed {_IN_A_ROW} times for {left} recording{'s' if left != 1 else ''}, the last time so: "
                f"{self.last_fault} Running it again goes on."
            )

    def _disown(self) -> None:
        """Others took this run for dead, after minutes without a sign of life, and have what it had."""
        self.stopped = "The ledger took this run for dead, and other runs have its recordings. Run it again to go on."

    def _summary(self) -> Summary:
        now, counts = self.progress, self.book.counts(self.bucket.url, self.plan.mark)
        return Summary(
            plan=self.plan,
            done=now.done,
            copies=now.copies,
            failed=now.failed,
            quarantined=now.quarantined,
            left=counts.get("pending", 0),
            elsewhere=self.book.counts(self.bucket.url).get("claimed", 0),  # what this run had is pending again
            audio_seconds=now.audio_seconds,
            seconds=time.monotonic() - self.began,
            stopped=self.stopped,
        )


@contextmanager
def _beating(ledger: str, run: str, disown: Callable[[], None]) -> Iterator[None]:
    """A thread that tells the ledger that the run is alive, as long as it lasts; `disown` where it was given up."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(_BEAT):
            try:
                with open_ledger(ledger) as book:
                    if not book.beat(run):
                        return disown()
            except LedgerError:
                continue  # the driver meets the same fault and tells it

    thread = threading.Thread(target=beat, name="ledger-beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
