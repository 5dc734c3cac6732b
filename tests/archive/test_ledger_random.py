"""Batches of a hundred random events (workers that fail, die or meet a full bucket, changed recordings, new rubrics)
and then one quiet run: every recording has its scorecard, of its newest bytes and versions, worked on once."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pipeline.archive.ledger import Ledger, open_ledger
from pipeline.archive.recordings import Done, Need, Recording, Seen, Versions
from tests.archive.ledgers import FIRST, SOURCE, result, seen

KEYS = [f"{n}.wav" for n in range(12)]


@dataclass
class World:
    """A bucket, the scorecards (call id -> bytes and versions they were made of) and a ledger, with runs that work."""

    ledger: Ledger
    choose: random.Random
    bytes: dict[str, str] = field(default_factory=dict)
    etags: dict[str, int] = field(default_factory=dict)
    versions: Versions = FIRST
    out: dict[str, tuple[str, Versions]] = field(default_factory=dict)
    working: dict[int, tuple[str, str]] = field(default_factory=dict)  # id -> run and the bytes that it fetched
    runs: list[str] = field(default_factory=list)

    def change_recording(self) -> None:
        key = self.choose.choice(KEYS)
        self.bytes[key] = f"{self.choose.randrange(5):064}"
        self.etags[key] = self.etags.get(key, 0) + 1

    def change_versions(self) -> None:
        name = self.choose.choice(["listening", "judging", "levelling"])
        self.versions = replace(self.versions, **{name: f"{name}-{self.choose.randrange(2)}"})

    def plan(self) -> None:
        known = self.ledger.compare(KEYS, SOURCE)
        listing = [self.seen(key, known.get(key)) for key in KEYS if key in self.bytes]
        self.ledger.record(SOURCE, listing, str(self.versions))

    def seen(self, key: str, before: Recording | None) -> Seen:
        need = needed(before, f"v{self.etags[key]}", self.versions)
        return seen(key, etag=f"v{self.etags[key]}", versions=self.versions, need=need)

    def begin(self) -> None:
        self.runs.append(self.ledger.begin({}))

    def claim(self) -> None:
        run = self.choose.choice(self.runs)
        for each in self.ledger.claim(run, SOURCE, self.choose.randint(1, 4), str(self.versions)):
            if self.ledger.start(each.id, run):
                self.working[each.id] = (run, self.bytes[each.key])

    def work(self) -> None:
        """One of the recordings that are being worked on is ended, well or badly."""
        if not self.working:
            return
        id = self.choose.choice(sorted(self.working))
        run, content = self.working.pop(id)
        (each,) = self.ledger.get([id])
        event = self.choose.random()
        if event < 0.1:
            self.ledger.failed(id, run, "bad", 100)
        elif event < 0.2:
            self.ledger.postponed(id, run, "the bucket is away")
        elif event < 0.3:
            self.ledger.give_back(run, [id])
        else:
            self.score(each, run, content)

    def score(self, each: Recording, run: str, content: str) -> None:
        """What a worker does: what is stored is read again where that is enough, else the bytes are listened to."""
        if each.need == "listen":
            original = self.ledger.claim_content(each.id, content, each.wanted, run)
            if original is not None:
                self.ledger.copied(each.id, run, original.id, content)
                return
        else:
            stored, versions = self.out[each.call_id]
            assert versions.listening == each.wanted.listening
            content = stored
        done: Done = result(content, each.wanted)
        if self.ledger.get([each.id])[0].state == "claimed":
            self.out[each.call_id] = (content, each.wanted)
        self.ledger.finish(each.id, run, done)

    def kill(self) -> None:
        """A run ends without a word of its workers, as after its death was noticed."""
        if len(self.runs) > 1:
            run = self.runs.pop(self.choose.randrange(len(self.runs)))
            self.ledger.end(run)
            self.working = {id: job for id, job in self.working.items() if job[0] != run or self.choose.random() < 0.5}

    def finish_quietly(self) -> None:
        """One run that meets no trouble, as often as there is something to do."""
        for run in self.runs:
            self.ledger.end(run)
        run = self.ledger.begin({})
        for _ in range(4):
            self.plan()
            while got := self.ledger.claim(run, SOURCE, 3, str(self.versions)):
                for each in got:
                    started = self.ledger.start(each.id, run)
                    assert started is not None
                    self.score(started, run, self.bytes[each.key])


def needed(before: Recording | None, etag: str, wanted: Versions) -> Need | None:
    """As a plan has it: by etag and versions alone."""
    if before is None or before.etag != etag or before.done_with.listening != wanted.listening:
        return "listen"
    if before.done_with.judging != wanted.judging:
        return "assess"
    return "level" if before.done_with.levelling != wanted.levelling else None


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_every_recording_ends_with_its_scorecard(tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)
    with open_ledger(tmp_path / "ledger.db") as ledger:
        world = World(ledger, choose)
        world.begin()
        events = [world.change_recording, world.change_versions, world.begin, world.kill, world.plan]
        for _ in range(100):
            choose.choices([*events, world.claim, world.work], [3, 1, 1, 1, 4, 8, 12])[0]()
        world.finish_quietly()
        found = {each.key: each for each in ledger.all()}
    assert set(found) == set(world.bytes)
    originals = {each.id: each for each in found.values() if each.state == "done"}
    for key, each in found.items():
        assert each.state in ("done", "copy"), each
        original = originals[each.copy_of or each.id]
        assert world.out[original.call_id] == (world.bytes[key], world.versions)
        assert (each.sha256, each.done_with, each.wanted) == (world.bytes[key], world.versions, world.versions)
