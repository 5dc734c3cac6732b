"""The life of a recording in the ledger, on both databases: recorded, claimed, started, and what became of it."""

from __future__ import annotations

import pytest

from pipeline.archive.ledger import Ledger, Pace, Speed, open_ledger
from pipeline.errors import UsageError
from tests.archive.ledgers import (
    FIRST,
    OTHER_SHA,
    PLAN,
    SHA,
    SOURCE,
    claimed,
    ledger,
    one,
    recorded,
    result,
    url,
)

__all__ = ["ledger", "url"]


def test_a_new_recording_is_pending_with_what_the_listing_says(ledger: Ledger) -> None:
    recording = recorded(ledger, "a.wav")["a.wav"]
    assert (recording.state, recording.need, recording.why) == ("pending", "listen", "new")
    assert (recording.call_id, recording.etag, recording.size) == ("a", "etag of a.wav", 1000)
    assert (recording.row, recording.wanted) == ({"rep": "Jane Doe"}, FIRST)
    assert (recording.attempts, recording.generation, recording.sha256, recording.finished_at) == (0, 0, None, None)


def test_a_recording_goes_from_pending_to_done(ledger: Ledger) -> None:
    run = ledger.begin({})
    each = claimed(ledger, run, "a.wav", start=False)["a.wav"]
    assert each.state == "claimed" and each.attempts == 0
    started = ledger.start(each.id, run)
    assert started is not None and started.attempts == 1 and started.started_at is not None
    assert ledger.finish(each.id, run, result())
    finished = one(ledger, "a.wav")
    assert (finished.state, finished.need, finished.why, finished.error) == ("done", None, "", None)
    assert (finished.sha256, finished.done_with, finished.provenance["code"]) == (SHA, FIRST, "0.9")
    assert (finished.audio_seconds, finished.wall_seconds, finished.device) == (60.0, 2.0, "cpu")
    assert finished.finished_at is not None and finished.finished_at >= started.started_at
    assert ledger.counts() == {"done": 1}


def test_claims_take_each_recording_once_and_no_more_than_asked(ledger: Ledger) -> None:
    recorded(ledger, *(f"{n}.wav" for n in range(5)))
    run, other = ledger.begin({}), ledger.begin({})
    first, second, third = (ledger.claim(who, SOURCE, 2, PLAN) for who in (run, other, run))
    assert [each.key for each in (*first, *second, *third)] == [f"{n}.wav" for n in range(5)]
    assert ledger.claim(run, SOURCE, 2, PLAN) == ()


def test_claims_are_of_one_source_and_one_plan(ledger: Ledger) -> None:
    run = ledger.begin({})
    recorded(ledger, "a.wav")
    assert ledger.claim(run, "s3://other", 9, PLAN) == ()
    assert ledger.claim(run, SOURCE, 9, "another plan") == ()
    assert len(ledger.claim(run, SOURCE, 9, None)) == 1


def test_the_least_interrupted_come_first(ledger: Ledger) -> None:
    run = ledger.begin({})
    each = claimed(ledger, run, "a.wav")["a.wav"]
    recorded(ledger, "b.wav")
    (given,) = ledger.give_back(run, [each.id])
    assert (given.state, given.interruptions, given.attempts, given.generation) == ("pending", 1, 1, 1)
    assert [each.key for each in ledger.claim(run, SOURCE, 9, PLAN)] == ["b.wav", "a.wav"]


def test_what_needs_its_levels_alone_comes_together(ledger: Ledger) -> None:
    run = ledger.begin({})
    for key, need in (("a.wav", "listen"), ("b.wav", "level"), ("c.wav", "listen"), ("d.wav", "level")):
        recorded(ledger, key, need=need)
    assert [each.key for each in ledger.claim(run, SOURCE, 9, PLAN)] == ["b.wav", "d.wav", "a.wav", "c.wav"]


def test_what_was_claimed_but_not_started_is_given_back_as_it_was(ledger: Ledger) -> None:
    run = ledger.begin({})
    each = claimed(ledger, run, "a.wav", start=False)["a.wav"]
    (given,) = ledger.give_back(run, [each.id, 12345])
    assert (given.state, given.interruptions, given.attempts) == ("pending", 0, 0)


def test_a_worker_that_starts_twice_counts_once(ledger: Ledger) -> None:
    run = ledger.begin({})
    each = claimed(ledger, run, "a.wav")["a.wav"]
    again = ledger.start(each.id, run)
    assert again is not None and again.attempts == 1


def test_a_recording_that_is_not_the_runs_stays_as_it_is(ledger: Ledger) -> None:
    run, other = ledger.begin({}), ledger.begin({})
    each = claimed(ledger, run, "a.wav")["a.wav"]
    assert ledger.start(each.id, other) is None
    assert not ledger.finish(each.id, other, result())
    assert ledger.failed(each.id, other, "bad", 3) is None
    assert not ledger.postponed(each.id, other, "away")
    assert not ledger.copied(each.id, other, each.id, SHA)
    assert not ledger.forget_copy(each.id, other, SHA)
    assert ledger.give_back(other, [each.id]) == ()
    assert one(ledger, "a.wav") == each


def test_a_claim_that_was_released_is_nobodys(ledger: Ledger) -> None:
    run = ledger.begin({})
    each = claimed(ledger, run, "a.wav")["a.wav"]
    ledger.give_back(run, [each.id])
    assert ledger.start(each.id, run) is None
    assert not ledger.finish(each.id, run, result())
    assert ledger.failed(each.id, run, "bad", 3) is None
    assert one(ledger, "a.wav").state == "pending"


def test_failures_are_counted_and_then_set_aside(ledger: Ledger) -> None:
    run = ledger.begin({})
    states = []
    for _ in range(3):
        each = claimed(ledger, run, "a.wav", why="failed before")["a.wav"]
        states.append(ledger.failed(each.id, run, "a.wav: no sound in it", 3))
    assert states == ["failed", "failed", "quarantined"]
    (failure,) = ledger.failures()
    assert (failure.attempts, failure.error, failure.state) == (3, "a.wav: no sound in it", "quarantined")
    assert list(ledger.failures(["failed"])) == []


def test_a_reason_is_kept_whatever_it_is_made_of(ledger: Ledger) -> None:
    run = ledger.begin({})
    each = claimed(ledger, run, "a.wav")["a.wav"]
    assert ledger.failed(each.id, run, "bad \0 name \udcff " + "x" * 5000, 3) == "failed"
    error = one(ledger, "a.wav").error
    assert error is not None and error.startswith("bad \\x00 name \\udcff xxx") and len(error) == 2000


def test_interruptions_do_not_count_as_failures(ledger: Ledger) -> None:
    run = ledger.begin({})
    for _ in range(5):
        each = claimed(ledger, run, "a.wav")["a.wav"]
        ledger.give_back(run, [each.id])
    each = claimed(ledger, run, "a.wav")["a.wav"]
    assert ledger.failed(each.id, run, "bad", 2) == "failed"
    assert one(ledger, "a.wav").attempts == 6


def test_a_recording_that_ends_every_run_is_set_aside(ledger: Ledger) -> None:
    run = ledger.begin({})
    for _ in range(20):
        each = claimed(ledger, run, "a.wav")["a.wav"]
        (given,) = ledger.give_back(run, [each.id])
    assert given.state == "quarantined"
    assert given.error is not None and "the run ended 20 times while it worked on this recording" in given.error


def test_what_storage_put_off_waits_again_and_does_not_count(ledger: Ledger) -> None:
    run = ledger.begin({})
    each = claimed(ledger, run, "a.wav")["a.wav"]
    assert ledger.postponed(each.id, run, "the bucket is away")
    waits = one(ledger, "a.wav")
    assert (waits.state, waits.attempts, waits.interruptions, waits.error) == ("pending", 0, 0, "the bucket is away")
    assert waits.generation == 1
    assert ledger.finish(claimed(ledger, run, "a.wav")["a.wav"].id, run, result())
    assert one(ledger, "a.wav").error is None


def test_many_are_started_and_finished_at_once(ledger: Ledger) -> None:
    run = ledger.begin({})
    keys = [f"{n}.wav" for n in range(1200)]
    got = claimed(ledger, run, *keys[:1000], start=False)
    ids = [each.id for each in got.values()]
    assert [each.id for each in ledger.start_many([*ids, 99_999], run)] == ids
    told = ledger.finish_many(run, {id: result(f"{id:064}") for id in [*ids, 99_999]})
    assert told == frozenset(ids)
    assert ledger.counts(SOURCE) == {"done": 1000}


def test_a_result_that_was_told_already_is_no_loss(ledger: Ledger) -> None:
    """The connection may break as the database commits: the same call is then made again."""
    run = ledger.begin({})
    a, b = claimed(ledger, run, "a.wav", "b.wav").values()
    assert ledger.finish(a.id, run, result()) and ledger.finish(a.id, run, result())
    assert not ledger.finish(a.id, run, result(OTHER_SHA))
    assert ledger.failed(b.id, run, "bad", 3) == ledger.failed(b.id, run, "bad", 3) == "failed"
    assert one(ledger, "b.wav").attempts == 1


def test_retry_makes_failures_pending_as_if_new(ledger: Ledger) -> None:
    run = ledger.begin({})
    a, b, c = claimed(ledger, run, "a.wav", "b.wav", "c.wav").values()
    ledger.failed(a.id, run, "bad", 1)
    ledger.failed(b.id, run, "bad", 3)
    assert ledger.retry([a.id, c.id]) == 1
    waits = one(ledger, "a.wav")
    assert (waits.state, waits.why, waits.attempts, waits.need) == ("pending", "asked for", 0, "listen")
    assert ledger.retry() == 1
    assert ledger.counts() == {"claimed": 1, "pending": 2}


def test_the_figures_of_what_was_done(ledger: Ledger) -> None:
    run = ledger.begin({})
    a, b, c = claimed(ledger, run, "a.wav", "b.WAV", "c.vtt").values()
    ledger.finish(a.id, run, result(SHA, seconds=100.0))
    ledger.finish(b.id, run, result(OTHER_SHA, seconds=150.0))
    ledger.finish(c.id, run, result("c" * 64, seconds=None))
    assert ledger.progress("2020-01-01") == Pace(3, 250.0, 6.0)
    assert ledger.progress("2999-01-01") == Pace(0, 0.0, 0.0)
    assert ledger.speeds().work == (Speed("listen", "cpu", 3, 250.0, 6.0),)
    assert ledger.speeds().bytes_per_second == {".wav": 8.0}


def test_everything_is_read_page_by_page(ledger: Ledger) -> None:
    recorded(ledger, *(f"{n}.wav" for n in range(2001)))
    every = list(ledger.all())
    assert [each.id for each in every] == sorted(each.id for each in every) and len(every) == 2001
    assert list(ledger.all(source="s3://other")) == []
    assert ledger.get([every[7].id, every[3].id]) == (every[3], every[7])
    assert ledger.find("7") == one(ledger, "7.wav") and ledger.find("none") is None


def test_a_ledger_serves_one_place(url: str, ledger: Ledger) -> None:
    assert ledger.out is None
    ledger.serve("s3://bucket/scores/")
    ledger.serve("s3://bucket/scores")
    with open_ledger(url) as again, pytest.raises(UsageError, match="is that of s3://bucket/scores, not of /tmp/other"):
        again.serve("/tmp/other")
    assert ledger.out == "s3://bucket/scores"
