"""Forgetting: what is asked for is found, nothing of it is left in any store or file, and no run brings it back."""

import csv
import html
import json
import os
import subprocess
import sys
import tempfile
import unicodedata
from dataclasses import replace
from datetime import date
from urllib.parse import quote

import psycopg
import pytest

from pipeline import forget as forgetting
from pipeline.archive.folder import stored_scorecards
from pipeline.archive.ledger import open_ledger
from pipeline.archive.recordings import Done, Seen, Versions
from pipeline.archive.scores import open_scores
from pipeline.archive.scores_bucket import BucketScores
from pipeline.archive.temporary import temporary_folder
from pipeline.assess.scorecard import assess
from pipeline.errors import LedgerError, StorageError, UsageError
from pipeline.fakes import FakeClassifier
from pipeline.forget import find_forgettable, forget
from pipeline.report.index_page import index_page
from pipeline.score import files_of
from tests.archive.memory_bucket import MemoryBucket
from tests.archive.postgres import new_database, server
from tests.builders import core_rubric, timed_call

SOURCE = "s3://recordings/2026"
NAME = "Zoë O'Neill"
VERSIONS = Versions("listening", "judging", "levelling")
RUBRIC = core_rubric("discovery")


class Stores:
    """A ledger and its scorecards, with recordings in them that were done before."""

    def __init__(self, ledger, scores):
        self.ledger, self.scores = ledger, scores
        self.run = ledger.begin({})

    def listed(self, key, call_id, etag="1", **row):
        values = {"recording": key, "call_id": call_id, "call_type": "discovery", **row}
        self.ledger.record(SOURCE, [Seen(key, etag, 100, call_id, values, VERSIONS, "listen", "new")])
        return self.ledger.find(call_id)

    def started(self, key, call_id, **row):
        one = self.listed(key, call_id, **row)
        self.ledger.claim(self.run, SOURCE, 100)
        assert self.ledger.start(one.id, self.run)
        return one

    def done(self, key, call_id, *, content=None, said="Good morning.", rep="Tom Adeyemi", **row):
        """A recording that was listened to, with all its files; a copy where another has the content."""
        one = self.started(key, call_id, rep=rep, **row)
        sha256 = (content or call_id).encode().hex().ljust(64, "0")
        other = self.ledger.claim_content(one.id, sha256, VERSIONS, self.run)
        if other is not None:
            assert self.ledger.copied(one.id, self.run, other.id, sha256)
            return one
        self.write(call_id, said, rep, sha256, row.get("started_at"))
        assert self.ledger.finish(one.id, self.run, Done(sha256, VERSIONS, {"code": "1"}, 60.0, 1.0, "cpu"))
        return one

    def failed(self, key, call_id, reason, **row):
        one = self.started(key, call_id, **row)
        self.ledger.failed(one.id, self.run, reason, 3)
        return one

    def write(self, call_id, said="Good morning.", rep="Tom Adeyemi", sha256="0" * 64, started_at=None):
        call = timed_call(("R", 0.0, 2.0, said), ("C", 2.5, 4.0, "Hello."), call_id=call_id, call_type="discovery")
        people = tuple(replace(one, name=rep) if one.role == "rep" else one for one in call.participants)
        call = replace(call, participants=people, source_sha256=sha256, started_at=started_at)
        judge = FakeClassifier()
        files = files_of(assess(call, RUBRIC, judge), judge(call), RUBRIC)
        self.scores.write(call_id, {**files, "audio.mp3": b"sound"})

    def ids(self):
        return sorted(one.call_id for one in self.ledger.all())


@pytest.fixture
def local(tmp_path):
    with open_ledger(f"sqlite:///{tmp_path / 'out' / 'ledger.db'}", patience=1) as ledger:
        yield Stores(ledger, open_scores(tmp_path / "out"))


@pytest.fixture(params=["SQLite and a folder", "PostgreSQL and a bucket"])
def stores(request, tmp_path):
    """Both kinds of both stores, neither beside the other."""
    on_server = "PostgreSQL" in request.param
    url = new_database() if on_server else f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_ledger(url, patience=1) as ledger:
        yield Stores(ledger, BucketScores(MemoryBucket()) if on_server else open_scores(tmp_path / "out"))


def forgotten(stores, **asked):
    found = find_forgettable(stores.ledger, stores.scores, **asked)
    return forget(stores.ledger, stores.scores, found, person=asked.get("person"))


def reasons(stores, **asked):
    return {one.call_id: one.why for one in find_forgettable(stores.ledger, stores.scores, **asked)}


def spellings(name):
    """The name as it may lie in a file, as bytes, letter case aside."""
    plain = {name, unicodedata.normalize("NFD", name), name.replace(" ", "_"), name.replace(" ", "-")}
    escaped = (
        {json.dumps(one)[1:-1] for one in plain} | {html.escape(one) for one in plain} | {quote(one) for one in plain}
    )
    return {one.casefold().encode() for one in plain | escaped} | {quote(one).lower().encode() for one in plain}


def assert_nowhere(name, data, where):
    folded = data.lower() + data.decode("utf-8", "replace").casefold().encode()
    assert [one for one in spellings(name) if one in folded] == [], where


# --- what is found --------------------------------------------------------------------------------------


def test_forget_by_person_finds_every_place_a_name_may_stand_in(stores):
    stores.done("a.wav", "row", rep=NAME)
    stores.done("b.wav", "details", details=[["notes", f"asked for by {NAME.upper()}"]])
    stores.done("c.wav", "said", said="This is Zoe\u0308  O’Neill\nspeaking.")
    stores.listed("old/zoë_o'neill.wav", "key")
    stores.failed("d.wav", "reason", f"{NAME}.rttm: is no RTTM file")
    stores.done("e.wav", "Zoë O'Neill 3".replace("'", "_"))  # not her name
    stores.done("f.wav", "other", rep="Zoë O'Neillson", said="Zoë and Mr. O'Neill came.")
    assert reasons(stores, person="  zoë   o'neill ") == {
        "row": "the name stands in call.json, scorecard.html, scorecard.json, the manifest (rep), transcript.vtt",
        "details": "the name stands in the manifest (details)",
        "said": "the name stands in call.json, findings.json, scorecard.html, transcript.vtt",
        "key": "the name stands in its key, the manifest (recording)",
        "reason": "the name stands in its reason for failing",
    }


def test_forget_by_call_takes_the_recording_under_all_its_keys(stores):
    for key in ("a", "b", "c"):
        stores.done(f"{key}.wav", key, content="same")
    stores.done("d.wav", "d")
    for asked in ("a", "c"):
        found = reasons(stores, calls=[asked, "unknown", "A"])
        assert found.pop(asked) == "asked for by its id"
        assert found == dict.fromkeys({"a", "b", "c"} - {asked}, "the same recording under another key")


def test_forget_before_a_date_goes_by_when_the_call_was_held(stores):
    stores.done("a.wav", "old", started_at="2025-12-31T23:30:00-05:00")
    stores.done("b.wav", "new", started_at="2026-01-01")
    stores.done("c.wav", "unknown")
    assert reasons(stores, before="2026-01-01") == {"old": "held on 2025-12-31, before 2026-01-01"}
    assert sorted(reasons(stores, before=date(9999, 1, 1))) == ["new", "old", "unknown"]
    assert "of an unknown date, first listed on 20" in reasons(stores, before="9999-01-01")["unknown"]


def test_forget_finds_calls_that_no_ledger_knows(stores):
    stores.write("scored alone", rep=NAME, started_at="2020-05-05T10:00")
    stores.scores.write("odd", {"scorecard.json": "[]"})
    stores.scores.write("broken", {"scorecard.json": "{"})
    assert list(reasons(stores, calls=["scored alone"])) == ["scored alone"]
    assert list(reasons(stores, person=NAME)) == ["scored alone"]
    assert reasons(stores, before="2020-06-01") == {"scored alone": "held on 2020-05-05, before 2020-06-01"}
    assert forgotten(stores, person=NAME).calls == ("scored alone",)
    assert sorted(stores.scores.call_ids()) == ["broken", "odd"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "nothing was named to be forgotten"),
        ({"before": "1.2.2026"}, "'1.2.2026': is no date. Write year, month and day, as 2026-01-31"),
        ({"person": " - "}, "nothing to search for"),
        ({"calls": ["../x"]}, "cannot name a folder"),
    ],
)
def test_forget_refuses_what_names_nothing(local, asked, message):
    with pytest.raises(UsageError, match=message):
        find_forgettable(local.ledger, local.scores, **asked)


# --- nothing is left ------------------------------------------------------------------------------------


def world(stores):
    stores.done("a.wav", "row", rep=NAME, started_at="2026-01-05")
    stores.done("b.wav", "said", said=f"I am {NAME.upper()} from Berlin.", details=[["topic", "prices"]])
    stores.done(f"{NAME}.wav", "key")
    stores.done("copies/zoë-o'neill.wav", "copy", content="row")
    stores.failed("d.wav", "fails", f"{NAME}: cannot be read", customers=[NAME])
    stores.listed("e.wav", "waits", manager=unicodedata.normalize("NFD", NAME))
    stores.done("f.wav", "other")


def test_forget_a_person_leaves_nothing_and_proves_it(stores):
    world(stores)
    gone = forgotten(stores, person=NAME)
    assert gone.still_found == () and gone.rows == 6
    assert sorted(gone.calls) == ["copy", "fails", "key", "row", "said", "waits"]
    assert gone.sources == (f"{NAME}.wav", "a.wav", "b.wav", "copies/zoë-o'neill.wav", "d.wav", "e.wav")
    assert gone.searched_files == len(stores.scores.files("other")) == 7 and gone.searched_rows == 1
    assert stores.ids() == list(stores.scores.call_ids()) == ["other"]
    again = forgotten(stores, person=NAME)
    assert again.calls == () and again.still_found == () and again.searched_files == 7


def test_forget_leaves_the_name_in_no_file_below_out(local, tmp_path):
    world(local)
    leftover = tmp_path / "out" / "calls" / ".making-row" / "x1" / "call.json"
    leftover.parent.mkdir(parents=True)
    leftover.write_text(json.dumps({"name": NAME}))
    orphan = tmp_path / "out" / "calls" / ".making-gone" / "x2" / "scorecard.html"
    orphan.parent.mkdir(parents=True)
    orphan.write_text(html.escape(NAME))
    assert forgotten(local, person=NAME).still_found == ()
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {"ledger.db", "ledger.db-wal"} <= {path.name for path in files}  # it is open still
    for path in files:
        assert_nowhere(NAME, path.read_bytes(), path)
        assert_nowhere(NAME, str(path.relative_to(tmp_path)).encode(), path)
    local.ledger.close()
    for path in (tmp_path / "out").glob("ledger.db*"):
        assert_nowhere(NAME, path.read_bytes(), path)


def test_forget_leaves_the_name_in_no_table_and_no_file_of_postgres(tmp_path):
    """What PostgreSQL's log keeps for a while is said in docs/privacy.md; it goes as it is overwritten."""
    url = new_database()
    with open_ledger(url) as ledger:
        stores = Stores(ledger, open_scores(tmp_path))
        world(stores)
        analysed(url)
        assert list(in_files(url))  # the search can find it
        assert forgotten(stores, person=NAME).still_found == ()
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert len(tables) >= 5
        for (table,) in tables:
            rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()
            assert_nowhere(NAME, "\n".join(row for (row,) in rows).encode(), table)
    assert list(in_files(url)) == []


def analysed(url):
    """The planner's samples of columns are made, as the server does by itself after a while."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        sampled = connection.execute("SELECT attname FROM pg_stats WHERE tablename = 'recordings'").fetchall()
    assert ("state",) in sampled


def in_files(url):
    """The files of the database, and those that all databases share, that hold the name."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        (number,) = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    for folder in (f"base/{number}", "global"):
        for path in sorted((server().folder / "data" / folder).rglob("*")):
            data = path.read_bytes().lower() if path.is_file() else b""
            if any(one in data for one in spellings(NAME)):
                yield path


def test_forget_makes_the_pages_beside_the_calls_anew(local, tmp_path):
    out = tmp_path / "out"
    world(local)
    failures = [["fails", "d.wav", "bad"], ["=1+1", "x.wav", "bad"], ["x", f"/home/{quote(NAME)}.wav", "no"]]
    with (out / "failures.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["call_id", "source", "reason"], *failures, ["left", "y.wav", "silence"]])
    (out / "index.html").write_text(index_page(stored_scorecards(out), [("fails", NAME)]), encoding="utf-8")
    (out / ".making-index.html").write_text(NAME, encoding="utf-8")
    assert forgotten(local, person=NAME).still_found == ()
    assert (out / "failures.csv").read_text() == "call_id,source,reason\n=1+1,x.wav,bad\nleft,y.wav,silence\n"
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "calls/other/scorecard.html" in page and "silence" in page and "calls/row/" not in page
    assert not (out / ".making-index.html").exists()
    (out / "calls" / "other" / "scorecard.json").write_text("[]")
    forgotten(local, calls=["no such call"])
    assert (out / "index.html").exists()
    forgotten(local, person=NAME)
    assert not (out / "index.html").exists()


def test_forget_the_last_call_takes_the_page_of_all_calls(local, tmp_path):
    local.done("a.wav", "row")
    (tmp_path / "out" / "index.html").write_text("row")
    forgotten(local, calls=["row"])
    assert not (tmp_path / "out" / "index.html").exists()


def test_forget_tells_of_files_that_are_not_its_own(local, tmp_path):
    world(local)
    (tmp_path / "out" / "notes").mkdir()
    notes = tmp_path / "out" / "notes" / "minutes.txt"
    notes.write_bytes(b"x" * 3_999_995 + f"Zoë O'Neill, {NAME}".encode())
    assert forgotten(local, person=NAME).still_found == (str(notes),)


def test_forget_a_call_leaves_no_file_row_or_content_of_it(stores):
    world(stores)
    gone = forgotten(stores, calls=["row"])
    assert gone.calls == ("row", "copy") and gone.rows == 2 and gone.still_found == ()
    assert stores.scores.files("row") == () and "row" not in stores.ids() and "copy" not in stores.ids()
    assert stores.ledger.search(b"row".hex().ljust(64, "0")) == {"tombstones": 2}
    assert stores.scores.files("said")


@pytest.mark.parametrize("when", ["before", "after"])
def test_forget_meets_a_batch_that_finishes_the_same_bytes_meanwhile(local, monkeypatch, when):
    """Another key of the same bytes was claimed when nobody knew them yet."""
    local.done("a.wav", "first", content="same")
    late = local.started("b.wav", "late")
    found = find_forgettable(local.ledger, local.scores, calls=["first"])
    real, done = local.ledger.forget, Done(b"same".hex().ljust(64, "0"), VERSIONS, {}, 1.0, 1.0, "cpu")
    finished = []

    def forget_meanwhile(ids, why):
        if when == "before":
            finished.append(local.ledger.finish(late.id, local.run, done))
        gone = real(ids, why)
        if when == "after":
            finished.append(local.ledger.finish(late.id, local.run, done))
        return gone

    with monkeypatch.context() as patched:
        patched.setattr(local.ledger, "forget", forget_meanwhile)
        left = forget(local.ledger, local.scores, found).still_found
    assert finished == [when == "before"]
    said = f"the ledger: row {late.id}, which a batch made meanwhile. Run forget again."
    assert left == ((said,) if finished[0] else ())
    assert forgotten(local, calls=["late"]).still_found == () and local.ids() == []


# --- and it does not come back --------------------------------------------------------------------------


def test_forget_keeps_listings_from_bringing_a_recording_back(stores):
    stores.done("a.wav", "row", rep=NAME)
    forgotten(stores, person=NAME)
    assert stores.listed("a.wav", "row") is None
    assert stores.ledger.forgotten(["a.wav"], SOURCE) == {"a.wav": "1"}
    assert stores.listed("a.wav", "row", etag="2") is not None  # other bytes, as far as a listing tells
    assert stores.ledger.is_forgotten(b"row".hex().ljust(64, "0"))  # but its worker knows them


def test_forget_takes_a_recording_from_the_worker_that_has_it(local):
    one = local.started("a.wav", "busy", rep=NAME)
    assert forgotten(local, person=NAME).calls == ("busy",)
    local.write("busy", rep=NAME)  # the worker knows of nothing, and is told as it finishes
    assert not local.ledger.finish(one.id, local.run, Done("0" * 64, VERSIONS, {}, 1.0, 1.0, "cpu"))
    assert reasons(local, person=NAME)["busy"].startswith("the name stands in")


def test_forget_finds_what_a_killed_worker_left_of_a_forgotten_recording(local):
    sha256 = b"row".hex().ljust(64, "0")
    local.done("a.wav", "row", rep=NAME)
    forgotten(local, calls=["row"])
    local.write("row", sha256=sha256)
    assert reasons(local, calls=["x"]) == {"row": "left over of a recording that was forgotten"}


# --- faults and kills -----------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for SIGKILL: nobody catches it."""


REMOVED = ("remove",) * 3
STEPS = ("hold", *REMOVED, "clear_beside", "forget", "_wipe", *REMOVED, "_left_of_calls")


@pytest.mark.parametrize(("number", "when"), [*((step, "after") for step in (0, 1, 3, 4, 5, 6, 8)), (6, "before")])
def test_forget_again_finishes_what_a_kill_broke_off(local, tmp_path, monkeypatch, number, when):
    """Only the row of `row` names her, only the files of `said` do, `copy` is another key: all must go in the end."""
    local.done("a.wav", "row", content="one", details=[["with", NAME]])
    local.done("b.wav", "said", said=f"I am {NAME}.")
    local.done("c.wav", "copy", content="one")
    local.done("f.wav", "other")
    (tmp_path / "out" / "failures.csv").write_text(f"call_id,source,reason\nsaid,b.wav,{NAME}\n", encoding="utf-8")
    seen = []

    def dying(name, real):
        def step(*given, **named):
            seen.append(name)
            is_last = len(seen) == number + 1
            if is_last and when == "before":
                raise Killed
            result = real(*given, **named)
            if is_last:
                raise Killed
            return result

        return step

    from pipeline.archive import ledger_forget

    with monkeypatch.context() as patched:
        patched.setattr(local.ledger, "hold", dying("hold", local.ledger.hold))
        patched.setattr(local.scores, "remove", dying("remove", local.scores.remove), raising=False)
        patched.setattr(forgetting, "clear_beside", dying("clear_beside", forgetting.clear_beside))
        patched.setattr(local.ledger, "forget", dying("forget", local.ledger.forget))
        patched.setattr(ledger_forget, "_wipe_sqlite", dying("_wipe", ledger_forget._wipe_sqlite))
        patched.setattr(forgetting, "_left_of_calls", dying("_left_of_calls", forgetting._left_of_calls))
        with pytest.raises(Killed):
            forgotten(local, person=NAME)
    assert tuple(seen[: number + 1]) == STEPS[: number + 1]
    gone = forgotten(local, person=NAME)
    assert gone.still_found == ()
    assert local.ids() == list(local.scores.call_ids()) == ["other"]
    assert not (tmp_path / "out" / "failures.csv").exists()
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            assert_nowhere(NAME, path.read_bytes(), path)


def test_forget_goes_on_after_a_storage_fault(tmp_path):
    bucket = MemoryBucket()
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        stores = Stores(ledger, BucketScores(bucket))
        world(stores)
        found = find_forgettable(ledger, stores.scores, person=NAME)
        bucket.fails_at = len(bucket.done) + 8
        with pytest.raises(StorageError, match="failed on purpose"):
            forget(ledger, stores.scores, found, person=NAME)
        bucket.fails_at = None
        assert {one.state for one in ledger.all() if one.call_id != "other"} == {"quarantined"}
        assert sorted(forgotten(stores, person=NAME).calls) == ["copy", "fails", "key", "row", "said", "waits"]
        assert stores.ids() == ["other"] and not any(NAME.encode() in data for data in bucket.stored.values())


def test_forget_says_that_the_database_is_away(local, monkeypatch):
    world(local)
    found = find_forgettable(local.ledger, local.scores, person=NAME)

    def away(ids, why):
        raise LedgerError("the ledger's database does not answer")

    monkeypatch.setattr(local.ledger, "forget", away)
    with pytest.raises(LedgerError, match="does not answer"):
        forget(local.ledger, local.scores, found, person=NAME)
    monkeypatch.undo()
    assert forgotten(local, person=NAME).still_found == ()


def test_forget_says_that_a_file_beside_the_calls_cannot_be_changed(local, tmp_path, monkeypatch):
    world(local)
    (tmp_path / "out" / "failures.csv").write_text("call_id,source,reason\nrow,a.wav,x\n")

    def refused(*given, **named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.unlink", refused)
    with pytest.raises(StorageError, match="out"):
        forgotten(local, person=NAME)


def test_forget_says_that_a_page_beside_the_calls_cannot_be_written(local, tmp_path, monkeypatch):
    world(local)
    (tmp_path / "out" / "failures.csv").write_text("call_id,source,reason\nrow,a.wav,x\nleft,b.wav,y\n")

    def full(*given, **named):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.write_text", full)
        with pytest.raises(StorageError, match=r"failures\.csv: cannot be written \(No space left on device\)"):
            forgotten(local, person=NAME)
    assert forgotten(local, person=NAME).still_found == ()


def test_forget_says_that_a_file_cannot_be_searched(local, tmp_path, monkeypatch):
    world(local)
    (tmp_path / "out" / "odd.bin").write_bytes(b"x")
    real = type(tmp_path).open

    def refused(path, *given, **named):
        if path.name == "odd.bin":
            raise PermissionError(13, "Permission denied")
        return real(path, *given, **named)

    monkeypatch.setattr("pathlib.Path.open", refused)
    with pytest.raises(StorageError, match=r"odd\.bin"):
        forgotten(local, person=NAME)


def test_forget_sweeps_the_temporary_folders_of_dead_processes(local, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = (
        "import os, signal; from pipeline.archive.temporary import temporary_folder; folder = temporary_folder();"
        "path = folder.__enter__(); (path / 'manifest.csv').write_text('Zoë'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    assert len(list(tmp_path.glob("ridealong-*/manifest.csv"))) == 1
    with temporary_folder() as mine:
        forgotten(local, person=NAME)
        assert list(tmp_path.glob("ridealong-*")) == [mine]
    assert not mine.exists()


def test_forget_tells_how_far_it_is(local):
    world(local)
    told = []
    found = find_forgettable(local.ledger, local.scores, calls=["row"])
    forget(local.ledger, local.scores, found, progress=lambda *step: told.append(step))
    assert told[:3] == [("removing", 0, 2), ("removing", 1, 2), ("ledger", 0, 1)] and told[-1] == ("searching", 0, 1)
