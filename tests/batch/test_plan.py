"""Plans: what a bucket needs as it changes, what is passed over, and what is said of hours and time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline.archive.ledger import Ledger, Speed, Speeds, open_ledger
from pipeline.archive.recordings import Done, Recording
from pipeline.batch import listing
from pipeline.batch.estimate import bytes_of_a_second, seconds_of_work
from pipeline.batch.plan import Plan, make_plan
from pipeline.batch.rows import read_bucket_manifest
from pipeline.batch.versions import Rule, Rules, rules_of
from pipeline.errors import ManifestError, StorageError, UsageError
from pipeline.listen.call_rows import is_safe_call_id
from pipeline.records import CALL_TYPES
from pipeline.settings import ListenSettings
from tests.archive.memory_bucket import MemoryBucket
from tests.archive.s3_server import CREDENTIALS, s3_server

OUT = "s3://memory/elsewhere"


@pytest.fixture(scope="module")
def rules() -> Rules:
    return rules_of(ListenSettings(engine="fake"))


@dataclass
class Site:
    """A bucket in memory, its ledger, and the rules of the day."""

    bucket: MemoryBucket
    ledger: Ledger
    rules: Rules
    folder: Path
    manifest: Path | None = None

    def put(self, *keys: str, content: bytes = b"x" * 320_000) -> None:
        for key in keys:
            self.bucket.put(key, content)

    def lists(self, text: str) -> None:
        self.manifest = self.folder / "calls.csv"
        self.manifest.write_text(text, encoding="utf-8")

    def plan(self, *, out: str = OUT, record: bool = True, rules: Rules | None = None) -> Plan:
        return make_plan(self.bucket, self.ledger, rules or self.rules, manifest=self.manifest, out=out, record=record)

    def claimed(self, rules: Rules | None = None) -> Iterator[tuple[str, Recording]]:
        """The waiting recordings in turn, claimed and started by a run of their own."""
        run = self.ledger.begin({})
        mark = self.plan(record=False, rules=rules).mark
        while some := self.ledger.claim(run, self.bucket.url, 100, mark):
            for one in self.ledger.start_many([one.id for one in some], run):
                yield run, one
        self.ledger.end(run)

    def work(self, rules: Rules | None = None, seconds: float = 60.0) -> list[str]:
        """Do all that waits; the keys that were done."""
        keys = []
        for run, one in self.claimed(rules):
            done = Done(f"{one.id:064x}", one.wanted, {}, seconds, seconds / 10, "cpu")
            assert self.ledger.finish(one.id, run, done)
            keys.append(one.key)
        return keys

    def fail(self, tries: int = 3, rules: Rules | None = None) -> None:
        for run, one in self.claimed(rules):
            self.ledger.failed(one.id, run, "no sound", tries)

    def known(self, key: str) -> Recording:
        return self.ledger.compare([key], self.bucket.url)[key]


@pytest.fixture
def site(rules, tmp_path) -> Iterator[Site]:
    with open_ledger(tmp_path / "ledger.db") as ledger:
        yield Site(MemoryBucket(), ledger, rules, tmp_path)


def changed(rules: Rules, name: str) -> Rules:
    """The rules with another engine, judge or rubrics."""
    other = Rule("f" * 16, "other")
    return replace(rules, **{name: tuple((one, other) for one in CALL_TYPES) if name == "rubrics" else other})


# --- what is needed -------------------------------------------------------------------------------


def test_new_recordings_are_done_once(site):
    site.put("a.wav", "x/b.mp3", "x/c.vtt")

    plan = site.plan()
    assert (plan.objects, plan.to_do, plan.needs) == (3, 3, (("listen", "new", 3),))
    assert site.work() == ["a.wav", "x/b.mp3", "x/c.vtt"]

    plan = site.plan()
    assert (plan.objects, plan.to_do, plan.unchanged, plan.needs) == (3, 0, 3, ())
    assert site.work() == []


def test_a_dry_run_writes_nothing(site):
    site.put("a.wav")

    assert site.plan(record=False).needs == (("listen", "new", 1),)
    assert site.ledger.counts() == {}


def test_what_was_not_carried_out_is_planned_again_for_the_same_reason(site):
    site.put("a.wav")
    site.plan()

    assert site.plan().needs == (("listen", "new", 1),)
    assert site.work() == ["a.wav"]


@pytest.mark.parametrize(
    ("name", "need", "why"),
    [
        ("engine", "listen", "engine changed"),
        ("judge", "assess", "judge changed"),
        ("rubrics", "level", "rubric changed"),
    ],
)
def test_what_other_rules_need(site, rules, name, need, why):
    site.put("a.wav", "b.wav")
    site.plan()
    site.work()
    other = changed(rules, name)

    assert site.plan(rules=other).needs == ((need, why, 2),)
    assert site.work(rules) == []  # these wait for the other rules
    assert site.known("a.wav").need == need
    assert site.work(other) == ["a.wav", "b.wav"]
    assert site.plan(rules=other).unchanged == 2


def test_a_plan_that_was_given_up_leaves_nothing_waiting(site, rules):
    site.put("a.wav")
    site.plan()
    site.work()
    site.plan(rules=changed(rules, "rubrics"))

    assert site.plan().unchanged == 1
    assert site.ledger.counts() == {"done": 1}


def test_a_changed_recording_is_listened_to_again_alone(site):
    site.put("a.wav", "b.wav")
    site.plan()
    site.work()
    site.put("b.wav", content=b"y" * 9)

    assert site.plan().needs == (("listen", "recording changed", 1),)
    assert site.work() == ["b.wav"]


def test_what_failed_is_tried_again_until_it_is_quarantined(site):
    site.put("a.wav")
    site.plan()
    site.fail(tries=2)
    assert site.plan().needs == (("listen", "failed before", 1),)
    site.fail(tries=2)

    plan = site.plan()
    assert (plan.to_do, plan.quarantined, plan.objects) == (0, 1, 1)
    assert site.work() == []

    site.ledger.retry()
    assert site.plan().needs == (("listen", "asked for", 1),)
    assert site.work() == ["a.wav"]


def test_what_is_quarantined_is_tried_by_other_rules_only_where_these_may_help(site, rules):
    site.put("a.wav")
    site.plan()
    site.fail(tries=1)

    for name in ("rubrics", "judge"):
        plan = site.plan(rules=changed(rules, name))
        assert (plan.quarantined, plan.to_do) == (1, 0)
    other = changed(rules, "engine")
    assert site.plan(rules=other).needs == (("listen", "new", 1),)
    assert site.work(other) == ["a.wav"]


def test_a_call_that_could_not_be_judged_is_tried_by_another_judge(site, rules):
    site.put("a.wav")
    site.plan()
    site.work()
    judge = changed(rules, "judge")
    site.plan(rules=judge)
    site.fail(tries=1, rules=judge)

    assert site.plan(rules=judge).quarantined == 1
    assert site.plan(rules=changed(judge, "rubrics")).quarantined == 1
    another = replace(rules, judge=Rule("e" * 16, "another"))
    assert site.plan(rules=another).needs == (("assess", "judge changed", 1),)


def test_a_quarantined_recording_that_was_replaced_is_tried(site):
    site.put("a.wav")
    site.plan()
    site.fail(tries=1)
    site.put("a.wav", content=b"mended")

    plan = site.plan()
    assert (plan.quarantined, plan.needs) == (0, (("listen", "recording changed", 1),))
    assert site.work() == ["a.wav"]


def test_what_another_run_works_on_is_left_alone(site):
    site.put("a.wav", "b.wav")
    site.plan()
    run = site.ledger.begin({})
    site.ledger.claim(run, site.bucket.url, 1, site.plan(record=False).mark)

    plan = site.plan()
    assert (plan.in_progress, plan.to_do) == (1, 1)
    assert site.known("a.wav").state == "claimed"


def test_what_changes_while_a_run_works_on_it_waits_for_the_next_plan(site):
    site.put("a.wav")
    site.plan()
    for run, one in site.claimed():
        site.put("a.wav", content=b"new")
        assert site.plan().in_progress == 1
        site.ledger.finish(one.id, run, Done("0" * 64, one.wanted, {}, 60.0, 6.0, "cpu"))
        break

    assert site.known("a.wav").state == "pending"
    assert site.work() == ["a.wav"]


def test_forgotten_recordings_stay_forgotten(site):
    site.put("a.wav", "b.wav")
    site.plan()
    site.work()
    site.ledger.forget([site.known("a.wav").id], "call")

    plan = site.plan()
    assert (plan.forgotten, plan.unchanged, plan.to_do) == (1, 1, 0)
    site.put("a.wav", content=b"another recording under the old key")
    assert site.plan().needs == (("listen", "new", 1),)


def test_a_forgotten_call_does_not_come_back_by_its_manifest(site):
    site.put("a.wav")
    site.lists("recording,rep\na.wav,Ann Lee\n")
    site.plan()
    site.work()
    site.ledger.forget([site.known("a.wav").id], "person")
    site.bucket.delete(["a.wav"])

    plan = site.plan()
    assert (plan.forgotten, plan.to_do) == (1, 0)
    assert site.ledger.search("Ann Lee") == {}


def test_a_copy_is_unchanged_as_its_original(site):
    site.put("a.wav", "b.wav")
    site.plan()
    first: Recording | None = None
    for run, one in site.claimed():
        if first is None:
            first = one
            site.ledger.finish(one.id, run, Done("0" * 64, one.wanted, {}, 60.0, 6.0, "cpu"))
        else:
            assert site.ledger.copied(one.id, run, first.id, "0" * 64)

    assert site.plan().unchanged == 2


def test_more_than_one_chunk(site):
    site.put(*(f"{number:04}.wav" for number in range(2001)))

    assert site.plan().to_do == 2001
    assert site.ledger.counts() == {"pending": 2001}


# --- manifests ------------------------------------------------------------------------------------


def test_rows_are_matched_by_key_and_others_passed_over(site):
    site.put("a b.wav", "x/c.wav", "notes.txt", "t/c.vtt")
    site.lists("recording,transcript,rep,call_id\na b.wav,,Ann,first\nx/c.wav,t/c.vtt,Bob,\n")

    plan = site.plan()
    assert (plan.objects, plan.skipped) == (2, (("not in the manifest", 1),))
    found = site.known("x/c.wav")
    assert (found.row["rep"], found.row["transcript"], found.call_id) == ("Bob", "t/c.vtt", "c")
    assert site.known("a b.wav").call_id == "first"


def test_a_changed_row_is_judged_or_levelled_again(site):
    site.put("a.wav", "b.wav", "c.wav")
    site.lists("recording,rep,started_at\na.wav,Ann,2026-01-01\nb.wav,Bob,2026-01-01\nc.wav,Cy,\n")
    site.plan()
    site.work()
    site.lists("recording,rep,started_at\na.wav,Ann Lee,2026-01-01\nb.wav,Bob,2026-01-02\nc.wav,Cy,\n")

    plan = site.plan()
    assert plan.needs == (("assess", "manifest changed", 1), ("level", "manifest changed", 1))
    assert plan.unchanged == 1


def test_facts_that_change_no_result_are_written_down_all_the_same(site):
    site.put("a.wav")
    site.lists("recording,products\na.wav,RouteWise\n")
    site.plan()
    site.work()
    site.lists("recording,products\na.wav,Linen Tag\n")

    assert site.plan().unchanged == 1
    assert site.known("a.wav").row["products"] == ["Linen Tag"]
    assert site.ledger.counts() == {"done": 1}


def test_a_transcript_beside_that_changed_is_read_again(site):
    site.put("a.wav", "t/a.vtt")
    site.lists("recording,transcript\na.wav,t/a.vtt\n")
    site.plan()
    site.work()
    site.put("t/a.vtt", content=b"WEBVTT")

    assert site.plan().needs == (("listen", "transcript or RTTM changed", 1),)


def test_a_recording_that_is_not_there_is_done_when_it_comes(site):
    site.put("a.wav")
    site.lists("recording,rep\na.wav,Ann\n")
    site.plan()
    site.work()
    site.lists("recording,rep\ngone.wav,Ann\na.wav,Ann\n")

    plan = site.plan()
    assert (plan.objects, plan.missing, plan.needs) == (2, 1, (("listen", "new", 1),))
    site.fail(tries=2)
    assert site.plan().needs == (("listen", "failed before", 1),)
    site.fail(tries=2)
    assert site.plan().quarantined == 1
    site.put("gone.wav")
    plan = site.plan()
    assert (plan.missing, plan.needs) == (0, (("listen", "recording changed", 1),))
    assert site.work() == ["gone.wav"]


def test_a_manifest_of_another_folder_is_a_mistake(site):
    site.put("2026/a.wav")
    site.lists("recording\na.wav\nb.wav\n")
    with pytest.raises(
        UsageError, match=r"none of its 2 recordings is in s3://memory/scores; the first was looked for as"
    ):
        site.plan()
    assert site.ledger.counts() == {}


def test_a_bucket_without_recordings_is_said(site):
    site.put("notes.txt")

    assert (
        site.plan().notes[-1].startswith("There is no recording in s3://memory/scores. By their names, recordings are")
    )


def test_what_was_done_stays_done_when_its_recording_is_deleted(site, rules):
    site.put("a.wav")
    site.lists("recording\na.wav\n")
    site.plan()
    site.work()
    site.bucket.delete(["a.wav"])

    assert site.plan().unchanged == 1
    other = changed(rules, "rubrics")
    assert site.plan(rules=other).needs == (("level", "rubric changed", 1),)
    plan = site.plan(rules=changed(rules, "engine"))
    assert (plan.gone, plan.to_do, plan.objects) == (1, 0, 1)


def test_faults_of_a_manifest_come_before_anything_is_written(site):
    site.put("a.wav")
    site.lists("recording,call_type\na.wav,sale\n")
    with pytest.raises(ManifestError, match="line 2, column 'call_type': got 'sale'"):
        site.plan()
    assert site.ledger.counts() == {}


def test_a_type_of_call_without_a_rubric_comes_before_anything_is_written(site, rules):
    site.put("a.wav", "b.wav")
    site.lists("recording,call_type\na.wav,demo\nb.wav,joint\n")
    rubrics = tuple((name, rule) for name, rule in rules.rubrics if name != "joint")
    with pytest.raises(UsageError, match="made for another"):
        site.plan(rules=replace(rules, rubrics=rubrics, faults=(("joint", "made for another"),)))
    assert site.ledger.counts() == {}


def test_a_listing_that_breaks_off_is_no_plan(site):
    site.put("a.wav")
    site.bucket.fails_at = 2
    with pytest.raises(StorageError, match="failed on purpose"):
        site.plan()


def test_notes_of_the_manifest_and_rules_are_in_the_plan(site):
    site.put("a.wav")
    site.lists("recording,call type\na.wav,demo\n")

    plan = site.plan()
    assert plan.notes[-1] == "the column 'call type' is kept as a detail and not used as 'call_type'"
    assert plan.notes[0].startswith("This call was made up by the fake engine")
    assert (plan.engine, plan.judge, plan.rubrics) == ("fake: fake engine 1", "fake 1", ("discovery_call 2.0",))


def test_a_manifest_in_the_bucket_itself(monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with s3_server() as server:
        from pipeline.archive.buckets import open_bucket

        url = server.bucket("calls")
        bucket = open_bucket(url)
        listed = f"recording\na.wav\n{'s3://calls/x/b.wav'}\n".encode()
        bucket.put("lists/calls.csv", listed)

        for manifest in ("s3://calls/lists/calls.csv", url.replace("s3://calls", "s3://calls/lists/calls.csv", 1)):
            assert list(read_bucket_manifest(manifest, bucket).rows) == ["a.wav", "x/b.wav"]
        with pytest.raises(ManifestError, match=r"s3://calls/gone\.csv: 1 fault\n  - .*\nGive the URL of the manifest"):
            read_bucket_manifest("s3://calls/gone.csv", bucket)
        bucket.put("calls.csv", b"recording,call_type\na.wav,sale\n")
        with pytest.raises(ManifestError, match=r"s3://calls/calls\.csv: 1 fault\n  - line 2, column 'call_type'"):
            read_bucket_manifest("s3://calls/calls.csv", bucket)


# --- what is passed over --------------------------------------------------------------------------


def test_names_tell_what_is_a_recording(site):
    site.put(
        "a.WAV",
        "folder/",
        "notes.txt",
        "calls.json",
        ".hidden.wav",
        "x/.git/a.wav",
        "y/b.vtt",
        "y/b.srt",
        "z.mp4",
        "noending",
    )

    plan = site.plan()
    assert site.work() == ["a.WAV", "y/b.srt", "y/b.vtt", "z.mp4"]
    assert plan.skipped == ((listing.NO_RECORDING, 3), (listing.HIDDEN, 2))


def test_a_transcript_beside_a_recording_is_not_scored(site):
    site.put("a.b.wav", "a.mp3", "a.vtt", "a.wav.vtt", "x/a.srt", "ab.vtt")

    plan = site.plan()
    assert sorted(site.work()) == ["a.b.wav", "a.mp3", "a.wav.vtt", "ab.vtt", "x/a.srt"]
    assert plan.skipped == ((listing.INSTEAD, 1),)
    said = site.known("a.mp3").row["defaults"][-1]
    assert said == "the transcript a.vtt beside the recording was not used: a manifest can name it"


def test_output_below_the_source_is_passed_over(site):
    site.put("a.wav", "scores/calls/a/0123456789abcdef/audio.mp3", "scores/x.wav", "scores.wav")

    plan = site.plan(out=f"{site.bucket.url}/scores/")
    assert site.work() == ["a.wav", "scores.wav"]
    assert plan.skipped == ((listing.OUTPUT, 2),)


def test_results_of_an_earlier_run_are_no_recordings(site):
    part = "old/calls/a/0123456789abcdef"
    site.put(f"{part}/audio.mp3", f"{part}/transcript.vtt", "old/calls/a/fedcba9876543210/scorecard.json")
    site.put("calls/b/audio.mp3", "calls/b/scorecard.json", "calls/b/transcript.vtt", "calls/b/speakers.rttm")
    site.put("own/1/audio.mp3", "own/2/audio.mp3", "own/2/transcript.vtt", "own/b.wav", "audio.wav", "audio.vtt")

    plan = site.plan(out=site.bucket.url)
    wanted = ["audio.wav", "own/1/audio.mp3", "own/2/audio.mp3", "own/2/transcript.vtt", "own/b.wav"]
    assert sorted(site.work()) == wanted
    assert dict(plan.skipped)[listing.RESULTS] == 6
    assert site.known("audio.wav").row["defaults"][-1].startswith("the transcript audio.vtt beside")


@pytest.mark.parametrize(
    ("source", "out", "prefix"),
    [
        ("s3://b/p", "s3://b/p/scores", "scores/"),
        ("s3://b/p/", "s3://b/p/x/y/?endpoint=http://h:1", "x/y/"),
        ("s3://b/p", "s3://b/pp", None),
        ("s3://b/p", "s3://b/p/", None),
        ("s3://b/p", "/data/p/scores", None),
        ("file:///data/a%20b", "/data/a b/scores", "scores/"),
        ("file:///data/p", "/data/p/../scores", None),
        ("file:///data/p", "/data/p", None),
    ],
)
def test_where_output_lies_in_the_source(source, out, prefix):
    assert listing.output_prefix(source, out) == prefix


HOSTILE = [
    "../../etc/passwd.wav",
    "/etc/a.wav",
    "a\x00b.wav",
    "a\nb.wav",
    "😀.wav",
    "x" * 1000 + ".wav",
    "Ä.wav",
    "a.wav",
    "A.wav",
    "a//b.wav",
    "./c.wav",
    "-rf.wav",
    "'; DROP TABLE recordings; --.wav",
    "%2e%2e/d.wav",
    "con.wav",
    "\ud800.wav",
    "b.wav?x=1.wav",
]


def test_hostile_keys_are_recordings_like_others(site):
    site.put(*HOSTILE)

    assert site.plan().to_do == len(HOSTILE)
    assert sorted(site.work()) == sorted(HOSTILE)
    ids = [site.known(key).call_id for key in HOSTILE]
    assert all(map(is_safe_call_id, ids))
    assert len({one.casefold() for one in ids}) == len(HOSTILE)
    assert site.plan().unchanged == len(HOSTILE)


letters = st.sampled_from(["a", "b", "/", ".", ".wav", ".vtt", "audio.mp3", "scorecard.json", "../", "\x00"])


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.sets(st.lists(letters, min_size=1, max_size=6).map("".join), max_size=12))
def test_every_object_is_a_call_or_passed_over(keys):
    bucket = MemoryBucket()
    bucket.stored = dict.fromkeys(keys, b"x")
    skipped: list[int] = []

    found = list(listing.calls_in(bucket, None, OUT, lambda reason, count: skipped.append(count)))

    assert len(found) + sum(skipped) == sum(not key.endswith("/") for key in keys)
    assert len({one.key for one in found}) == len(found)


# --- hours and time -------------------------------------------------------------------------------


def test_time_is_not_promised_before_anything_was_measured(site):
    site.put("a.wav", content=b"x" * 64_000)

    plan = site.plan()
    assert (plan.work_seconds, plan.unmeasured, plan.seconds(2)) == (None, ("listen",), None)
    assert (plan.known_audio, plan.guessed_audio) == (0.0, 2.0)


def test_measured_speed_and_sizes_go_before_usual_ones(site, rules):
    site.put("a.wav", "b.wav", content=b"x" * 6_000)
    site.plan()
    site.work(seconds=60.0)  # 100 bytes a second, a tenth of the time
    site.put("c.wav", content=b"x" * 12_000)

    plan = site.plan()
    assert (plan.known_audio, plan.guessed_audio) == (0.0, 120.0)
    assert plan.work_seconds == pytest.approx(12.0)
    plan = site.plan(rules=changed(rules, "engine"), record=False)
    assert (plan.known_audio, plan.guessed_audio) == (120.0, 120.0)
    assert plan.seconds(2) == pytest.approx(12.0)
    assert plan.seconds(99) == pytest.approx(8.0)  # three recordings keep three workers busy
    plan = site.plan(rules=changed(rules, "rubrics"), record=False)
    assert (plan.unmeasured, plan.work_seconds) == (("level",), None)


def test_work_by_need_and_device():
    speeds = Speeds(
        (
            Speed("listen", "cpu", 1, 60.0, 60.0),
            Speed("listen", "cuda", 9, 600.0, 60.0),
            Speed("level", "cpu", 4, 0.0, 1.0),
        ),
        {".mp3": 2_000.0},
    )

    assert seconds_of_work({"listen": 2, "level": 8}, 120.0, speeds) == (14.0, ())
    assert seconds_of_work({"assess": 1, "level": 4}, 0.0, speeds) == (1.0, ("assess",))
    assert seconds_of_work({}, 0.0, speeds) == (0.0, ())
    assert bytes_of_a_second("x/a.MP3", speeds.bytes_per_second) == 2_000.0
    assert bytes_of_a_second("x/a.wav", {}) == 32_000
    assert bytes_of_a_second("x/a", {}) == 8_000


def test_the_plan_as_plain_values(site):
    site.put("a.wav", "b.txt", content=b"x" * 32_000)

    values = site.plan().to_dict()
    assert values["needs"] == [{"need": "listen", "why": "new", "recordings": 1}]
    assert (values["to_do"], values["audio_seconds"], values["work_seconds"]) == (1, 1.0, None)
    assert values["skipped"] == {listing.NO_RECORDING: 1}
