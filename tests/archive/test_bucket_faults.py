"""What fails is said: which fault, where, and what to do. The faults are those of a real server and of the system."""

from __future__ import annotations

import errno
import os
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.archive.bucket import Bucket
from pipeline.archive.bucket_s3 import S3Bucket
from pipeline.archive.buckets import open_bucket
from pipeline.archive.faults import shown, storage_fault
from pipeline.archive.receiving import receive, whole
from pipeline.errors import StorageError
from tests.archive.s3_server import (
    CREDENTIALS,
    Fault,
    S3Server,
    content,
    cut_short,
    dropped,
    error,
    is_get,
    is_listing,
    is_second_page,
    rewritten,
    s3_server,
    slow_down,
    without_length,
)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        client = running.client()
        running.bucket("calls")
        for number in range(5):
            client.put_object(Bucket="calls", Key=f"{number}.wav", Body=b"x" * 100_000)
        yield running


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: S3Server) -> None:
    """Requests are tried once, unless a test says otherwise."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "GOOGLE_", "AZURE_"))]:
        monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    server.faults.clear()


@pytest.fixture
def s3(server: S3Server) -> Bucket:
    return S3Bucket("calls", endpoint=server.url, page=2)


@pytest.fixture
def google(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setattr("pipeline.archive.bucket_obstore.RETRIES", {"max_retries": 0})
    monkeypatch.setenv("GOOGLE_BASE_URL", server.url)
    monkeypatch.setenv("GOOGLE_BEARER_TOKEN", "very-secret")
    return open_bucket("gs://calls")


ANSWERS = [
    (
        "503 Slow Down",
        "SlowDown",
        "throttled",
        "the store is overloaded (it said SlowDown, HTTP 503). It asks for fewer",
    ),
    ("429 Too Many", "TooManyRequests", "throttled", "Run again later, with fewer workers; what is done stays done."),
    ("503 Unavailable", "ServiceUnavailable", "unreachable", "the store fails (it said ServiceUnavailable, HTTP 503)."),
    ("500 Error", "InternalError", "unreachable", "Check the network, the endpoint and the store's status, and run"),
    ("400 Bad", "RequestTimeout", "unreachable", "the store fails (it said RequestTimeout, HTTP 400)"),
    ("400 Bad", "ExpiredToken", "denied", "the credentials have expired (it said ExpiredToken, HTTP 400). Renew them"),
    ("403 Forbidden", "ExpiredToken", "denied", "by logging in again) and run again; what is done stays done."),
    ("403 Forbidden", "AccessDenied", "denied", "access is denied (it said AccessDenied, HTTP 403). Check the cred"),
    ("403 Forbidden", "RequestTimeTooSkewed", "denied", "this machine's clock is wrong (it said RequestTimeTooSkewed"),
    ("403 Forbidden", "InvalidAccessKeyId", "denied", "what they may do here (list, read, and write for --out)"),
    ("403 Forbidden", "Unheard", "denied", "access is denied (it said Unheard, HTTP 403)"),
    ("404 Not Found", "NoSuchBucket", "missing", "there is no such object or bucket (it said NoSuchBucket, HTTP 404)"),
    (
        "507 Full",
        "XMinioStorageFull",
        "full",
        "there is no space left (it said XMinioStorageFull, HTTP 507). Free space",
    ),
    ("400 Bad", "KeyTooLongError", "refused", "the store refuses the request (it said KeyTooLongError, HTTP 400). The"),
]


@pytest.mark.parametrize(("status", "code", "fault", "message"), ANSWERS)
@pytest.mark.parametrize("store", ["s3", "google"])
def test_answers_of_a_store(
    status: str, code: str, fault: str, message: str, store: str, server: S3Server, request: pytest.FixtureRequest
) -> None:
    bucket: Bucket = request.getfixturevalue(store)
    server.faults.add(error(status, code, when=is_listing))
    with pytest.raises(StorageError) as raised:
        list(bucket.objects())
    assert raised.value.fault == fault
    assert message in str(raised.value)
    assert f"{bucket.url.partition('?')[0]}/: " in str(raised.value)
    assert "very-secret" not in str(raised.value)
    assert raised.value.is_passing == (fault in ("throttled", "unreachable"))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            error("500 Error", "InternalError", when=is_second_page),
            r"the store fails \(it said InternalError, HTTP 500\)",
        ),
        (error("200 OK", "InternalError", when=is_second_page), r"the store fails \(it said InternalError"),
        (dropped(when=is_second_page), r"it cannot be reached \(ConnectionClosedError\)"),
        (cut_short(keep=200, when=is_second_page), "the store fails|the answer broke off"),
        (
            content(b"<ListBucketResult><IsTruncated>true", when=is_second_page),
            "the store fails|is not what a store says",
        ),
        (content(b"", when=is_second_page), "the listing broke off: its answer is not what a store says"),
        (content(b"<html>Log in</html>", when=is_second_page), "the listing broke off: its answer is not what a store"),
    ],
)
def test_a_listing_never_ends_early(fault: Fault, message: str, s3: Bucket, server: S3Server) -> None:
    fault.times = 1
    server.faults.add(fault)
    found = s3.objects()
    assert [next(found).key, next(found).key] == ["0.wav", "1.wav"]
    with pytest.raises(StorageError, match=message) as raised:
        next(found)
    assert raised.value.fault == "unreachable"


def test_a_listing_without_a_way_to_go_on_breaks_off(s3: Bucket, server: S3Server) -> None:
    without = rewritten(lambda body: body.replace(b"NextContinuationToken", b"Other"), when=is_second_page)
    server.faults.add(without)
    with pytest.raises(StorageError, match="the listing broke off: there is more of it, but no way to ask") as raised:
        list(s3.objects())
    assert raised.value.fault == "unreachable"


def test_a_listing_in_a_circle_breaks_off(s3: Bucket, server: S3Server) -> None:
    pages: list[bytes] = []

    def the_first_again(body: bytes) -> bytes:
        pages.append(body)
        return pages[0]

    server.faults.add(rewritten(the_first_again, when=is_listing, times=3))
    with pytest.raises(StorageError, match="the listing broke off: there is more of it, but no way to ask"):
        list(s3.objects())


@pytest.mark.parametrize("keep", [0, 1, 99_999])
@pytest.mark.parametrize("store", ["s3", "google"])
def test_a_body_that_ends_early(
    keep: int, store: str, server: S3Server, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    bucket: Bucket = request.getfixturevalue(store)
    for ask in (lambda: bucket.fetch("0.wav", tmp_path / "copy", max_bytes=200_000), lambda: bucket.read("0.wav")):
        server.faults.add(cut_short(keep=keep, when=is_get, times=20))
        with pytest.raises(StorageError, match=r"calls/0\.wav: (the answer broke off|it cannot be reached)") as raised:
            ask()
        server.faults.clear()
        assert raised.value.fault == "unreachable"
        assert not (tmp_path / "copy").exists()
    assert len(bucket.read("0.wav")) == 100_000


def test_a_body_of_another_length_than_announced(tmp_path: Path) -> None:
    for pieces in ([b"ab"], [b"ab", b"cd"], []):
        with pytest.raises(StorageError, match=r"calls/x: the answer broke off: \d of 3 bytes came\.") as raised:
            receive(pieces, tmp_path / "copy", size=3, max_bytes=9, where="s3://calls/x")
        assert raised.value.fault == "unreachable"
        assert not (tmp_path / "copy").exists()
        with pytest.raises(StorageError, match=r"calls/x: the answer broke off: \d of 3 bytes came\."):
            whole(pieces, size=3, where="s3://calls/x")


def test_a_body_that_does_not_say_its_length(s3: Bucket, server: S3Server) -> None:
    server.faults.add(without_length(when=is_get))
    with pytest.raises(StorageError, match=r"calls/0\.wav: the answer does not say how many bytes it has") as raised:
        s3.read("0.wav")
    assert raised.value.fault == "unreachable"


@pytest.mark.parametrize("store", ["s3", "google"])
def test_nobody_answers(store: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
        bucket: Bucket = request.getfixturevalue(store)
        monkeypatch.setenv("GOOGLE_BASE_URL", nowhere)
        asked = bucket if store == "google" else S3Bucket("calls", endpoint=nowhere)
        with pytest.raises(StorageError, match=r"it cannot be reached \((EndpointConnection|Generic)Error\)") as raised:
            list(asked.objects())
    assert raised.value.fault == "unreachable"


def test_no_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.archive.s3_client.READ_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        slow = S3Bucket("calls", endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(StorageError, match=r"it did not answer in time \(ReadTimeoutError\)") as raised:
            slow.read("x")
    assert raised.value.fault == "unreachable"


def test_what_passes_is_tried_again(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    bucket = S3Bucket("calls", endpoint=server.url)
    server.faults.add(slow_down())
    server.faults.add(dropped())
    assert len(list(bucket.objects())) == 5
    assert len(server.faults.requests) == 3


def test_a_put_that_is_refused_leaves_what_was_there(s3: Bucket, server: S3Server) -> None:
    s3.put("page", b"old")
    server.faults.add(error("403 Forbidden", "QuotaExceeded"))
    with pytest.raises(StorageError, match=r"s3://calls/page: there is no space left \(it said QuotaExceeded"):
        s3.put("page", b"new")
    assert s3.read("page") == b"old"
    s3.delete(["page"])


def test_azure_without_an_account() -> None:
    with pytest.raises(
        StorageError, match=r"az://calls/: no storage account is set \(GenericError\)\. Set AZURE_STOR"
    ) as it:
        list(open_bucket("az://calls").objects())
    assert it.value.fault == "denied"


def test_azure_with_a_key_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "very-secret!")
    with pytest.raises(StorageError, match=r"there are no usable credentials \(GenericError\)\. Check the cred") as it:
        list(open_bucket("az://calls").objects())
    assert "very-secret" not in str(it.value)


SYSTEM = [
    (errno.ENOSPC, "full", "no space left on device. Free space or raise the quota, and run again"),
    (errno.EDQUOT, "full", "disk quota exceeded. Free space"),
    (errno.EACCES, "denied", "permission denied. Check the credentials and what they may do here"),
    (errno.EROFS, "denied", "read-only file system. Check"),
    (errno.ENOENT, "missing", "no such file or directory. Check the name, or whether somebody removed it."),
    (errno.EIO, "unreachable", "input/output error. Check the network"),
    (errno.ESTALE, "unreachable", "stale file handle. Check"),
    (errno.ECONNRESET, "unreachable", "connection reset by peer. Check"),
    (errno.ENAMETOOLONG, "refused", "file name too long. The same request would be refused again: change what is"),
]


@pytest.mark.parametrize(("number", "fault", "message"), SYSTEM)
def test_errors_of_the_system(number: int, fault: str, message: str) -> None:
    made = storage_fault(OSError(number, os.strerror(number)), "/data/calls")
    assert made.fault == fault
    assert str(made).startswith(f"/data/calls: {message}")


def test_a_name_that_is_too_long_for_a_disk(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"…: file name too long\.") as raised:
        open_bucket(tmp_path).put("x" * 300, b"")
    assert raised.value.fault == "refused"


def test_errors_that_nobody_foresaw() -> None:
    made = storage_fault(RuntimeError("very-secret"), "s3://calls/")
    assert str(made).startswith("s3://calls/: fails in a way that is not foreseen (RuntimeError).")
    assert made.fault == "refused"
    assert storage_fault(TimeoutError(), "x").fault == "unreachable"
    assert storage_fault(made, "elsewhere") is made


@pytest.mark.parametrize("name", ["UnauthorizedSSOTokenError", "SSOTokenLoadError", "LoginRefreshRequired"])
def test_a_login_that_has_expired(name: str) -> None:
    import botocore.exceptions

    made = storage_fault(getattr(botocore.exceptions, name)(error_msg="x"), "s3://calls/")
    assert made.fault == "denied"
    assert f"the credentials have expired ({name}). Renew them" in str(made)


def test_faults_travel_between_processes() -> None:
    made = storage_fault(OSError(errno.ENOSPC, "No space left on device"), "/data")
    again = pickle.loads(pickle.dumps(made))
    assert (str(again), again.fault) == (str(made), "full")


def test_keys_in_messages_are_one_line_of_text() -> None:
    assert shown("a\n\x1b[31m\udcff\u202e😀é") == "a\\n\\x1b[31m\\udcff\\u202e😀é"
    assert len(shown("x" * 1000)) == 200
