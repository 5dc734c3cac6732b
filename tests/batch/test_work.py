"""A worker's jobs against real ledgers and folders: each stage done once, each fault put down to whoever has it."""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipeline import fakes, resources
from pipeline.archive.bucket_folder import FolderBucket
from pipeline.archive.ledger import Ledger, open_ledger
from pipeline.archive.recordings import Need, Recording, Seen, Versions
from pipeline.archive.scores_folder import FolderScores
from pipeline.batch import desk as desks
from pipeline.batch import stages
from pipeline.batch.rows import default_dict, row_dict
from pipeline.batch.work import Job, Place, Result, work
from pipeline.errors import JudgeAwayError, JudgeServerError, LedgerError, StorageError, UsageError
from pipeline.fakes import FakeClassifier, write_fake
from pipeline.listen.call_rows import CallRow
from pipeline.listen.manifest import read_manifest
from pipeline.score import score_call
from pipeline.settings import ListenSettings, MediaLimits

FAKE = ListenSettings(engine="fake", threads=1)
FIRST = Versions("listening 1", "judging 1", "levelling 1")
SAMPLES = resources.ROOT / "data" / "samples"
ALL = ("call.json", "findings.json", "scorecard.html", "scorecard.json", "speakers.rttm", "transcript.vtt")


@dataclass
class Site:
    """A bucket, a place for scorecards and a ledger between them."""

    place: Place
    ledger: Ledger

    @property
    def bucket(self) -> Path:
        return Path(self.place.source)

    @property
    def scores(self) -> FolderScores:
        return FolderScores(self.place.out)

    def fake(self, key: str, **values) -> str:
        path = self.bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        write_fake(path, **values)
        return key

    def seen(
        self, *keys: str, need: Need = "listen", versions: Versions = FIRST, etag: str = "1", **row
    ) -> tuple[int, ...]:
        """The ids of recordings that are noted and claimed."""
        rows = [default_dict(key) | row for key in keys]
        found = [
            Seen(one_key, etag, 100, one["call_id"], one, versions, need, "new")
            for one_key, one in zip(keys, rows, strict=True)
        ]
        self.ledger.record(self.place.source, found, "plan")
        self.ledger.claim(self.place.run, self.place.source, 1000, "plan")
        return tuple(self.ledger.compare(keys, self.place.source)[key].id for key in keys)

    def work(self, need: Need, *ids: int, **place) -> tuple[Result, ...]:
        return work(replace(self.place, **place), Job(need, ids))

    def scored(self, key: str, **values) -> int:
        """The id of a fake recording that is done."""
        (id_,) = self.seen(self.fake(key, **values))
        assert [one.state for one in self.work("listen", id_)] == ["done"]
        return id_

    def row(self, id_: int) -> Recording:
        return self.ledger.get([id_])[0]


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr(desks, "LONGEST_WAIT", 0.01)
    (tmp_path / "bucket").mkdir()
    (tmp_path / "temporary").mkdir()
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_ledger(url) as ledger:
        place = Place(
            source=str(tmp_path / "bucket"),
            out=str(tmp_path / "out"),
            ledger=url,
            run=ledger.begin({}),
            settings=FAKE,
            temporary=str(tmp_path / "temporary"),
        )
        yield Site(place, ledger)
        desks.desk_at.cache_clear()
    assert not list((tmp_path / "temporary").iterdir())


# --- listening ------------------------------------------------------------------------------------


def test_work_scores_a_recording_as_score_does(site, tmp_path) -> None:
    site.fake("north/a.wav", seed=3)
    (id_,) = site.seen("north/a.wav")
    (result,) = site.work("listen", id_)
    assert (result.id, result.state, result.need, result.audio_seconds) == (id_, "done", "listen", 60.0)
    assert site.scores.files("a") == ALL
    score_call(site.bucket / "north" / "a.wav", out=tmp_path / "one", settings=FAKE)
    for name in ALL:
        assert site.scores.read("a", name) == (tmp_path / "one" / "calls" / "a" / name).read_bytes(), name
    row = site.row(id_)
    assert (row.state, row.attempts, row.done_with, row.audio_seconds, row.device) == ("done", 1, FIRST, 60.0, "cpu")
    assert row.provenance == {
        "code": row.provenance["code"],
        "engine": "fake",
        "models": {"fake engine": "1"},
        "judge": "fake 1",
        "rubric": row.provenance["rubric"],
        "listening": FIRST.listening,
    }
    assert row.provenance["rubric"].startswith("discovery_call ")


def test_work_takes_the_ledgers_call_id(site) -> None:
    site.fake("a/call.wav", seed=1)
    site.fake("b/call.wav", seed=2)
    ids = site.seen("a/call.wav", "b/call.wav")
    assert [one.state for id_ in ids for one in site.work("listen", id_)] == ["done", "done"]
    named = [site.row(id_).call_id for id_ in ids]
    assert len(set(named)) == 2
    for call_id in named:
        assert json.loads(site.scores.read(call_id, "scorecard.json"))["call_id"] == call_id


def test_work_does_a_content_once(site) -> None:
    first = site.scored("a.wav", seed=1)
    (second,) = site.seen(site.fake("b.wav", seed=1))
    (result,) = site.work("listen", second)
    assert result.state == "copy"
    assert (site.row(second).state, site.row(second).copy_of) == ("copy", first)
    assert list(site.scores.call_ids()) == ["a"]


def test_work_does_the_same_content_again_where_other_versions_are_wanted(site) -> None:
    site.scored("a.wav", seed=1)
    (second,) = site.seen(site.fake("b.wav", seed=1), versions=replace(FIRST, judging="others"))
    assert [one.state for one in site.work("listen", second)] == ["done"]


def test_work_does_not_bring_back_what_was_forgotten(site) -> None:
    site.ledger.forget([site.scored("a.wav", seed=1)], "call")
    site.scores.remove("a")
    (second,) = site.seen(site.fake("b.wav", seed=1))
    assert [one.state for one in site.work("listen", second)] == ["lost"]
    assert site.ledger.get([second]) == ()
    assert list(site.scores.call_ids()) == []


def test_work_removes_what_was_forgotten_while_it_was_done(site, monkeypatch) -> None:
    (id_,) = site.seen(site.fake("a.wav"))
    write = FolderScores.write

    def forgotten_meanwhile(self, call_id, files, *, keep=()):
        write(self, call_id, files, keep=keep)
        site.ledger.forget([id_], "call")

    monkeypatch.setattr(FolderScores, "write", forgotten_meanwhile)
    assert [one.state for one in site.work("listen", id_)] == ["lost"]
    assert list(site.scores.call_ids()) == []


def test_work_leaves_another_runs_files_alone(site, monkeypatch) -> None:
    (id_,) = site.seen(site.fake("a.wav"))
    write = FolderScores.write

    def released_meanwhile(self, call_id, files, *, keep=()):
        write(self, call_id, files, keep=keep)
        site.ledger.give_back(site.place.run, [id_])

    monkeypatch.setattr(FolderScores, "write", released_meanwhile)
    assert [one.state for one in site.work("listen", id_)] == ["lost"]
    assert list(site.scores.call_ids()) == ["a"]
    assert site.row(id_).state == "pending"


def test_work_does_nothing_that_is_not_its_own(site) -> None:
    (id_,) = site.seen(site.fake("a.wav"))
    site.ledger.give_back(site.place.run, [id_])
    (result,) = site.work("listen", id_)
    assert (result.state, site.scores.files("a")) == ("lost", ())


def test_work_does_not_listen_again_to_an_upload_of_the_same_bytes(site, monkeypatch) -> None:
    id_ = site.scored("a.wav")
    before = {name: site.scores.read("a", name) for name in ALL}
    monkeypatch.setattr(stages, "listen", None)
    site.seen("a.wav", etag="2")
    (result,) = site.work("listen", id_)
    assert (result.state, result.audio_seconds) == ("done", None)
    assert {name: site.scores.read("a", name) for name in ALL} == before


def test_work_listens_again_where_the_recording_changed(site) -> None:
    id_ = site.scored("a.wav", seed=1)
    before = site.scores.read("a", "call.json")
    site.fake("a.wav", seed=2)
    site.seen("a.wav", etag="2")
    assert [(one.state, one.audio_seconds) for one in site.work("listen", id_)] == [("done", 60.0)]
    assert site.scores.read("a", "call.json") != before


def test_work_with_a_transcript_beside_the_recording(site) -> None:
    (site.bucket / "b.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:09.000\n<v Ann>Shall we begin?\n", encoding="utf-8")
    site.fake("a.wav")
    row = row_dict(CallRow(None, "a", rep="Ann"), recording="a.wav", transcript="b.vtt")
    (id_,) = site.seen("a.wav", **row)
    assert [one.state for one in site.work("listen", id_)] == ["done"]
    card = json.loads(site.scores.read("a", "scorecard.json"))
    assert card["source"] == "a.wav"
    assert [one["role"] for one in card["participants"]] == ["rep"]


# --- judging and levelling ------------------------------------------------------------------------


def test_work_judges_what_is_kept_with_the_roles_of_today(site, tmp_path, monkeypatch) -> None:
    id_ = site.scored("a.wav")
    row = CallRow(site.bucket / "a.wav", "a", rep="Tom Adeyemi", customers=("Ines Roth",), details=(("deal", "D-7"),))
    score_call(row, out=tmp_path / "one", settings=FAKE)
    monkeypatch.setattr(stages, "listen", None)
    values = {**row_dict(row, recording="a.wav"), "defaults": []}
    site.seen("a.wav", need="assess", versions=replace(FIRST, judging="judging 2"), **values)
    (result,) = site.work("assess", id_)
    assert (result.state, result.need, result.audio_seconds) == ("done", "assess", None)
    for name in ALL:
        assert site.scores.read("a", name) == (tmp_path / "one" / "calls" / "a" / name).read_bytes(), name
    assert site.row(id_).done_with.judging == "judging 2"


def test_work_levels_what_is_kept_without_listening_or_judging(site, tmp_path, monkeypatch) -> None:
    ids = tuple(site.scored(f"{name}.wav", seed=number) for number, name in enumerate("abc"))
    score_call(site.bucket / "b.wav", out=tmp_path / "one", settings=FAKE, rubric="demo")
    monkeypatch.setattr(stages, "listen", None)
    monkeypatch.setattr(stages, "judged", None)
    site.seen("a.wav", "b.wav", "c.wav", need="level", versions=replace(FIRST, levelling="levelling 2"))
    results = site.work("level", *ids, rubric="demo")
    assert [(one.id, one.state, one.need) for one in results] == [(id_, "done", "level") for id_ in ids]
    for name in ALL:
        assert site.scores.read("b", name) == (tmp_path / "one" / "calls" / "b" / name).read_bytes(), name
    assert site.row(ids[2]).done_with.levelling == "levelling 2"


def test_work_levels_with_what_else_the_manifest_says_now(site) -> None:
    id_ = site.scored("a.wav")
    site.seen("a.wav", need="level", versions=replace(FIRST, levelling="2"), details=[["deal", "D-9"]])
    assert [one.state for one in site.work("level", id_)] == ["done"]
    assert json.loads(site.scores.read("a", "scorecard.json"))["details"] == {"deal": "D-9"}
    assert json.loads(site.scores.read("a", "call.json"))["call"]["details"] == [["deal", "D-9"]]
    assert site.scores.files("a") == ALL


@pytest.mark.parametrize("need", ["assess", "level"])
def test_work_keeps_the_sound_that_is_stored(site, need) -> None:
    id_ = site.scored("a.wav")
    site.scores.write("a", {name: site.scores.read("a", name) for name in ALL} | {"audio.mp3": b"sound"})
    site.seen("a.wav", need=need, versions=replace(FIRST, levelling="2", judging="2"))
    assert [one.state for one in site.work(need, id_)] == ["done"]
    assert site.scores.read("a", "audio.mp3") == b"sound"
    assert b'src="./audio.mp3"' in site.scores.read("a", "scorecard.html")


@pytest.mark.parametrize("need", ["assess", "level"])
@pytest.mark.parametrize("harm", ["missing", "unreadable", "another's"])
def test_work_listens_again_where_nothing_usable_is_kept(site, need, harm) -> None:
    id_ = site.scored("a.wav")
    whole = site.scores.read("a", "scorecard.json")
    kept = {name: site.scores.read("a", name) for name in ALL}
    if harm == "missing":
        site.scores.remove("a")
    elif harm == "unreadable":
        site.scores.write("a", {**kept, "call.json": b"{"})
    else:
        other = site.scored("b.wav", seed=9)
        assert other != id_
        site.scores.write("a", {**kept, "call.json": site.scores.read("b", "call.json")})
    site.seen("a.wav", need=need, versions=replace(FIRST, levelling="2", judging="2"))
    assert [one.state for one in site.work(need, id_)] == ["done"]
    assert site.scores.read("a", "scorecard.json") == whole


def test_work_judges_again_where_findings_alone_are_lost(site, monkeypatch) -> None:
    id_ = site.scored("a.wav")
    kept = {name: site.scores.read("a", name) for name in ALL if name != "findings.json"}
    site.scores.write("a", kept)
    monkeypatch.setattr(stages, "listen", None)
    site.seen("a.wav", need="level", versions=replace(FIRST, levelling="2"))
    assert [one.state for one in site.work("level", id_)] == ["done"]
    assert site.scores.files("a") == ALL


def test_work_levels_the_rest_where_one_is_another_runs(site) -> None:
    ids = tuple(site.scored(f"{name}.wav", seed=number) for number, name in enumerate("ab"))
    site.seen("a.wav", "b.wav", need="level", versions=replace(FIRST, levelling="2"))
    site.ledger.give_back(site.place.run, [ids[0]])
    assert [one.state for one in site.work("level", *ids)] == ["lost", "done"]


# --- faults ---------------------------------------------------------------------------------------


def test_work_counts_a_recordings_own_fault_and_sets_it_aside(site) -> None:
    (id_,) = site.seen(site.fake("a/b.wav", fail="the line is dead"))
    (result,) = site.work("listen", id_, tries=2)
    assert (result.state, result.fault) == ("failed", None)
    assert result.reason.endswith("a/b.wav: the line is dead")
    site.seen("a/b.wav", etag="1")
    assert [one.state for one in site.work("listen", id_, tries=2)] == ["quarantined"]
    assert site.row(id_).error == result.reason
    assert site.scores.files("b") == ()


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (RuntimeError("no such codec"), "RuntimeError: no such codec"),
        (KeyError("x"), "KeyError: 'x'"),
        (MemoryError(), "needs more memory than this machine has left"),
    ],
)
def test_work_survives_what_nobody_foresaw(site, monkeypatch, raised, said) -> None:
    def fails(*_):
        raise raised

    monkeypatch.setattr(stages, "listen", fails)
    (id_,) = site.seen(site.fake("a.wav"))
    (result,) = site.work("listen", id_)
    assert result.state == "failed"
    assert said in result.reason


@pytest.mark.parametrize("raised", [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EDQUOT, "quota")])
def test_work_holds_a_full_disk_against_no_recording(site, monkeypatch, raised) -> None:
    def fails(*_):
        try:
            raise raised
        except OSError as error:
            raise fakes.MediaError("a.wav: decoding could not be done") from error

    monkeypatch.setattr(stages, "listen", fails)
    (id_,) = site.seen(site.fake("a.wav"))
    (result,) = site.work("listen", id_)
    assert (result.state, result.fault) == ("postponed", "full")
    assert "The disk is full" in result.reason
    assert (site.row(id_).state, site.row(id_).attempts) == ("pending", 0)


def test_work_tries_again_where_a_recording_is_changed_while_it_is_read(site, monkeypatch) -> None:
    class Sound:
        sha256 = "0" * 64

    listen = stages.listen
    monkeypatch.setattr(stages, "listen", lambda *given: (listen(*given)[0], Sound()))
    (id_,) = site.seen(site.fake("a.wav"))
    (result,) = site.work("listen", id_)
    assert (result.state, result.fault) == ("postponed", "unreachable")
    assert "a.wav: was changed while it was read" in result.reason


def test_work_names_a_recording_that_is_not_there(site) -> None:
    (id_,) = site.seen("gone.wav")
    (result,) = site.work("listen", id_)
    assert result.state == "failed"
    assert "gone.wav" in result.reason
    assert "no such file" in result.reason


def test_work_refuses_a_recording_that_is_too_large(site) -> None:
    (id_,) = site.seen(site.fake("a.wav", turns=[["Rep", "word " * 500]]))
    small = replace(FAKE, limits=MediaLimits(max_bytes=1000))
    (result,) = site.work("listen", id_, settings=small)
    assert result.state == "failed"
    assert "at most 1,000 are taken" in result.reason


def remote(site: Site, monkeypatch, faults=()) -> list[str]:
    """The bucket as one that is elsewhere; `faults` are raised by its first fetches. The list takes what was asked."""
    asked: list[str] = []
    folder = FolderBucket(site.bucket)
    waiting = list(faults)

    class Elsewhere:
        url = "s3://calls"

        def fetch(self, key, path, *, max_bytes):
            asked.append(str(path))
            if waiting:
                raise StorageError(f"s3://calls/{key}: fails.", waiting.pop(0))
            return folder.fetch(key, path, max_bytes=max_bytes)

    monkeypatch.setattr(desks, "open_bucket", lambda url: Elsewhere())
    return asked


def test_work_waits_for_a_store_that_is_away_for_a_moment(site, monkeypatch) -> None:
    asked = remote(site, monkeypatch, ["throttled", "unreachable", "throttled"])
    (id_,) = site.seen(site.fake("a.wav"))
    assert [one.state for one in site.work("listen", id_)] == ["done"]
    assert len(asked) == 4
    assert site.row(id_).attempts == 1


@pytest.mark.parametrize(("fault", "times"), [("throttled", 4), ("unreachable", 4), ("denied", 1), ("full", 1)])
def test_work_puts_a_recording_off_where_the_store_fails(site, monkeypatch, fault, times) -> None:
    asked = remote(site, monkeypatch, [fault] * 9)
    (id_,) = site.seen(site.fake("a.wav"))
    (result,) = site.work("listen", id_)
    assert (result.state, result.fault, result.reason) == ("postponed", fault, "s3://calls/a.wav: fails.")
    assert len(asked) == times
    assert (site.row(id_).state, site.row(id_).attempts) == ("pending", 0)


def test_work_puts_off_levels_where_the_store_fails(site, monkeypatch) -> None:
    ids = tuple(site.scored(f"{name}.wav", seed=number) for number, name in enumerate("ab"))
    write = FolderScores.write

    def fails_once(self, call_id, files, *, keep=()):
        if call_id == "a":
            raise StorageError("out/calls/a: no space left.", "full")
        write(self, call_id, files, keep=keep)

    monkeypatch.setattr(FolderScores, "write", fails_once)
    site.seen("a.wav", "b.wav", need="level", versions=replace(FIRST, levelling="2"))
    assert [(one.state, one.fault) for one in site.work("level", *ids)] == [("postponed", "full"), ("done", None)]


@pytest.mark.parametrize("key", ["x/../a.wav", "a\x00b.wav", "  .wav", "😀" * 300 + ".wav", "con.wav", "-rf .wav"])
def test_work_is_not_harmed_by_keys(site, monkeypatch, tmp_path, key) -> None:
    asked: list[Path] = []

    class Elsewhere:
        url = "s3://calls"

        def fetch(self, key, path, *, max_bytes):
            asked.append(path)
            write_fake(path, fail="the line is dead" if len(asked) == 1 else None)
            return "0" * 64

    monkeypatch.setattr(desks, "open_bucket", lambda url: Elsewhere())
    (id_,) = site.seen(key)
    (result,) = site.work("listen", id_)
    assert result.state == "failed"
    assert result.reason.endswith(": the line is dead")
    assert str(tmp_path) not in result.reason
    site.seen(key)
    assert [one.state for one in site.work("listen", id_)] == ["done"]
    assert all(path.is_relative_to(tmp_path / "temporary") for path in asked)
    card = json.loads(site.scores.read(site.row(id_).call_id, "scorecard.json"))
    assert card["source"] == key.rpartition("/")[2].replace("\x00", "\N{REPLACEMENT CHARACTER}")


def test_work_keeps_what_was_heard_where_the_judges_server_fails(site, monkeypatch) -> None:
    (id_,) = site.seen(site.fake("a.wav"))

    def away(*_):
        raise JudgeServerError("the judge's server cannot be asked.")

    with monkeypatch.context() as patched:
        patched.setattr(FakeClassifier, "__call__", away)
        (result,) = site.work("listen", id_)
    assert (result.state, result.reason) == ("failed", "the judge's server cannot be asked.")
    assert "scorecard.json" not in site.scores.files("a")
    monkeypatch.setattr(stages, "listen", None)
    site.seen("a.wav")
    assert [one.state for one in site.work("listen", id_)] == ["done"]
    assert site.scores.files("a") == ALL


def test_work_waits_for_a_judges_server_that_is_away_and_listens_once(site, monkeypatch) -> None:
    (id_,) = site.seen(site.fake("a.wav"))

    def away(*_):
        raise JudgeAwayError("the judge's server cannot be asked.")

    with monkeypatch.context() as patched:
        patched.setattr(FakeClassifier, "__call__", away)
        (result,) = site.work("listen", id_)
    assert (result.state, result.fault, result.reason) == (
        "postponed",
        "unreachable",
        "the judge's server cannot be asked.",
    )
    assert (site.row(id_).state, site.row(id_).attempts) == ("pending", 0)
    monkeypatch.setattr(stages, "listen", None)
    site.seen("a.wav")
    assert [one.state for one in site.work("listen", id_)] == ["done"]
    assert site.scores.files("a") == ALL


def test_work_listens_again_after_a_failed_judge_where_the_engine_changed(site, monkeypatch) -> None:
    (id_,) = site.seen(site.fake("a.wav"))

    def away(*_):
        raise JudgeServerError("the judge's server cannot be asked.")

    with monkeypatch.context() as patched:
        patched.setattr(FakeClassifier, "__call__", away)
        site.work("listen", id_)
    site.seen("a.wav", versions=replace(FIRST, listening="listening 2"))
    assert [(one.state, one.audio_seconds) for one in site.work("listen", id_)] == [("done", 60.0)]


def test_work_that_is_wrongly_asked_for_ends_the_run(site, tmp_path) -> None:
    (id_,) = site.seen(site.fake("a.wav"))
    with pytest.raises(UsageError, match="not known"):
        site.work("listen", id_, rubric="nonsense")


def test_work_without_a_ledger_ends_the_run(site, tmp_path) -> None:
    (id_,) = site.seen(site.fake("a.wav"))
    with pytest.raises(LedgerError):
        site.work("listen", id_, ledger=f"sqlite:///{tmp_path / 'bucket' / 'a.wav'}")


def test_work_says_where_no_temporary_folder_can_be_made(site, tmp_path, monkeypatch) -> None:
    (id_,) = site.seen(site.fake("a.wav"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    (result,) = site.work("listen", id_, temporary=None)
    assert (result.state, result.fault) == ("postponed", "denied")
    assert "no folder for recordings can be made" in result.reason


# --- the same bytes on every road -----------------------------------------------------------------


def test_work_gives_the_same_bytes_from_what_is_kept_with_the_real_classifier(tmp_path, monkeypatch) -> None:
    row = next(one for one in read_manifest(SAMPLES / "calls.csv").rows if one.call_id == "plant-joint")
    row = replace(row, recording=None, transcript=SAMPLES / "reference" / "plant-joint.vtt")
    score_call(row, out=tmp_path / "one")
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_ledger(url) as ledger:
        out, source = str(tmp_path / "out"), str(SAMPLES / "reference")
        site = Site(Place(source, out, url, ledger.begin({}), temporary=str(tmp_path)), ledger)
        key = "plant-joint.vtt"
        values = {"defaults": [], **row_dict(row, transcript=key)}
        (id_,) = site.seen(key, call_type="demo")
        assert [one.state for one in site.work("listen", id_, rubric="demo")] == ["done"]
        assert (
            site.scores.read("plant-joint", "scorecard.json")
            != (tmp_path / "one" / "calls" / "plant-joint" / "scorecard.json").read_bytes()
        )
        monkeypatch.setattr(stages, "listen", None)
        site.seen(key, need="assess", versions=replace(FIRST, judging="2"), **values)
        assert [one.state for one in site.work("assess", id_, rubric="demo")] == ["done"]
        monkeypatch.setattr(stages, "judged", None)
        site.seen(key, need="level", versions=replace(FIRST, judging="2", levelling="2"), **values)
        assert [one.state for one in site.work("level", id_)] == ["done"]
        for name in ALL:
            whole = (tmp_path / "one" / "calls" / "plant-joint" / name).read_bytes()
            assert site.scores.read("plant-joint", name) == whole, name
        desks.desk_at.cache_clear()
