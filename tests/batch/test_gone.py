"""Recordings that a bucket deletes after a while: what is kept of them is judged and levelled by today's rules."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import resources
from pipeline.archive.recordings import Done
from pipeline.batch.gone import Ids
from pipeline.batch.plan import make_plan
from pipeline.batch.run import score_bucket
from pipeline.batch.versions import Rule
from pipeline.errors import StorageError
from pipeline.fakes import write_fake
from tests.archive.memory_bucket import MemoryBucket
from tests.batch.conftest import FAKE, here
from tests.batch.test_plan import OUT, changed, rules, site

__all__ = ["rules", "site"]


def scored(site, *keys):
    site.put(*keys)
    site.plan()
    site.work()


@pytest.mark.parametrize(
    ("name", "need", "why"), [("judge", "assess", "judge changed"), ("rubrics", "level", "rubric changed")]
)
def test_what_is_gone_is_done_by_other_rules(site, rules, name, need, why):
    scored(site, "a.wav", "b.wav", "c.vtt")
    site.bucket.delete(["a.wav", "c.vtt"])
    other = changed(rules, name)

    trial = site.plan(rules=other, record=False)
    assert (trial.needs, trial.objects, trial.to_do) == (((need, why, 3),), 3, 3)
    assert site.ledger.counts() == {"done": 3}
    plan = site.plan(rules=other)
    assert plan == trial
    assert site.work(other) == ["a.wav", "b.wav", "c.vtt"]
    after = site.plan(rules=other)
    assert (after.to_do, after.unchanged, after.objects) == (0, 1, 1)


def test_what_is_gone_is_left_alone_where_no_rule_changed(site):
    scored(site, "a.wav", "b.wav")
    site.bucket.delete(["a.wav"])

    plan = site.plan()
    assert (plan.objects, plan.unchanged, plan.to_do, plan.gone) == (1, 1, 0, 0)


def test_what_is_gone_cannot_be_listened_to(site, rules):
    scored(site, "a.wav", "b.wav", "c.vtt")
    site.bucket.delete(["a.wav", "c.vtt"])
    before = site.known("a.wav")
    other = changed(changed(rules, "engine"), "rubrics")

    for record in (False, True):
        plan = site.plan(rules=other, record=record)
        assert (plan.gone, plan.objects) == (1, 3)
        assert plan.needs == (("listen", "engine changed", 1), ("level", "rubric changed", 1))  # nobody listens to text
    assert site.work(other) == ["b.wav", "c.vtt"]
    assert site.known("a.wav") == before
    assert site.plan(rules=other).gone == 1


def test_a_bucket_that_is_empty_by_now_is_said(site, rules):
    scored(site, "a.wav")
    site.bucket.delete(["a.wav"])

    plan = site.plan(rules=changed(rules, "rubrics"))
    assert plan.to_do == 1
    assert plan.notes[-1].startswith("There is no recording in s3://memory/scores.")


def test_a_run_that_was_stopped_goes_on_with_what_is_gone(site, rules):
    scored(site, "a.wav", "b.wav", "c.wav")
    site.bucket.delete(["a.wav", "b.wav"])
    other = changed(rules, "rubrics")
    site.plan(rules=other)
    run = site.ledger.begin({})
    assert len(site.ledger.claim(run, site.bucket.url, 1, other.plan)) == 1

    plan = site.plan(rules=other)
    assert (plan.in_progress, plan.to_do) == (1, 2)
    site.ledger.end(run)
    assert site.work(other) == ["a.wav", "b.wav", "c.wav"]


def test_a_plan_that_was_given_up_leaves_nothing_waiting_that_is_gone(site, rules):
    scored(site, "a.wav")
    site.bucket.delete(["a.wav"])
    other = changed(rules, "rubrics")
    site.plan(rules=other)

    assert site.plan().to_do == 0
    assert site.ledger.counts() == {"done": 1}
    site.plan(rules=other)
    another = replace(rules, judge=Rule("e" * 16, "another"))
    assert site.plan(rules=another).needs == (("assess", "judge changed", 1),)
    assert site.work(another) == ["a.wav"]


def test_what_is_gone_and_cannot_be_judged_is_quarantined(site, rules):
    scored(site, "a.wav")
    site.bucket.delete(["a.wav"])
    other = changed(rules, "judge")
    for _ in range(2):
        site.plan(rules=other)
        site.fail(tries=2, rules=other)

    plan = site.plan(rules=other)
    assert (plan.quarantined, plan.to_do) == (1, 0)
    assert site.plan().to_do == 0
    assert site.known("a.wav").state == "done"


def test_a_recording_that_comes_back_is_what_it_was(site, rules):
    scored(site, "a.wav")
    kept = site.bucket.stored.pop("a.wav")
    other = changed(rules, "rubrics")
    site.plan(rules=other)
    site.work(other)
    site.put("a.wav", content=kept)

    assert site.plan(rules=other).unchanged == 1
    site.put("a.wav", content=b"another")
    assert site.plan(rules=other).needs == (("listen", "recording changed", 1),)


def test_what_was_forgotten_does_not_come_back(site, rules):
    scored(site, "a.wav", "b.wav")
    site.bucket.delete(["a.wav", "b.wav"])
    site.ledger.forget([site.known("a.wav").id], "call")

    assert site.plan(rules=changed(rules, "rubrics")).to_do == 1
    assert set(site.ledger.compare(["a.wav", "b.wav"], site.bucket.url)) == {"b.wav"}


def test_what_is_being_forgotten_stays_aside(site, rules):
    scored(site, "a.wav")
    site.bucket.delete(["a.wav"])
    site.ledger.hold([site.known("a.wav").id])

    for name in ("rubrics", "judge", "engine"):
        assert site.plan(rules=changed(rules, name)).to_do == 0
    assert site.known("a.wav").state == "quarantined"


def test_what_is_forgotten_while_it_is_planned_stays_forgotten(site, rules, monkeypatch):
    scored(site, "a.wav")
    site.bucket.delete(["a.wav"])
    record = site.ledger.record

    def forgetting(source, seen, plan):
        site.ledger.forget([site.known("a.wav").id], "call")
        return record(source, seen, plan)

    monkeypatch.setattr(site.ledger, "record", forgetting)
    site.plan(rules=changed(rules, "rubrics"))
    assert site.ledger.counts() == {}


def test_a_listing_that_breaks_off_says_nothing_of_what_is_gone(site, rules):
    scored(site, "a.wav", "b.wav")

    class Breaking(MemoryBucket):
        def objects(self, below=""):
            yield from list(super().objects(below))[:1]
            raise StorageError("the second page failed", "unreachable")

    bucket = Breaking()
    bucket.stored = site.bucket.stored
    with pytest.raises(StorageError, match="the second page failed"):
        make_plan(bucket, site.ledger, changed(rules, "rubrics"), out=OUT)
    assert site.ledger.counts() == {"done": 2}


def test_another_prefix_is_another_source(site, rules):
    scored(site, "a.wav")
    bucket = MemoryBucket()
    bucket.url = "s3://memory/scores/2026"

    assert make_plan(bucket, site.ledger, changed(rules, "rubrics"), out=OUT).objects == 0


def test_a_manifest_says_what_a_batch_is_about(site, rules):
    scored(site, "a.wav", "b.wav", "c.wav")
    site.bucket.delete(["a.wav", "b.wav"])
    site.lists("recording\nb.wav\n")
    other = changed(rules, "rubrics")

    plan = site.plan(rules=other)
    assert (plan.to_do, plan.skipped) == (1, (("not in the manifest", 1),))
    assert site.work(other) == ["b.wav"]
    site.manifest = None
    assert site.plan(rules=other).to_do == 2


def test_what_the_manifest_said_stays_where_the_recording_is_gone(site, rules):
    site.lists("recording,rep\na.wav,Ann Lee\n")
    scored(site, "a.wav", "b.json")
    site.bucket.delete(["a.wav"])
    site.manifest = None

    assert site.plan().to_do == 0
    assert site.plan(rules=changed(rules, "rubrics")).needs == (("level", "rubric changed", 1),)
    assert site.known("a.wav").row["rep"] == "Ann Lee"


def test_names_that_are_passed_over_stay_so_when_they_are_gone(site, rules):
    site.lists("recording,transcript\n,t/a.json\n")
    scored(site, "t/a.json")
    site.manifest = None

    for _ in range(2):
        assert site.plan(rules=changed(rules, "rubrics")).objects == 0
        site.bucket.delete(["t/a.json"])


@pytest.mark.parametrize("keeps_manifest", [True, False])
def test_files_that_are_gone_with_their_recording_are_as_they_were_read(site, rules, keeps_manifest):
    site.put("t/a.vtt")
    site.lists("recording,transcript\na.wav,t/a.vtt\n")
    scored(site, "a.wav")
    site.bucket.delete(["a.wav", "t/a.vtt"])
    site.manifest = site.manifest if keeps_manifest else None

    assert site.plan().gone == 0
    assert site.plan(rules=changed(rules, "rubrics")).needs == (("level", "rubric changed", 1),)


def test_a_copy_that_is_gone_stays_with_its_original(site, rules):
    site.put("a.wav", "b.wav")
    site.plan()
    first = None
    for run, one in site.claimed():
        if first is None:
            first = one
            site.ledger.finish(one.id, run, Done("0" * 64, one.wanted, {}, 60.0, 6.0, "cpu"))
        else:
            assert site.ledger.copied(one.id, run, first.id, "0" * 64)
    site.bucket.delete(["b.wav"])
    other = changed(rules, "rubrics")

    assert site.plan(rules=other).needs == (("level", "rubric changed", 1),)
    for run, one in site.claimed(other):
        site.ledger.finish(one.id, run, Done("0" * 64, one.wanted, {}, 60.0, 6.0, "cpu"))
    assert site.known("b.wav").state == "copy"
    assert site.plan(rules=other).objects == 1
    for run, one in site.claimed():
        pytest.fail(f"{run} has {one.key} to do")
    assert site.plan().needs == (("level", "rubric changed", 1),)
    for run, one in site.claimed():
        site.ledger.finish(one.id, run, Done("0" * 64, one.wanted, {}, 60.0, 6.0, "cpu"))
    assert site.known("b.wav").state == "copy"


def test_a_type_of_call_without_a_rubric_is_left_as_it_is(site, rules):
    site.lists("recording,call_type\na.wav,joint\nb.wav,demo\n")
    scored(site, "a.wav", "b.wav")
    site.bucket.delete(["a.wav", "b.wav"])
    site.manifest = None
    rubrics = tuple((name, rule) for name, rule in changed(rules, "rubrics").rubrics if name != "joint")
    other = replace(rules, rubrics=rubrics, judge=Rule("e" * 16, "another"), faults=(("joint", "made for another"),))

    assert site.plan(rules=other).needs == (("assess", "judge changed", 1),)


def test_one_rubric_for_all_that_is_taken_back_again(site, rules):
    """The rubric of one type is among today's, and is still not that of another type."""
    site.lists("recording,call_type\na.wav,discovery\nb.wav,joint\n")
    scored(site, "a.wav", "b.wav")
    one = rules.rubric("discovery")
    for_all = replace(rules, rubrics=tuple((name, one) for name, _ in rules.rubrics))
    site.plan(rules=for_all)
    assert site.work(for_all) == (["b.wav"] if rules.rubric("joint") != one else [])
    site.bucket.delete(["a.wav", "b.wav"])
    site.manifest = None

    assert site.plan().to_do == (1 if rules.rubric("joint") != one else 0)


def test_more_than_one_chunk_is_gone(site, rules):
    site.put(*(f"{number:04}.wav" for number in range(2101)), content=b"x")
    plan = site.plan()
    run = site.ledger.begin({})
    while some := site.ledger.claim(run, site.bucket.url, 1000, plan.mark):
        results = {one.id: Done(f"{one.id:064x}", one.wanted, {}, 60.0, 6.0, "cpu") for one in some}
        site.ledger.finish_many(run, results)
    site.bucket.delete([f"{number:04}.wav" for number in range(0, 2101, 2)])

    plan = site.plan(rules=changed(rules, "rubrics"))
    assert (plan.to_do, plan.objects) == (2101, 2101)


def test_a_batch_levels_what_is_gone_from_what_is_kept(tmp_path):
    source, out = tmp_path / "calls", tmp_path / "out"
    source.mkdir()
    for seed, name in enumerate(("a.wav", "b.wav")):
        write_fake(source / name, seed=seed)
    assert score_bucket(source, out=out, settings=FAKE, runner=here).done == 2
    (source / "a.wav").unlink()
    rubric = tmp_path / "discovery_call.yaml"
    text = (resources.ROOT / "rubrics" / "discovery_call.yaml").read_text(encoding="utf-8")
    (version,) = [line for line in text.splitlines() if line.startswith("version:")]
    rubric.write_text(text.replace(version, 'version: "99.0"', 1), encoding="utf-8")

    again = score_bucket(source, out=out, settings=FAKE, runner=here, rubric=str(rubric))
    assert (again.plan.needs, again.done, again.left) == ((("level", "rubric changed", 2),), 2, 0)
    card = json.loads((out / "calls" / "a" / "scorecard.json").read_text(encoding="utf-8"))
    assert "99.0" in json.dumps(card)
    assert score_bucket(source, out=out, settings=FAKE, runner=here, rubric=str(rubric)).plan.to_do == 0


@given(st.sets(st.integers(0, 300)), st.sets(st.integers(0, 300)))
def test_ids_are_a_set(some, more):
    ids = Ids()
    ids.add(some)
    ids.add(more)

    assert {one for one in range(-3, 400) if one in ids} == some | more
    assert "1" not in ids


def test_many_ids_are_small():
    tracemalloc.start()
    ids = Ids()
    ids.add(range(100_000))
    assert tracemalloc.get_traced_memory()[0] < 40_000
    tracemalloc.stop()
