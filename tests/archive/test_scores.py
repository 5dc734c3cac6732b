"""Scored calls in a folder and in a bucket: one contract, and what becomes of interrupted writers."""

import errno
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from pipeline.archive import call_folder
from pipeline.archive.scores import open_scores
from pipeline.archive.scores_bucket import BucketScores
from pipeline.archive.scores_folder import FolderScores
from pipeline.archive.temporary import temporary_folder
from pipeline.errors import MediaError, StorageError, UsageError
from tests.archive.memory_bucket import MemoryBucket
from tests.archive.s3_server import CREDENTIALS, s3_server


@pytest.fixture(params=["folder", "folder without exchange", "bucket"])
def scores(request, tmp_path, monkeypatch):
    if request.param == "bucket":
        return BucketScores(MemoryBucket())
    if "without" in request.param:
        monkeypatch.setattr(call_folder, "exchange", lambda one, other: False)
    return FolderScores(tmp_path / "out")


def held(scores, call_id):
    return {name: scores.read(call_id, name) for name in scores.files(call_id)}


# --- the contract ---------------------------------------------------------------------------------


def test_scores_hold_exactly_what_was_written_last(scores):
    scores.write("Ünï call 1", {"a.json": "ä", "b": b"\x00\xff"})
    scores.write("Ünï call 1", {"a.json": "ö", "c": lambda path: path.write_bytes(b"made")})
    assert held(scores, "Ünï call 1") == {"a.json": "ö".encode(), "c": b"made"}
    assert list(scores.call_ids()) == ["Ünï call 1"]


def test_scores_keep_stored_files_as_they_are(scores):
    scores.write("a", {"sound.mp3": b"sound", "card": "1", "page": "1"})
    scores.write("a", {"card": "2"}, keep=["sound.mp3", "never stored", "card"])
    assert held(scores, "a") == {"sound.mp3": b"sound", "card": b"2"}


def test_scores_know_no_call_that_was_not_written(scores):
    assert scores.files("a") == () and list(scores.call_ids()) == [] and list(scores.search("a")) == []
    assert scores.remove("a") is False
    scores.sweep("a")
    with pytest.raises(StorageError, match="card") as raised:
        scores.read("a", "card")
    assert raised.value.fault == "missing"


def test_scores_a_file_that_the_call_lacks_is_missing(scores):
    scores.write("a", {"card": "1"})
    with pytest.raises(StorageError, match="audio") as raised:
        scores.read("a", "audio.mp3")
    assert raised.value.fault == "missing"


def test_scores_remove_leaves_nothing_of_that_call_alone(scores):
    for call_id in ("a", "a-b", "a b"):
        scores.write(call_id, {"card": call_id})
    assert scores.remove("a") is True and scores.remove("a") is False
    assert sorted(scores.call_ids()) == ["a b", "a-b"]
    assert held(scores, "a-b") == {"card": b"a-b"}


@pytest.mark.parametrize("call_id", ["../a", "", "a/b", ".making-a", "a\x00", "con", "x" * 121])
def test_scores_an_id_that_cannot_name_a_folder_is_refused(scores, call_id):
    for use in (scores.files, scores.remove, scores.sweep, lambda one: scores.write(one, {"a": "1"})):
        with pytest.raises(UsageError, match=r"cannot name a folder\. Allowed are letters"):
            use(call_id)
    with pytest.raises(UsageError, match="cannot name a folder"):
        scores.read(call_id, "card")


@pytest.mark.parametrize("name", ["../card", "", "a/b", ".hidden"])
def test_scores_a_name_that_is_no_file_name_is_refused(scores, name):
    for use in (lambda: scores.write("a", {name: "1"}), lambda: scores.read("a", name)):
        with pytest.raises(UsageError, match="cannot name a file of a call"):
            use()
    assert scores.files("a") == ()


def test_scores_the_longest_id_is_stored(scores):
    call_id = "ü" * 120
    scores.write(call_id, {"card": "1"})
    scores.write(call_id, {"card": "2"})
    assert held(scores, call_id) == {"card": b"2"} and scores.remove(call_id)


def test_scores_an_error_of_the_content_leaves_the_version_before(scores):
    def broken(path):
        path.write_text("half")
        raise MediaError("the sound cannot be written")

    scores.write("a", {"card": "1"})
    with pytest.raises(MediaError, match="the sound cannot be written"):
        scores.write("a", {"card": "2", "sound": broken})
    assert held(scores, "a") == {"card": b"1"}


def test_scores_a_full_disk_is_no_fault_of_the_call(scores):
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    scores.write("a", {"card": "1"})
    with pytest.raises(StorageError, match="no space left on device") as raised:
        scores.write("a", {"card": "2", "sound": full})
    assert raised.value.fault == "full" and held(scores, "a") == {"card": b"1"}


def test_scores_where_names_what_a_search_found(tmp_path):
    scores = FolderScores(tmp_path)
    left = tmp_path / "calls" / ".making-a" / "x1" / "card"
    left.parent.mkdir(parents=True)
    left.write_text("Ines")
    assert [scores.where(*found) for found in scores.search("Ines")] == [str(left)]
    bucket = MemoryBucket()
    bucket.stored = {"calls/a/0123/card": b"Ines", "calls/a/current.json": b"{}"}
    scores = BucketScores(bucket)
    assert [scores.where(*found) for found in scores.search("Ines")] == ["s3://memory/scores/calls/a/0123/card"]


def test_scores_where_is_a_place_that_people_can_open(scores):
    scores.write("a", {"card": "1"})
    where = scores.where("a", "card")
    assert where.endswith("/card") and (where.startswith("s3://") or Path(where).exists())
    if where.startswith("s3://"):
        assert "/calls/a/6b86b273ff34fce1/card" in where and "?" not in where


# --- search ---------------------------------------------------------------------------------------


def test_scores_search_finds_a_name_in_every_file_and_id_but_not_in_sound(scores):
    scores.write("ines-roth", {"card": "nobody"})
    scores.write(
        "a", {"scorecard.json": '{"name": "INES \\u0052oth"}', "t.vtt": "<v Ines&#32;Roth>", "x.mp3": "Ines Roth"}
    )
    scores.write("b", {"speakers.rttm": "SPEAKER b 1 0 1 <NA> <NA> Ines_Roth <NA> <NA>", "none": "Ines Rot"})
    found = {(call_id, file.rpartition("/")[2]) for call_id, file in scores.search(" ines roth")}
    in_keys = {("ines-roth", "current.json")}  # a bucket's file that names the others names the call as well
    assert found - in_keys == {("a", "scorecard.json"), ("a", "t.vtt"), ("b", "speakers.rttm"), ("ines-roth", "")}


def test_scores_search_for_nothing_is_refused(scores):
    with pytest.raises(UsageError, match="nothing to search for"):
        list(scores.search(" _ "))


# --- over the network -----------------------------------------------------------------------------


def test_s3_keeps_the_contract(monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with s3_server() as server:
        bucket, options = server.bucket("scores").split("?")
        for number, contract in enumerate(CONTRACT):
            contract(open_scores(f"{bucket}/my scores/{number}?{options}"))


CONTRACT = (
    test_scores_hold_exactly_what_was_written_last,
    test_scores_keep_stored_files_as_they_are,
    test_scores_know_no_call_that_was_not_written,
    test_scores_a_file_that_the_call_lacks_is_missing,
    test_scores_remove_leaves_nothing_of_that_call_alone,
    test_scores_the_longest_id_is_stored,
    test_scores_an_error_of_the_content_leaves_the_version_before,
    test_scores_a_full_disk_is_no_fault_of_the_call,
    test_scores_where_is_a_place_that_people_can_open,
    test_scores_search_finds_a_name_in_every_file_and_id_but_not_in_sound,
)


# --- writers that are interrupted -----------------------------------------------------------------


def test_bucket_every_interrupted_write_leaves_one_whole_version_and_is_swept():
    old, new = {"card": "1", "sound": b"s", "page": "same"}, {"card": "2", "page": "same", "call": "c"}
    for step in range(1, 100):
        bucket = MemoryBucket()
        scores = BucketScores(bucket)
        scores.write("a", old)
        bucket.done, bucket.fails_at = [], step
        try:
            scores.write("a", new, keep=["sound"])
        except StorageError:
            pass
        else:
            break
        bucket.fails_at = None
        before, after = ({**old, "card": "1"}, {**new, "sound": b"s"})
        assert held(scores, "a") in (
            {n: _bytes(c) for n, c in before.items()},
            {n: _bytes(c) for n, c in after.items()},
        )
        scores.sweep("a")
        assert len(bucket.stored) == len(scores.files("a")) + 1
        scores.write("a", new, keep=["sound"])
        assert held(scores, "a") == {name: _bytes(content) for name, content in after.items()}
        assert len(bucket.stored) == len(after) + 1
    assert step > 5


def test_bucket_an_interrupted_removal_shows_no_half_call_and_is_finished_by_the_next():
    for step in range(2, 5):
        bucket = MemoryBucket()
        scores = BucketScores(bucket)
        scores.write("a", {"card": "1", "page": "2"})
        bucket.done, bucket.fails_at = [], step
        with pytest.raises(StorageError, match="on purpose"):
            scores.remove("a")
        bucket.fails_at = None
        assert scores.files("a") in ((), ("card", "page"))
        assert scores.remove("a") is True and bucket.stored == {}


def test_bucket_unchanged_files_are_not_sent_again():
    bucket = MemoryBucket()
    scores = BucketScores(bucket)
    scores.write("a", {"card": "1", "sound": b"s"})
    bucket.done = []
    scores.write("a", {"card": "2", "sound": b"s"})
    assert [key.rpartition("/")[2] for name, key in bucket.done if name == "put"] == ["card", "current.json"]


def test_bucket_current_file_names_each_file_with_hash_and_size():
    bucket = MemoryBucket()
    BucketScores(bucket).write("a", {"card": "1"})
    sha256 = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    key = f"calls/a/{sha256[:16]}/card"
    assert json.loads(bucket.stored["calls/a/current.json"]) == {"card": {"key": key, "sha256": sha256, "size": 1}}
    assert set(bucket.stored) == {key, "calls/a/current.json"}


def test_bucket_a_reader_follows_a_version_that_changes_meanwhile():
    bucket = MemoryBucket()
    scores = BucketScores(bucket)
    scores.write("a", {"card": "1"})
    read = bucket.read

    def replaced_meanwhile(key):
        data = read(key)
        bucket.read = read
        scores.write("a", {"card": "2"})
        return data

    bucket.read = replaced_meanwhile
    assert scores.read("a", "card") == b"2"


def test_bucket_damaged_objects_are_told():
    bucket = MemoryBucket()
    scores = BucketScores(bucket)
    scores.write("a", {"card": "1"})
    key = next(key for key in bucket.stored if key.endswith("card"))
    bucket.stored[key] = b"other"
    with pytest.raises(StorageError, match="its bytes are not those that were stored"):
        scores.read("a", "card")
    del bucket.stored[key]
    with pytest.raises(StorageError, match="is not there"):
        scores.read("a", "card")
    assert scores.files("a") == ()
    with pytest.raises(StorageError, match="so it cannot be kept"):
        scores.write("a", {}, keep=["card"])
    entry = {"key": "calls/b/0/card", "sha256": "0", "size": 1}
    for damaged in (b"", b"[]", b'{"card": 1}', json.dumps({"card": entry}).encode()):
        bucket.stored["calls/a/current.json"] = damaged
        with pytest.raises(StorageError, match="is not a list of the call's files"):
            scores.files("a")
    scores.write("a", {"card": "3"})
    assert held(scores, "a") == {"card": b"3"}


def test_bucket_files_are_made_where_a_killed_writer_leaves_nothing_for_good():
    made = []
    with temporary_folder() as other:
        BucketScores(MemoryBucket()).write("a", {"sound": lambda path: made.append(path) or path.write_bytes(b"s")})
        assert made[0].parent.name.rpartition("-")[0] == other.name.rpartition("-")[0]  # what sweep_temporary goes by
    assert not made[0].parent.exists()


def test_bucket_an_unreachable_one_is_not_an_empty_one():
    bucket = MemoryBucket()
    bucket.fails_at = 1
    with pytest.raises(StorageError, match="on purpose"):
        BucketScores(bucket).files("a")


@pytest.mark.parametrize("exchange", [True, False])
def test_folder_a_killed_writer_leaves_one_whole_version_and_is_swept(tmp_path, exchange):
    """Each time the writer kills itself with SIGKILL at the next call of the operating system that changes a name."""
    old, new = {"card": "1", "sound": "s"}, {"card": "2", "call": "c"}
    out = FolderScores(tmp_path)
    for step in range(1, 50):
        out.remove("a")
        out.write("a", old)
        if _write_and_die(tmp_path, new, step, exchange) == 0:
            break
        assert held(out, "a") in ({n: _bytes(c) for n, c in old.items()}, {"card": b"2", "call": b"c", "sound": b"s"})
        assert list(out.call_ids()) == ["a"]
        if step % 2:
            out.sweep("a")
        else:
            out.write("a", new, keep=["sound"])
        assert [path.name for path in (tmp_path / "calls").iterdir()] == ["a"]
        assert len(held(out, "a")) in (2, 3)
    assert step > 5


def test_folder_search_and_removal_find_what_a_killed_writer_left(tmp_path):
    scores = FolderScores(tmp_path)
    found = []
    for step in range(1, 20):  # until it dies between writing the file and putting it in place
        assert _write_and_die(tmp_path, {"card": "Ines Roth"}, step, True) == -signal.SIGKILL
        found = list(scores.search("Ines Roth"))
        if found:
            break
        scores.remove("a")
    assert [(call_id, file.rpartition("/")[2]) for call_id, file in found] == [("a", "card")]
    assert found[0][1].startswith(".making-a/") and list(scores.call_ids()) == []
    assert scores.remove("a") is True
    assert list((tmp_path / "calls").iterdir()) == []


def test_folder_search_looks_into_the_pages_beside_the_calls(tmp_path):
    (tmp_path / "index.html").write_text("<b>Ines&nbsp;Roth</b>")
    assert list(FolderScores(tmp_path).search("Ines Roth")) == [("", "index.html")]


def test_folder_kept_files_are_not_copied(tmp_path):
    scores = FolderScores(tmp_path)
    scores.write("a", {"sound.mp3": b"s", "card": "1"})
    before = (tmp_path / "calls" / "a" / "sound.mp3").stat().st_ino
    scores.write("a", {"card": "2"}, keep=["sound.mp3"])
    assert (tmp_path / "calls" / "a" / "sound.mp3").stat().st_ino == before


def test_folder_kept_files_are_copied_where_there_are_no_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    scores = FolderScores(tmp_path)
    scores.write("a", {"sound.mp3": b"s"})
    scores.write("a", {"card": "2"}, keep=["sound.mp3"])
    assert held(scores, "a") == {"sound.mp3": b"s", "card": b"2"}


def test_folder_that_is_a_file_is_told_as_storage(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="out/calls/a"):
        FolderScores(tmp_path / "out").write("a", {"card": "1"})


def test_open_scores_takes_paths_and_file_urls(tmp_path):
    for url in (tmp_path / "my scores", str(tmp_path / "my scores"), (tmp_path / "my scores").as_uri()):
        scores = open_scores(url)
        assert scores.url == (tmp_path / "my scores").as_uri()
    for url, reason in (("file://data/scores", "three slashes"), ("ftp://data", "'ftp'"), ("", "no bucket or folder")):
        with pytest.raises(UsageError, match=reason):
            open_scores(url)
    assert not (tmp_path / "my scores").exists()


def _bytes(content):
    return content.encode() if isinstance(content, str) else content


CHANGES = {"open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "os.chmod", "shutil.rmtree", "exchange"}
"""What Python tells its audit hooks before it changes a file system, and the exchange of folders, which it does not."""


def _write_and_die(out, files, step, exchange):
    """How a process ends that writes call `a` and is killed just before its `step`-th change of the file system."""
    child = os.fork()
    if child == 0:
        try:
            _die_at(step, str(out), exchange)
            FolderScores(out).write("a", files, keep=["sound"])
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _die_at(step, out, exchange):
    left, swap = [step], call_folder.exchange

    def watch(event, args):
        if event in CHANGES and out in str(args):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def watched(one, other):
        watch("exchange", (str(one),))
        return exchange and swap(one, other)

    call_folder.exchange = watched
    sys.addaudithook(watch)
