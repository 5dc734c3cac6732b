"""A shard's tasks: what is tried again, what is remembered, and who has the GPU."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.task_runners import ThreadPoolTaskRunner

from flows import shards
from flows.private import WordlessError
from flows.score_recording import GPU_LIMIT, NotDone, score_recording
from flows.shards import Shards
from pipeline.archive.ledger import open_ledger
from pipeline.archive.recordings import Done, Seen, Versions
from pipeline.batch.work import Job, Result
from pipeline.settings import ListenSettings

NAME = "Zebedee Quillfeather"


@dataclass
class ByScript:
    """A hand that gives the endings of a script, one a call, and tells the ledger of those that are done."""

    ledger: str
    run: str
    script: list[Result]
    settings: ListenSettings = field(default_factory=lambda: ListenSettings(engine="fake"))
    tells: bool = True
    given: list[Job] = field(default_factory=list)

    def __call__(self, job):
        self.given.append(job)
        result = self.script[min(len(self.given), len(self.script)) - 1]
        if result.state == "done" and self.tells:
            with open_ledger(self.ledger) as book:
                book.start(result.id, self.run)
                done = Done("ab" * 32, Versions("a", "b", "c"), {}, 60.0, 0.1, "cpu")
                assert book.finish(result.id, self.run, done)
        return (result,)


DONE = Result(1, "done", "listen")
AWAY = Result(1, "postponed", "listen", "s3://bucket/quillfeather.wav is throttled", "throttled")


@pytest.fixture
def claimed(tmp_path):
    """A ledger whose one recording is claimed, as (URL, run)."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_ledger(url) as book:
        book.record("s", [Seen("a.wav", "e", 1, "a", {}, Versions("a", "b", "c"), "listen", "new")], str(tmp_path))
        run = book.begin({})
        assert len(book.claim(run, "s", 5, None)) == 1
    return url, run


def run_shard(hand, monkeypatch, delay=0):
    monkeypatch.setattr(shards, "score_recording", score_recording.with_options(retry_delay_seconds=delay))
    with open_ledger(hand.ledger) as book:
        runner = Shards(hand, book, ThreadPoolTaskRunner(max_workers=1), lambda: 1, 10)
        return [result for results in runner(iter([Job("listen", (1,))])) for result in results]


def test_a_store_that_recovers_is_tried_again_and_the_claim_kept(harness, claimed, monkeypatch):
    hand = ByScript(*claimed, [AWAY, DONE])
    assert [one.state for one in run_shard(hand, monkeypatch)] == ["done"]
    assert [job.keep for job in hand.given] == [True, True]


def test_a_store_that_stays_away_puts_the_recording_off_at_the_last_try(harness, claimed, monkeypatch):
    hand = ByScript(*claimed, [AWAY])
    (result,) = run_shard(hand, monkeypatch)
    assert (result.state, result.fault, result.reason) == (
        "postponed",
        "throttled",
        "recording 1: the store was throttled.",
    )
    assert [job.keep for job in hand.given] == [True] * (len(hand.given) - 1) + [False]
    assert len(hand.given) == 1 + score_recording.retries


@pytest.mark.parametrize("fault", [None, "denied", "full"])
def test_nothing_else_is_tried_again(harness, claimed, monkeypatch, fault):
    state = "postponed" if fault else "failed"
    hand = ByScript(*claimed, [Result(1, state, "listen", "no", fault)])
    assert [one.state for one in run_shard(hand, monkeypatch)] == [state]
    assert len(hand.given) == 1


def test_a_remembered_answer_is_believed_where_the_ledger_says_so_too(harness, claimed, monkeypatch):
    first, second = ByScript(*claimed, [DONE]), ByScript(*claimed, [DONE])
    rows = open_ledger(claimed[0]).get([1])
    monkeypatch.setattr(shards, "content_key", lambda job, _: f"{rows[0].generation} {claimed[0]}")
    assert [one.state for one in run_shard(first, monkeypatch)] == ["done"]
    assert [one.state for one in run_shard(second, monkeypatch)] == ["done"]
    assert (len(first.given), len(second.given)) == (1, 0)


def test_a_remembered_answer_makes_no_scorecard(harness, claimed, monkeypatch):
    told = ByScript(*claimed, [DONE], tells=False)  # as after the ledger was lost
    hand = ByScript(*claimed, [DONE])
    monkeypatch.setattr(shards, "content_key", lambda job, _: f"lost {claimed[0]}")
    run_shard(told, monkeypatch)
    assert [one.state for one in run_shard(hand, monkeypatch)] == ["done"]
    assert len(hand.given) == 1
    with open_ledger(claimed[0]) as book:
        assert book.counts() == {"done": 1}


def test_the_key_of_an_answer_tells_content_versions_and_generation(claimed):
    with open_ledger(claimed[0]) as book:
        row = book.get([1])
    job = Job("listen", (1,))
    keys = {shards.content_key(job, row)}
    other = {"etag": "f", "sha256": "cd" * 32, "generation": 7, "wanted": Versions("a", "b", "d")}
    for name, value in other.items():
        keys.add(shards.content_key(job, (replace(row[0], **{name: value}),)))
    assert len(keys) == 1 + len(other)


def test_an_unforeseen_error_stops_the_batch_and_keeps_its_words(harness, claimed, monkeypatch):
    class Broken(ByScript):
        def __call__(self, job):
            raise ValueError(f"{NAME} is no number")

    with pytest.raises(WordlessError, match=r"ValueError\. Its words may name people"):
        run_shard(Broken(*claimed, []), monkeypatch)
    assert NAME.encode() not in harness.read_bytes()


def test_a_gpu_has_its_turns(harness, claimed, monkeypatch):
    slots = []

    class Counting(ByScript):
        def __call__(self, job):
            with get_client(sync_client=True) as client:
                slots.append(client.read_global_concurrency_limit_by_name(GPU_LIMIT).active_slots)
            return super().__call__(job)

    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=GPU_LIMIT, limit=1))
    run_shard(Counting(*claimed, [DONE], settings=ListenSettings(engine="whisper", device="cuda")), monkeypatch)
    run_shard(Counting(*claimed, [Result(1, "lost", "listen")]), monkeypatch)
    assert slots == [1, 0]


def test_without_prefect_the_task_is_a_function(claimed):
    hand = ByScript(*claimed, [AWAY])
    with pytest.raises(NotDone, match=r"recording 1 postponed \(throttled\); `ridealong failures` says why"):
        score_recording.fn(hand, Job("listen", (1,)), "recording 1", "key")
    assert not hand.given[0].keep
