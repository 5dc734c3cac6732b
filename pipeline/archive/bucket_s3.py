"""S3, and what speaks its protocol: MinIO, Ceph, R2, Google's interoperable access. By boto3.

Not by obstore, which cannot list a bucket in which one key holds `..`, an empty segment or a control character: one
hostile key would stop a batch. Here any key is listed, fetched and stored as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipeline.archive.bucket import StoredObject
from pipeline.archive.faults import fault, of_code, shown, storage_fault
from pipeline.archive.receiving import PIECE, receive, whole
from pipeline.archive.s3_client import is_unsigned, make_client
from pipeline.errors import StorageError

PAGE = 1000
"""Objects of one page of a listing and of one request to delete: the most that S3 allows."""
_NOT_IN_XML = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
_NO_BATCHES = {"NotImplemented", "MissingContentMD5", "MethodNotAllowed", "InvalidRequest", "MalformedXML"}


class S3Bucket:
    """A Bucket of the S3 protocol. Nothing is asked of it before the first method is called."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        page: int = PAGE,
    ) -> None:
        """`prefix` is taken as it is: end it with a slash."""
        self._bucket, self._prefix, self._page = bucket, prefix, page
        self._options = {"endpoint": endpoint, "region": region, "profile": profile}
        self._base = f"s3://{bucket}/{prefix}"

    @property
    def url(self) -> str:
        """The URL that opens it again; endpoint, region and profile are in it where they were given."""
        query = "&".join(f"{name}={quote(value, safe=':/')}" for name, value in self._options.items() if value)
        place = self._base if self._base.endswith("//") else self._base.removesuffix("/")
        return f"{place}?{query}" if query else place

    def objects(self, below: str = "") -> Iterator[StoredObject]:
        """All objects, by key as UTF-8. Keys that end in '/' are folders' markers and are left out."""
        token: str | None = None
        while True:
            page = self._listed(below, token)
            for entry in page.get("Contents", ()):
                if not entry["Key"].endswith("/"):
                    yield self._stored(entry)
            if not page["IsTruncated"]:
                return
            token = self._next(page, token)

    def fetch(self, key: str, path: Path, *, max_bytes: int) -> str:
        """The object's bytes at `path`, and their SHA-256 in hex."""
        size, body = self._get(key)
        with closing(body):
            return receive(self._pieces(key, body), path, size=size, max_bytes=max_bytes, where=self._where(key))

    def read(self, key: str) -> bytes:
        """The object's bytes."""
        size, body = self._get(key)
        with closing(body):
            return whole(self._pieces(key, body), size=size, where=self._where(key))

    def put(self, key: str, content: bytes | Path) -> None:
        """One request, which S3 makes visible whole or not at all. At most 5 GiB."""
        name = self._name(key)
        if isinstance(content, bytes):
            with self._asking(key):
                self._client.put_object(Bucket=self._bucket, Key=name, Body=content)
            return
        try:
            body = content.open("rb")
        except OSError as error:
            raise storage_fault(error, content) from error
        with body, self._asking(key):
            self._client.put_object(Bucket=self._bucket, Key=name, Body=body)

    def delete(self, keys: Iterable[str]) -> None:
        """In batches of 1,000; one by one where the store knows no batches, or XML cannot carry the key."""
        remaining = iter(keys)
        while batch := list(islice(remaining, PAGE)):
            together = [key for key in batch if not _NOT_IN_XML.search(key)]
            alone = [key for key in batch if _NOT_IN_XML.search(key)]
            if together and not self._delete_together(together):
                alone = batch
            for key in alone:
                with self._asking(key):
                    self._client.delete_object(Bucket=self._bucket, Key=self._name(key))

    def path(self, key: str) -> None:
        """None: an object lies on no disk of ours."""

    @cached_property
    def _client(self) -> Any:
        return make_client(self._base, **self._options)

    def _where(self, key: str) -> str:
        return self._base + key

    def _name(self, key: str) -> str:
        """The object's own key. Raises StorageError where it is not text that UTF-8 can carry."""
        try:
            key.encode("utf-8")
        except UnicodeEncodeError:
            raise fault(self._where(key), "is not UTF-8, as the keys of S3 are", "refused", "Rename it.") from None
        return self._prefix + key

    def _listed(self, below: str, token: str | None) -> dict[str, Any]:
        """One page. Asked for here and not by boto3's paginator, which takes a page without its token for the last."""
        more = {"ContinuationToken": token} if token else {}
        name = self._name(below)
        with self._asking():
            page: dict[str, Any] = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=name, MaxKeys=self._page, **more
            )
        if "IsTruncated" not in page:  # an empty body, or the page of a proxy: both are parsed without an error
            raise fault(self._base, "the listing broke off: its answer is not what a store says", "unreachable")
        return page

    def _next(self, page: dict[str, Any], token: str | None) -> str:
        following: str | None = page.get("NextContinuationToken")
        if not following or following == token:
            raise fault(
                self._base, "the listing broke off: there is more of it, but no way to ask for that", "unreachable"
            )
        return following

    def _stored(self, entry: dict[str, Any]) -> StoredObject:
        key: str = entry["Key"]
        if not key.startswith(self._prefix):
            raise fault(self._base, f"it lists {shown(key)!r}, which does not begin with what was asked for", "refused")
        modified = entry["LastModified"].astimezone(UTC).isoformat(timespec="seconds")
        return StoredObject(key[len(self._prefix) :], entry["Size"], entry["ETag"].strip('"'), modified)

    def _get(self, key: str) -> tuple[int, Any]:
        """The size announced, and the open body."""
        name = self._name(key)
        with self._asking(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=name)
        if "ContentLength" not in answer:
            raise fault(self._where(key), "the answer does not say how many bytes it has", "unreachable")
        return answer["ContentLength"], answer["Body"]

    def _pieces(self, key: str, body: Any) -> Iterator[bytes]:
        with self._asking(key):
            yield from body.iter_chunks(PIECE)

    def _delete_together(self, keys: list[str]) -> bool:
        """Whether the store knows how to delete many at once."""
        objects = [{"Key": self._name(key)} for key in keys]
        try:
            with self._asking():
                answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
        except StorageError as error:
            if getattr(error.__cause__, "response", {}).get("Error", {}).get("Code") in _NO_BATCHES:
                return False
            raise
        for failed in answer.get("Errors", ()):
            if failed.get("Code") != "NoSuchKey":
                raise of_code(failed.get("Code", ""), None, f"s3://{self._bucket}/{failed.get('Key', '')}")
        return True

    @contextmanager
    def _asking(self, key: str = "") -> Iterator[None]:
        """What goes wrong inside is raised as a StorageError."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except (BotoCoreError, ClientError, ResponseParserError, HTTPError, OSError) as error:
            raise self._named(storage_fault(error, self._where(key))) from error

    def _named(self, error: StorageError) -> StorageError:
        """Says so where nobody's credentials were refused."""
        if error.fault != "denied" or not is_unsigned(self._client):
            return error
        return StorageError(
            f"{error} It was asked without credentials: none were found, or AWS_NO_SIGN_REQUEST is set.", "denied"
        )
