"""S3 by its protocol: hostile keys, pages, credentials and endpoints, against a server on loopback."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.archive.bucket_s3 import S3Bucket
from pipeline.archive.buckets import open_bucket
from pipeline.errors import StorageError
from tests.archive.s3_server import CREDENTIALS, S3Server, error, is_listing, rewritten, s3_server

HOSTILE = [
    "../x", "../../../../tmp/x", "/abs", "//host/x", "a//b", "./a", "a/../b", "a/./b", "..", "a/..", ".", "~/x",
    "~root", "tab\tx", "return\rx", "\x01\x1b[31mred", "\x7f", "\x85", "nul\x00x", "\ufffe", "#x", "?x=1",
    "a%2Fb", "a%b", "a+b", "a b", " a ", "a\\b", "C:\\x", "emoji😀", "\u202eflac.exe", "x" * 1000,
    "Case", "case", "\u00e9", "e\u0301",
    "http://h/y?z#a", "<&>'\"", "*", "=1+1", "$(reboot)`x`;|", "-rf", "con", ".hidden",
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: S3Server) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server.faults.clear()


@pytest.mark.parametrize("prefix", ["", "/../pre fix#?%"])
def test_hostile_keys_are_what_they_are(prefix: str, server: S3Server, tmp_path: Path) -> None:
    bucket = open_bucket(server.bucket("hostile").replace("hostile?", f"hostile{prefix}?"))
    for key in HOSTILE:
        bucket.put(key, key.encode())
    found = {entry.key: entry for entry in bucket.objects()}
    assert sorted(found) == sorted(HOSTILE)
    for key in HOSTILE:
        assert found[key].size == len(key.encode())
        assert found[key].etag == hashlib.md5(key.encode()).hexdigest()
        assert bucket.fetch(key, tmp_path / "copy", max_bytes=3000) == hashlib.sha256(key.encode()).hexdigest()
        assert bucket.path(key) is None
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    bucket.delete(HOSTILE)
    assert list(bucket.objects()) == []


def test_pages_are_followed_to_the_end(server: S3Server) -> None:
    server.bucket("paged")
    bucket = S3Bucket("paged", "pre/", endpoint=server.url, page=3)
    keys = [f"{number:02}" for number in range(10)]
    for key in keys:
        bucket.put(key, b"")
    server.client().put_object(Bucket="paged", Key="prefix-of-another")
    server.client().put_object(Bucket="paged", Key="pre/folder/")
    server.faults.clear()
    assert [entry.key for entry in bucket.objects()] == keys
    assert len([asked for asked in server.faults.requests if "list-type=2" in asked]) == 4
    assert [entry.key for entry in bucket.objects("0")] == keys


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-11-22T08:36:30.000Z", "2026-11-22T08:36:30+00:00"),
        ("2026-11-22T08:36:30", "2026-11-22T08:36:30+00:00"),
        ("Sun, 22 Nov 2026 09:36:30 +0100", "2026-11-22T08:36:30+00:00"),
        ("1795336590", "2026-11-22T08:36:30+00:00"),
    ],
)
def test_times_as_stores_write_them(written: str, expected: str, server: S3Server) -> None:
    bucket = open_bucket(server.bucket("times"))
    bucket.put("x", b"")
    change = re.compile(rb"(?<=<LastModified>).*?(?=</LastModified>)")
    server.faults.add(rewritten(lambda body: change.sub(written.encode(), body), when=is_listing))
    assert [entry.modified for entry in bucket.objects()] == [expected]


def test_nothing_is_asked_before_it_is_needed(server: S3Server) -> None:
    found = S3Bucket("paged", endpoint=server.url, page=2).objects()
    assert server.faults.requests == []
    next(found)
    assert len(server.faults.requests) == 1


def test_deletes_in_batches_of_a_thousand(server: S3Server) -> None:
    bucket = open_bucket(server.bucket("many"))
    server.faults.clear()
    bucket.delete(f"{number}" for number in range(2001))
    assert server.faults.requests == ["POST /many?delete"] * 3


def test_deletes_one_by_one_where_the_store_knows_no_batches(server: S3Server) -> None:
    bucket = open_bucket(server.bucket("single"))
    for key in ("a", "b"):
        bucket.put(key, b"")
    server.faults.clear()
    server.faults.add(error("400 Bad Request", "MissingContentMD5"))
    bucket.delete(["a", "b"])
    assert server.faults.requests[1:] == ["DELETE /single/a?", "DELETE /single/b?"]
    assert list(bucket.objects()) == []


def test_a_key_that_cannot_be_deleted_is_named(server: S3Server) -> None:
    bucket = open_bucket(server.bucket("locked"))
    body = b"<DeleteResult><Error><Key>kept</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    server.faults.add(rewritten(lambda _: body))
    with pytest.raises(StorageError, match=r"s3://locked/kept: access is denied \(it said AccessDenied\)") as denied:
        bucket.delete(["kept"])
    assert denied.value.fault == "denied"


def test_a_key_that_is_no_text(server: S3Server) -> None:
    bucket = open_bucket(server.bucket("texts"))
    for ask in (bucket.read, lambda key: bucket.put(key, b""), lambda key: list(bucket.objects(key))):
        with pytest.raises(StorageError, match=r"s3://texts/\\udcff: is not UTF-8, as the keys of S3 are") as refused:
            ask("\udcff")
        assert refused.value.fault == "refused"


def test_a_store_that_lists_what_was_not_asked_for(server: S3Server) -> None:
    bucket = open_bucket(server.bucket("strange").replace("strange?", "strange/pre?"))
    bucket.put("x", b"")
    server.faults.add(rewritten(lambda body: body.replace(b"<Key>pre/x", b"<Key>other/x"), when=is_listing))
    with pytest.raises(StorageError, match="it lists 'other/x', which does not begin with what was asked for"):
        list(bucket.objects())


def test_the_endpoint_of_the_environment(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    open_bucket(server.bucket("calls")).put("x", b"from the environment")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, server.url)
        assert open_bucket("s3://calls").read("x") == b"from the environment"
        monkeypatch.delenv(name)


def test_an_endpoint_with_a_password_is_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://key:very-secret@127.0.0.1:1")
    with pytest.raises(
        StorageError, match=r"s3://calls/: the endpoint holds a user or password\. Take them out"
    ) as refused:
        open_bucket("s3://calls").read("x")
    assert "very-secret" not in str(refused.value)


def test_an_endpoint_that_is_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "minio")
    with pytest.raises(
        StorageError, match=r"the endpoint or the region cannot be used\. Check the endpoint"
    ) as refused:
        open_bucket("s3://calls").read("x")
    assert refused.value.fault == "refused"


def test_the_bucket_is_in_the_path_of_an_own_endpoint_alone(server: S3Server, tmp_path: Path) -> None:
    own = open_bucket("s3://calls?endpoint=https://store.example.org")._client
    assert own.meta.config.s3["addressing_style"] == "path"
    assert own.meta.config.request_checksum_calculation == "when_required"
    amazon = open_bucket("s3://calls?region=eu-central-1")._client
    assert amazon.meta.region_name == "eu-central-1"
    assert amazon.meta.endpoint_url == "https://s3.eu-central-1.amazonaws.com"
    assert (amazon.meta.config.s3 or {}).get("addressing_style") in (None, "auto")
    (tmp_path / "home/.aws").mkdir(parents=True)
    (tmp_path / "home/.aws/config").write_text("[profile other]\ns3 =\n  addressing_style = virtual\n")
    other = open_bucket("s3://calls?endpoint=https://store.example.org&profile=other")._client
    assert other.meta.config.s3["addressing_style"] == "virtual"


def test_retries_and_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    config = open_bucket("s3://calls")._client.meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 5}
    assert (config.connect_timeout, config.read_timeout) == (10, 60)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    assert open_bucket("s3://calls")._client.meta.config.retries == {"mode": "adaptive", "total_max_attempts": 2}


def test_credentials_of_a_profile(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home/.aws").mkdir(parents=True)
    (tmp_path / "home/.aws/credentials").write_text(
        "[recordings]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = very-secret\n"
    )
    client = open_bucket(f"s3://calls?endpoint={server.url}&profile=recordings")._client
    assert client._request_signer._credentials.access_key == "AKIAOTHER"
    with pytest.raises(
        StorageError, match=r"there are no usable credentials \(ProfileNotFound\)\. Check the cred"
    ) as denied:
        open_bucket("s3://calls?profile=none").read("x")
    assert denied.value.fault == "denied"


def test_half_a_pair_of_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StorageError, match=r"there are no usable credentials \(PartialCredentialsError\)"):
        open_bucket("s3://calls").read("x")


@pytest.mark.parametrize("asked", [True, False])
def test_a_public_bucket_without_credentials(asked: bool, server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.bucket("public")
    server.client().put_object(Bucket="public", Key="x", Body=b"for all", ACL="public-read")
    if asked:
        monkeypatch.setenv("AWS_NO_SIGN_REQUEST", "1")
    else:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    heard: list[bool] = []

    def noticing(environ: dict[str, object]) -> bool:
        heard.append("HTTP_AUTHORIZATION" in environ)
        return False

    server.faults.add(rewritten(lambda body: body, when=noticing))
    bucket = open_bucket(f"s3://public?endpoint={server.url}")
    assert bucket.read("x") == b"for all"
    assert heard == [False]
    server.faults.add(error("403 Forbidden", "AccessDenied"))
    with pytest.raises(
        StorageError, match=r"access is denied .* It was asked without credentials: none were found, or"
    ):
        bucket.read("x")
