"""What a run takes on and when it is over: its own plan and no other, and all of that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from pipeline import resources
from pipeline.archive.ledger import open_ledger
from pipeline.archive.scores import open_scores
from pipeline.archive.scores_folder import FolderScores
from pipeline.batch import run as driver
from pipeline.batch import stages
from pipeline.batch.run import score_bucket
from pipeline.batch.work import work
from pipeline.errors import JudgeServerError, StorageError, UsageError
from pipeline.fakes import write_fake
from tests.batch.conftest import FAKE, here


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def score(source, **options):
    options = {"out": source.parent / "out", "settings": FAKE, "runner": here, "workers": 1} | options
    return score_bucket(source, **options)


def states(source):
    with open_ledger(source.parent / "out" / "ledger.db") as ledger:
        return {one.key: one.state for one in ledger.all()}


def test_run_does_what_its_manifest_lists_and_not_what_an_earlier_one_left(source):
    @contextmanager
    def stopped_after_one(place):
        def run(jobs):
            yield work(place, next(jobs))
            raise KeyboardInterrupt

        with here(place):
            yield run

    for name in "abcd":
        write_fake(source / f"{name}.wav", seed=ord(name))
    with pytest.raises(KeyboardInterrupt):
        score(source, runner=stopped_after_one)
    manifest = source.parent / "calls.csv"
    manifest.write_text("recording\nd.wav\n", encoding="utf-8")
    listed = score(source, manifest=manifest)
    assert (listed.plan.to_do, listed.done, listed.left) == (1, 1, 0)
    assert states(source) == {"a.wav": "done", "b.wav": "pending", "c.wav": "pending", "d.wav": "done"}
    manifest.write_text("recording\nd.wav\nb.wav\n", encoding="utf-8")
    assert score(source, manifest=manifest).done == 1
    assert score(source).plan.of_need("listen") == 1
    assert set(states(source).values()) == {"done"}


def test_run_tries_a_copy_itself_where_the_original_fails(source):
    @contextmanager
    def at_once(place):
        def run(jobs):
            with ThreadPoolExecutor(4) as pool:
                yield from pool.map(partial(work, place), list(jobs))

        with here(place):
            yield run

    for name in "ab":
        write_fake(source / f"{name}.wav", work=0.5, fail="nothing is said")
    told = []
    summary = score(source, runner=at_once, progress=told.append)
    assert (summary.copies, summary.failed, summary.left) == (1, 2, 0)
    assert [one.planned for one in told] == [2, 2, 3]
    assert set(states(source).values()) == {"failed"}


def test_run_says_why_a_recording_is_left_that_storage_failed_for_each_time(source, monkeypatch):
    def denied(self, call_id, files, *, keep=()):
        if call_id == "a":
            raise StorageError(f"{call_id}: permission denied.", "denied")
        written(self, call_id, files, keep=keep)

    written = FolderScores.write
    monkeypatch.setattr(FolderScores, "write", denied)
    monkeypatch.setattr(driver, "_LONGEST_PAUSE", 0.01)
    for name in "ab":
        write_fake(source / f"{name}.wav", seed=ord(name))
    summary = score(source)
    assert (summary.done, summary.left) == (1, 1)
    assert summary.stopped == (
        "Storage failed 5 times for 1 recording, the last time so: a: permission denied. Running it again goes on."
    )


def test_run_does_a_copy_itself_whose_original_changed_though_the_manifest_grew(source):
    manifest = source.parent / "calls.csv"
    for name in "ab":
        write_fake(source / f"{name}.wav", seed=1)
    manifest.write_text("recording\na.wav\nb.wav\n", encoding="utf-8")
    assert score(source, manifest=manifest).copies == 1
    write_fake(source / "a.wav", seed=2, seconds=70)
    write_fake(source / "c.wav", seed=3)
    manifest.write_text("recording\na.wav\nb.wav\nc.wav\n", encoding="utf-8")
    summary = score(source, manifest=manifest)
    assert (summary.done, summary.left) == (3, 0)
    assert set(states(source).values()) == {"done"}


def test_run_scores_anew_what_somebody_damaged_in_a_bucket(s3, source):
    out, client = s3.bucket("out"), s3.client()
    for name in "abcd":
        write_fake(source / f"{name}.wav", seed=ord(name))
    assert score(source, out=out).done == 4
    keys = [one["Key"] for one in client.list_objects_v2(Bucket="out")["Contents"]]
    call = next(key for key in keys if key.startswith("calls/c/") and key.endswith("call.json"))
    vtt = next(key for key in keys if key.startswith("calls/d/") and key.endswith("transcript.vtt"))
    client.put_object(Bucket="out", Key="calls/a/current.json", Body=b"{")
    client.delete_object(Bucket="out", Key="calls/b/current.json")
    client.put_object(Bucket="out", Key=call, Body=b"no call")
    client.delete_object(Bucket="out", Key=vtt)
    summary = score(source, out=out, rubric="deal_review")
    assert (summary.done, summary.left, summary.stopped) == (4, 0, None)
    scores = open_scores(out)
    for name in "abcd":
        assert json.loads(scores.read(name, "scorecard.json"))["rubric"]["id"] == "deal_review"
        assert len(scores.files(name)) == 6 - (name == "d")


@pytest.mark.parametrize("then", ["retry", "another judge"])
def test_run_listens_once_where_the_judges_server_fails(source, monkeypatch, then):
    def down(call, classifier):
        raise JudgeServerError("http://localhost:1/v1 cannot be asked.")

    log = source.parent / "listened"
    write_fake(source / "a.wav", log=str(log))
    with monkeypatch.context() as patched:
        patched.setattr(stages, "judged", down)
        assert [score(source, tries=2).failed, score(source, tries=2).quarantined] == [1, 1]
    if then == "retry":
        with open_ledger(source.parent / "out" / "ledger.db") as ledger:
            assert ledger.retry() == 1
    else:
        monkeypatch.setattr("pipeline.batch.versions.JUDGING", "2")
    assert score(source).done == 1
    assert log.read_text(encoding="utf-8") == "a\n"


@pytest.mark.parametrize("moved", [False, True])
def test_run_listens_once_to_equal_bytes_of_which_other_things_are_told(source, moved):
    log, manifest = source.parent / "listened", source.parent / "calls.csv"
    write_fake(source / "a.wav", log=str(log), turns=[["Ann", "What does it cost?"], ["Bob", "It depends."]])
    manifest.write_text("recording,rep\na.wav,Bob\n", encoding="utf-8")
    assert score(source, manifest=manifest).done == 1
    calls = source.parent / "out" / "calls"
    (calls / "a" / "audio.mp3").write_bytes(b"sound")
    (source / "b.wav").write_bytes((source / "a.wav").read_bytes())
    if moved:
        (source / "a.wav").unlink()
    manifest.write_text("recording,rep\nb.wav,Ann\n", encoding="utf-8")
    assert score(source, manifest=manifest).done == 1
    assert log.read_text(encoding="utf-8") == "a\n"
    card = json.loads((calls / "b" / "scorecard.json").read_bytes())
    roles = {one["speaker"]: one["role"] for one in card["participants"]}
    assert (card["call_id"], card["source"], roles["Ann"]) == ("b", "b.wav", "rep")
    assert (calls / "b" / "audio.mp3").read_bytes() == b"sound"
    assert b'src="./audio.mp3"' in (calls / "b" / "scorecard.html").read_bytes()


def test_run_says_why_no_worker_can_be_started(source):
    for number in range(20):
        write_fake(source / f"{number}.wav", seed=number)
    script = source.parent / "unguarded.py"
    code = f"score_bucket({str(source)!r}, out={str(source.parent / 'out')!r}, settings=FAKE, workers=1)"
    lines = "from pipeline.batch.run import score_bucket", "from tests.batch.conftest import FAKE", code
    script.write_text("\n".join(lines), encoding="utf-8")
    environ = {**os.environ, "PYTHONPATH": str(resources.ROOT)}
    done = subprocess.run([sys.executable, str(script)], env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "worker processes cannot be kept running" in done.stderr and "if __name__ == '__main__':" in done.stderr
    assert set(states(source).values()) <= {"pending", "done"}


def test_a_folder_that_is_not_there_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere: there is no such folder\. Check the path"):
        score_bucket(tmp_path / "nowhere", out=tmp_path / "out", settings=FAKE)
    assert not (tmp_path / "out").exists()
