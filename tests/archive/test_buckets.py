"""open_bucket, what all buckets have in common, and the folder."""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.archive.bucket import Bucket
from pipeline.archive.bucket_folder import FolderBucket
from pipeline.archive.bucket_obstore import ObstoreBucket
from pipeline.archive.buckets import open_bucket
from pipeline.errors import StorageError, UsageError
from tests.archive.s3_server import CREDENTIALS, S3Server, s3_server

TAME = ["a.wav", "a/b.wav", "a b#?%.wav", "p%2Fx", "a+b", "emoji😀.mp3", "\u00e9", "e\u0301", "Case", "case", "x" * 200]
"""Keys that every store can hold; among them two that differ by Unicode's normal form and two by case."""


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "GOOGLE_", "AZURE_"))]:
        monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(params=["folder", "s3", "gs", "memory"])
def bucket(request: pytest.FixtureRequest, server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Google's own store class talks to the same server: its listing and objects are those of S3's protocol."""
    server.faults.clear()
    if request.param == "folder":
        return open_bucket(tmp_path / "sp ace")
    if request.param == "memory":
        from obstore.store import MemoryStore

        return ObstoreBucket("memory", "calls", "pre fix/", store=MemoryStore())
    url = server.bucket("calls")
    if request.param == "s3":
        return open_bucket(url.replace("calls?", "calls/pre fix?"))
    monkeypatch.setenv("GOOGLE_BASE_URL", server.url)
    monkeypatch.setenv("GOOGLE_BEARER_TOKEN", "very-secret")
    return open_bucket("gs://calls/pre fix")


def test_what_is_put_is_listed_and_comes_back(bucket: Bucket, tmp_path: Path) -> None:
    for key in TAME:
        bucket.put(key, key.encode())
    found = {entry.key: entry for entry in bucket.objects()}
    assert sorted(found) == sorted(TAME)
    for key in TAME:
        assert found[key].size == len(key.encode())
        assert found[key].etag
        assert found[key].modified.endswith("+00:00")
        assert bucket.read(key) == key.encode()
        assert bucket.fetch(key, tmp_path / "copy", max_bytes=800) == hashlib.sha256(key.encode()).hexdigest()
        assert (tmp_path / "copy").read_bytes() == key.encode()


def test_a_file_is_put_and_an_object_replaced(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(b"page" * 1000)
    bucket.put("calls/1/page", b"old")
    before = next(bucket.objects()).etag
    bucket.put("calls/1/page", tmp_path / "page")
    assert bucket.read("calls/1/page") == b"page" * 1000
    assert [entry.size for entry in bucket.objects()] == [4000]
    assert next(bucket.objects()).etag != before


def test_listing_below_a_key(bucket: Bucket) -> None:
    for key in ("calls/ab/1", "calls/abc/2", "calls.txt", "other"):
        bucket.put(key, b"")
    assert [entry.key for entry in bucket.objects("calls/ab/")] == ["calls/ab/1"]
    assert [entry.key for entry in bucket.objects("calls/ab")] == ["calls/ab/1", "calls/abc/2"]
    assert sorted(entry.key for entry in bucket.objects("calls")) == ["calls.txt", "calls/ab/1", "calls/abc/2"]
    assert list(bucket.objects("none/such")) == []


def test_delete_is_content_with_what_is_not_there(bucket: Bucket) -> None:
    for key in ("a/1", "a/2", "b"):
        bucket.put(key, b"x")
    bucket.delete(iter(["a/1", "none", "a/none/1", "a/2"]))
    assert [entry.key for entry in bucket.objects()] == ["b"]
    bucket.delete([])


def test_missing_and_too_large(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("large", b"12345")
    with pytest.raises(StorageError, match=r"none: (there is no such object|no such file).*Check the name") as missing:
        bucket.read("none")
    assert missing.value.fault == "missing"
    with pytest.raises(StorageError) as missing:
        bucket.fetch("none", tmp_path / "copy", max_bytes=9)
    assert missing.value.fault == "missing"
    with pytest.raises(StorageError, match=r"large: has 5 bytes; at most 4 are taken\. Split the recording\.") as large:
        bucket.fetch("large", tmp_path / "copy", max_bytes=4)
    assert large.value.fault == "refused"
    assert not (tmp_path / "copy").exists()


def test_a_file_to_put_that_is_not_there(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("other", b"")
    with pytest.raises(StorageError, match=r"/none: (there is )?no such file") as missing:
        bucket.put("key", tmp_path / "none")
    assert missing.value.fault == "missing"
    assert [entry.key for entry in bucket.objects()] == ["other"]


def test_the_url_opens_the_same_again(bucket: Bucket) -> None:
    bucket.put("key", b"x")
    if "memory" not in bucket.url:
        assert open_bucket(bucket.url).read("key") == b"x"
        assert open_bucket(bucket.url).url == bucket.url
    assert "very-secret" not in bucket.url


def test_a_file_cannot_be_written_where_the_disk_is_full(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("key", b"x" * 100_000)
    (tmp_path / "copy").symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"copy: no space left on device\. Free space") as full:
        bucket.fetch("key", tmp_path / "copy", max_bytes=1_000_000)
    assert full.value.fault == "full"
    assert not (tmp_path / "copy").is_symlink()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://calls", "s3://calls"),
        ("s3://calls/", "s3://calls"),
        ("s3://calls/2026/may/", "s3://calls/2026/may"),
        ("s3://calls//2026//", "s3://calls//2026//"),
        ("S3://calls/a%20b c#d?e", "s3://calls/a%20b c#d?e"),
        ("s3://calls?endpoint=http://127.0.0.1:9000", "s3://calls?endpoint=http://127.0.0.1:9000"),
        ("s3://calls/x?region=eu-central-1&profile=a%20b", "s3://calls/x?region=eu-central-1&profile=a%20b"),
        ("gs://calls/x/", "gs://calls/x"),
        ("az://calls", "az://calls"),
        ("file:///tmp/a%20b/%FF", "file:///tmp/a%20b/%FF"),
        ("file://localhost/tmp", "file:///tmp"),
        ("/tmp/a b/../c%20", "file:///tmp/c%2520"),
    ],
)
def test_urls(url: str, expected: str) -> None:
    assert open_bucket(url).url == expected
    assert open_bucket(expected).url == expected


def test_a_home_and_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_bucket("~/my calls").url == (tmp_path / "home" / "my calls").as_uri()
    assert open_bucket(Path("~/my calls")).url == open_bucket("~/my calls").url
    assert open_bucket("calls").url == (tmp_path / "calls").as_uri()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "no bucket or folder is named. Allowed are s3://BUCKET/PREFIX"),
        ("https://host/very-secret", "'https' is no kind of bucket that is known. Allowed are"),
        ("s3://", "s3:// URL: a bucket's name comes first, of letters, digits, '.', '_' and '-'. Allowed are"),
        ("s3:///prefix", "s3:// URL: a bucket's name comes first"),
        ("s3://key:very-secret@calls/x", "and no user, password or port"),
        ("s3://calls?token=very-secret", "'token' is no option, is empty or is there twice. Allowed are endpoint=…"),
        ("s3://calls?region=", "'region' is no option, is empty or is there twice"),
        ("s3://calls?region=a&region=b", "'region' is no option, is empty or is there twice"),
        ("s3://calls?endpoint=http://key:very-secret@host", "an http:// or https:// URL without user and password"),
        ("s3://calls?endpoint=ftp://host", "the endpoint must be an http:// or https:// URL"),
        ("gs://calls?token=very-secret", "gs:// URL: it takes no options behind a question mark"),
        ("az://calls/x?sig=very-secret", "az:// URL: it takes no options"),
        ("file://folder", "a file:// URL needs three slashes"),
        ("file://host/folder", "a file:// URL needs three slashes"),
        ("~nobody-of-that-name/calls", "there is no home folder of that user. Write the whole path."),
    ],
)
def test_urls_that_are_none(url: str, message: str) -> None:
    with pytest.raises(UsageError) as wrong:
        open_bucket(url)
    assert message in str(wrong.value)
    assert "very-secret" not in str(wrong.value)


def folder_of(path: Path, *names: str) -> FolderBucket:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"x")
    return FolderBucket(path)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folder_is_sorted_by_key_without_hidden_files(tmp_path: Path) -> None:
    bucket = folder_of(tmp_path, "b/2", "b/1", "b-", "b.wav", "a", ".hidden", ".git/x", "b/.making-1", "c\nd")
    assert [entry.key for entry in bucket.objects()] == ["a", "b-", "b.wav", "b/1", "b/2", "c\nd"]


def test_folder_keeps_undecodable_names(tmp_path: Path) -> None:
    name = os.fsdecode(b"M\xfcller.wav")
    bucket = folder_of(tmp_path / os.fsdecode(b"\xff"), name)
    (found,) = bucket.objects()
    assert found.key == name
    assert bucket.read(found.key) == b"x"
    assert bucket.url.endswith("/%FF")
    assert open_bucket(bucket.url).read(name) == b"x"
    with pytest.raises(StorageError, match=r"\\udcff/M\\udcfcx: no such file"):
        bucket.read(os.fsdecode(b"M\xfcx"))


def test_folder_follows_no_link_out_of_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    bucket = folder_of(tmp_path / "calls", "real/a", ".store/b")
    calls = bucket.folder
    (calls / "out").symlink_to(tmp_path / "secret")
    (calls / "up").symlink_to(tmp_path)
    (calls / "again").symlink_to(calls / "real")
    (calls / "circle").symlink_to(calls / "circle")
    (calls / "gone").symlink_to(calls / "nothing")
    (calls / "in").symlink_to(calls / ".store/b")
    os.mkfifo(calls / "pipe")
    assert [entry.key for entry in bucket.objects()] == ["in", "real/a"]
    assert caplog.messages == ["2 links lead out of the folder and are left out"]
    assert list(bucket.objects("up/")) == list(bucket.objects("again/")) == []
    assert bucket.path("in") == calls / "in"
    for key in ("out", "up/secret"):
        for asked in (bucket.read, bucket.path, lambda key: bucket.put(key, b""), lambda key: bucket.delete([key])):
            with pytest.raises(StorageError, match=r"is a link that leads out of the folder\. Put the file itself"):
                asked(key)
    with pytest.raises(StorageError, match="its links go round in a circle"):
        bucket.read("circle")
    with pytest.raises(StorageError, match="pipe: is not a file"):
        bucket.read("pipe")
    assert (tmp_path / "secret").read_bytes() == b"secret"


@pytest.mark.parametrize("key", ["../x", "/abs", "a//b", "./a", "a/../b", "", ".", "..", "a/", "a/..", "nul\x00x"])
def test_folder_refuses_keys_that_are_no_path_below_it(key: str, tmp_path: Path) -> None:
    bucket = folder_of(tmp_path / "calls", "a/b")
    (tmp_path / "x").write_bytes(b"outside")
    asks: list[Callable[[], object]] = [
        lambda: bucket.read(key),
        lambda: bucket.path(key),
        lambda: bucket.fetch(key, tmp_path / "copy", max_bytes=9),
        lambda: bucket.put(key, b"inside"),
        lambda: bucket.delete([key]),
    ]
    for ask in asks:
        with pytest.raises(StorageError, match=r"cannot hold .*: a key here is a path below the folder") as refused:
            ask()
        assert refused.value.fault == "refused"
    assert (tmp_path / "x").read_bytes() == b"outside"
    assert names(tmp_path) == ["calls", "x"]


def test_folder_refuses_to_list_below_what_leads_out(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot hold"):
        list(folder_of(tmp_path / "calls", "a").objects("../"))


def test_folder_that_is_not_there_or_is_a_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"none: no such file or directory\. Check the name") as missing:
        list(FolderBucket(tmp_path / "none").objects())
    assert missing.value.fault == "missing"
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file: not a directory\. The same request would be refused") as refused:
        list(FolderBucket(tmp_path / "file").objects())
    assert refused.value.fault == "refused"
    with pytest.raises(StorageError, match=r"file/x: not a directory"):
        FolderBucket(tmp_path / "file").put("x", b"")


def test_folder_deletes_the_folders_that_are_empty_then(tmp_path: Path) -> None:
    bucket = folder_of(tmp_path / "calls", "Jane Doe/may/1", "John/1")
    bucket.delete(["Jane Doe/may/1"])
    assert names(bucket.folder) == ["John"]
    bucket.delete(["John/1"])
    assert bucket.folder.is_dir()
    bucket.delete(["John/1"])
    bucket.put("file", b"")
    bucket.delete(["file/below"])
    bucket.put("folder/file", b"")
    with pytest.raises(StorageError, match=r"folder: is a directory\.") as refused:
        bucket.delete(["folder"])
    assert refused.value.fault == "refused"


def test_folder_writes_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = folder_of(tmp_path / "calls", "1/page")
    (tmp_path / "full").symlink_to("/proc/self/mem")  # reading it fails with EIO
    with pytest.raises(StorageError, match=r"1/page: input/output error") as broken:
        bucket.put("1/page", tmp_path / "full")
    assert broken.value.fault == "unreachable"
    assert names(bucket.folder / "1") == ["page"]
    assert bucket.read("1/page") == b"x"


def test_folder_of_many_files_is_listed_fast(tmp_path: Path) -> None:
    for part in range(10):
        (tmp_path / f"{part}").mkdir()
        for number in range(200):
            (tmp_path / f"{part}" / f"{number:04}.wav").touch()
    start = time.process_time()
    keys = [entry.key for entry in FolderBucket(tmp_path).objects()]
    assert len(keys) == 2000
    assert keys == sorted(keys)
    assert time.process_time() - start < 0.5  # 100,000 take two to three seconds


def test_folder_tree_deeper_than_calls_may_be(tmp_path: Path) -> None:
    bucket, key = FolderBucket(tmp_path / "tree"), "d/" * 300 + "x"
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 150)
    try:
        _round_trip(bucket, key)
    finally:
        sys.setrecursionlimit(limit)


def _round_trip(bucket: FolderBucket, key: str) -> None:
    bucket.put(key, b"deep")
    assert [entry.key for entry in bucket.objects()] == [key]
    assert bucket.read(key) == b"deep"
    bucket.delete([key])
    assert names(bucket.folder) == []


def test_google_names_the_key_that_it_cannot_carry(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.bucket("calls")
    monkeypatch.setenv("GOOGLE_BASE_URL", server.url)
    monkeypatch.setenv("GOOGLE_BEARER_TOKEN", "very-secret")
    bucket = open_bucket("gs://calls")
    for key in ("../x", "a//b", "a/./b", "line\nbreak"):
        with pytest.raises(
            StorageError, match=r"the key cannot be used with this store: .*Rename the object"
        ) as refused:
            bucket.put(key, b"")
        assert refused.value.fault == "refused"
    with pytest.raises(StorageError, match="the key cannot be used with this store"):
        bucket.read("surrogate\udcff")
    server.client().put_object(Bucket="calls", Key="../x")
    with pytest.raises(
        StorageError, match=r"cannot be used with this store.*\('\.\./x'\)\. Rename or remove"
    ) as refused:
        list(bucket.objects())
    assert refused.value.fault == "refused"
    assert refused.value.__cause__ is None
