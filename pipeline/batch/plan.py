"""What a bucket needs: its listing compared with the ledger, 1,000 recordings at a time; counted, and written down.

An unchanged recording costs one row read and three short fingerprints, so that a bucket of 100,000 is looked through in
seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.archive.bucket import Bucket
from pipeline.archive.ledger import Ledger, Speeds
from pipeline.archive.recordings import Need, Recording, Seen
from pipeline.batch.compare import FAILED, NEEDS, seen_of
from pipeline.batch.estimate import bytes_of_a_second, seconds_of_work
from pipeline.batch.gone import Ids, gone_from
from pipeline.batch.listing import TRANSCRIPTS, Found, calls_in
from pipeline.batch.rows import BucketManifest, read_bucket_manifest
from pipeline.batch.versions import Rules, versions_of
from pipeline.errors import UsageError
from pipeline.listen.call_rows import DEFAULT_CALL_TYPE, RECORDING_SUFFIXES

__all__ = ["Plan", "Tally", "make_plan", "plan"]

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run has to do, counted.

    `objects` is how many recordings the bucket holds, with those that were done, are no longer in it and have results
    that other rules made; all that follow add up to them: `needs` are (need, why, how many) of those to be done,
    `unchanged` are done already, `in_progress` another run's, `quarantined` failed too often and wait for `retry`,
    `forgotten` were erased and stay so, `gone` would have to be listened to again and are no longer in the bucket.
    `missing` of those to be done are named by the manifest and not in the bucket: each fails with that
    reason. `skipped` are (reason, how many) of other objects.

    `known_audio` is the length in seconds of the recordings to be listened to that is known, `guessed_audio` what the
    others' sizes say. `work_seconds` is what one worker takes by the speed that was measured, None where none was of
    the needs in `unmeasured`. `engine`, `judge` and `rubrics` are the rules in words; `notes` are sentences for people.
    `mark` is a fingerprint of the rules and of what the manifest lists: a run does what waits for its own plan alone,
    and not what one with a longer manifest left.
    """

    source: str
    objects: int
    needs: tuple[tuple[Need, str, int], ...] = ()
    unchanged: int = 0
    in_progress: int = 0
    quarantined: int = 0
    forgotten: int = 0
    gone: int = 0
    missing: int = 0
    skipped: tuple[tuple[str, int], ...] = ()
    known_audio: float = 0.0
    guessed_audio: float = 0.0
    work_seconds: float | None = None
    unmeasured: tuple[Need, ...] = ()
    mark: str = ""
    engine: str = ""
    judge: str = ""
    rubrics: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def to_do(self) -> int:
        """How many recordings are to be done."""
        return sum(count for _, _, count in self.needs)

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio to be listened to; about, where some of it is guessed."""
        return self.known_audio + self.guessed_audio

    def of_need(self, need: Need) -> int:
        """How many recordings need this."""
        return sum(count for one, _, count in self.needs if one == need)

    def seconds(self, workers: int) -> float | None:
        """About how long so many workers take; None where nothing was measured yet."""
        return None if self.work_seconds is None else self.work_seconds / max(1, min(workers, self.to_do))

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain values; times in seconds."""
        return {
            "source": self.source,
            "objects": self.objects,
            "to_do": self.to_do,
            "needs": [{"need": need, "why": why, "recordings": count} for need, why, count in self.needs],
            "unchanged": self.unchanged,
            "in_progress": self.in_progress,
            "quarantined": self.quarantined,
            "forgotten": self.forgotten,
            "gone": self.gone,
            "missing": self.missing,
            "skipped": dict(self.skipped),
            "audio_seconds": round(self.audio_seconds, 3),
            "guessed_audio_seconds": round(self.guessed_audio, 3),
            "work_seconds": None if self.work_seconds is None else round(self.work_seconds, 3),
            "unmeasured": list(self.unmeasured),
            "engine": self.engine,
            "judge": self.judge,
            "rubrics": list(self.rubrics),
            "notes": list(self.notes),
        }


def make_plan(
    bucket: Bucket,
    ledger: Ledger,
    rules: Rules,
    *,
    manifest: str | Path | None = None,
    out: str | Path,
    record: bool = True,
) -> Plan:
    """The plan for a bucket; with `record` it is written into the ledger, else nothing is.

    Raises ManifestError for a manifest with faults, UsageError for one that names nothing in this bucket and where no
    rubric fits a call, StorageError where the bucket cannot be listed to its end, LedgerError where the ledger cannot
    be used.
    """
    listed = None if manifest is None else read_bucket_manifest(manifest, bucket)
    for call_type in (DEFAULT_CALL_TYPE,) if listed is None else sorted(listed.call_types):
        rules.rubric(call_type)  # before anything is written
    tally = Tally(ledger.speeds())
    mark = rules.plan if listed is None else f"{rules.plan}{listed.mark[:16]}"
    for chunk in plan(bucket, ledger, rules, manifest=listed, out=out, tally=tally):
        if record:
            ledger.record(bucket.url, chunk, mark)
    return tally.plan(bucket.url, rules, mark, _notes(bucket.url, listed, tally.listed))


def _notes(source: str, manifest: BucketManifest | None, objects: int) -> tuple[str, ...]:
    if manifest is not None:
        return manifest.warnings
    known = ", ".join((*RECORDING_SUFFIXES, *TRANSCRIPTS))
    return () if objects else (f"There is no recording in {source}. By their names, recordings are {known}.",)


def plan(
    bucket: Bucket, ledger: Ledger, rules: Rules, *, manifest: BucketManifest | None, out: str | Path, tally: Tally
) -> Iterator[Sequence[Seen]]:
    """What the ledger has to be told, in chunks: recordings that are to be done, and what changed of others (`need` is
    None). `tally` counts all of them. What is gone from the bucket comes last, after a listing that came to its end;
    where there is a manifest, that is what it lists and nothing else.

    Raises UsageError for a manifest of which nothing is in the bucket, nor ever was.
    """
    found = calls_in(bucket, manifest, out, tally.skip)
    shown = Ids()
    while chunk := list(islice(found, CHUNK)):
        keys = [one.key for one in chunk]
        known, forgotten = ledger.compare(keys, bucket.url), ledger.forgotten(keys, bucket.url)
        if manifest is not None and not (chunk[0].etag or tally.objects or forgotten or ledger.counts(bucket.url)):
            raise _other_place(manifest, chunk[0].key, bucket.url)
        shown.add(one.id for one in known.values())
        told = list(_compared(chunk, known, forgotten, rules, tally))
        if told:
            yield told
    tally.listed = tally.objects
    if manifest is None:
        for gone in gone_from(bucket.url, ledger, rules, shown, tally.unheard):
            rows = [Found(one.key, "", 0, one.row) for one in gone]
            if told := list(_compared(rows, {one.key: one for one in gone}, {}, rules, tally)):
                yield told


def _other_place(manifest: BucketManifest, key: str, source: str) -> UsageError:
    return UsageError(
        f"{manifest.name}: none of its {len(manifest.rows)} recordings is in {source}; the first was looked for as "
        f"{key!r}. Name the source that the manifest's paths are relative to, or give whole URLs in the manifest."
    )


def _compared(
    chunk: Iterable[Found], known: dict[str, Recording], forgotten: dict[str, str], rules: Rules, tally: Tally
) -> Iterator[Seen]:
    """What the ledger has to be told of a chunk."""
    for found in chunk:
        tally.objects += 1
        if found.key in forgotten and (not found.etag or forgotten[found.key] in ("", found.etag)):
            tally.forgotten += 1
            continue
        tally.rubrics[found.row["call_type"]] += 1
        before = known.get(found.key)
        seen = seen_of(found, before, versions_of(found.row, rules, found.files))
        if tally.count(seen, before, found):
            yield seen


@dataclass(slots=True)
class Tally:
    """A plan while it is counted. `listed` is how many of its `objects` listing and manifest told of."""

    speeds: Speeds
    objects: int = 0
    listed: int = 0
    unchanged: int = 0
    in_progress: int = 0
    quarantined: int = 0
    forgotten: int = 0
    gone: int = 0
    missing: int = 0
    known_audio: float = 0.0
    guessed_audio: float = 0.0
    needs: Counter[tuple[Need, str]] = field(default_factory=Counter)
    work: Counter[Need] = field(default_factory=Counter)
    rubrics: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def skip(self, reason: str, count: int) -> None:
        """Objects are passed over."""
        self.skipped[reason] += count

    def unheard(self, count: int) -> None:
        """Recordings would have to be listened to, and are gone."""
        self.objects += count
        self.gone += count

    def count(self, seen: Seen, before: Recording | None, found: Found) -> bool:
        """Count a recording; whether the ledger has to be told of it."""
        if before is None:
            self._to_do(seen, before)
            return True
        same = before.etag == seen.etag and before.wanted == seen.versions
        if before.state == "claimed":
            self.in_progress += 1
        elif seen.need is None:
            self.unchanged += 1
        elif before.state == "quarantined" and seen.why == FAILED:
            self.quarantined += 1
            return same and before.row != seen.row
        elif seen.need == "listen" and not found.etag and seen.etag:
            self.gone += 1
            return False
        else:
            self._to_do(seen, before)
            return True
        waits = before.state in ("pending", "copy")  # for another plan's run; a copy may, once its original is gone
        return waits or not same or before.row != seen.row

    def _to_do(self, seen: Seen, before: Recording | None) -> None:
        need = seen.need or "listen"
        self.needs[need, seen.why] += 1
        self.missing += not seen.etag
        is_heard = need == "listen" and not seen.row["transcript"]
        self.work["assess" if need == "listen" and not is_heard else need] += 1
        if not is_heard:
            return
        if before is not None and before.etag == seen.etag and before.audio_seconds is not None:
            self.known_audio += before.audio_seconds
        else:
            self.guessed_audio += seen.size / bytes_of_a_second(seen.key, self.speeds.bytes_per_second)

    def plan(self, source: str, rules: Rules, mark: str, notes: Sequence[str]) -> Plan:
        """What was counted."""
        seconds, unmeasured = seconds_of_work(self.work, self.known_audio + self.guessed_audio, self.speeds)
        order = sorted(self.needs.items(), key=lambda one: (NEEDS.index(one[0][0]), -one[1], one[0][1]))
        return Plan(
            source=source,
            objects=self.objects,
            needs=tuple((need, why, count) for (need, why), count in order),
            unchanged=self.unchanged,
            in_progress=self.in_progress,
            quarantined=self.quarantined,
            forgotten=self.forgotten,
            gone=self.gone,
            missing=self.missing,
            skipped=tuple(sorted(self.skipped.items(), key=lambda one: (-one[1], one[0]))),
            known_audio=self.known_audio,
            guessed_audio=self.guessed_audio,
            work_seconds=None if unmeasured else seconds,
            unmeasured=unmeasured,
            mark=mark,
            engine=rules.engine.words,
            judge=rules.judge.words,
            rubrics=tuple(dict.fromkeys(rules.rubric(one).words for one in sorted(self.rubrics))),
            notes=(*rules.notes, *notes),
        )
