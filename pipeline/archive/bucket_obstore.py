"""Google Cloud Storage and Azure Blob Storage, by obstore.

Its keys are paths: one with `.`, `..`, nothing between two slashes or a control character is refused, with its name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.archive.bucket import StoredObject
from pipeline.archive.faults import UNUSABLE, fault, storage_fault
from pipeline.archive.receiving import PIECE, receive, whole
from pipeline.errors import StorageError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

GOOGLE, AZURE = "gs", "az"
PAGE = 1000
ENDPOINTS = ("GOOGLE_BASE_URL", "AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")
"""Variables that name another endpoint; http:// is allowed where one of them asks for it."""
TIMEOUTS = {
    "connect_timeout": timedelta(seconds=10),
    "read_timeout": timedelta(seconds=60),
    "timeout": timedelta(hours=1),
}
"""obstore's own limit for a whole request is 30 s, too short for an hour's recording over a slow line."""
RETRIES = {"max_retries": 5, "retry_timeout": timedelta(minutes=2)}


class ObstoreBucket:
    """A Bucket of what obstore reaches. Nothing is asked of it before the first method is called."""

    def __init__(self, scheme: str, bucket: str, prefix: str = "", *, store: ObjectStore | None = None) -> None:
        """`prefix` ends with a slash or is empty; `store` takes the place of the one that the scheme names."""
        self._scheme, self._bucket, self._prefix, self._given = scheme, bucket, prefix, store
        self._base = f"{scheme}://{bucket}/{prefix}"

    @property
    def url(self) -> str:
        """The URL that opens it again."""
        return self._base.removesuffix("/")

    def objects(self, below: str = "") -> Iterator[StoredObject]:
        """All objects. Raises StorageError `refused`, naming the key, where obstore cannot carry one of them."""
        import obstore

        folder = (self._prefix + below).rpartition("/")[0]  # obstore lists below whole segments only
        with self._asking():
            for page in obstore.list(self._store, prefix=folder or None, chunk_size=PAGE):
                yield from (self._stored(found) for found in page if found["path"].startswith(self._prefix + below))

    def fetch(self, key: str, path: Path, *, max_bytes: int) -> str:
        """The object's bytes at `path`, and their SHA-256 in hex."""
        size, pieces = self._get(key)
        return receive(pieces, path, size=size, max_bytes=max_bytes, where=self._base + key)

    def read(self, key: str) -> bytes:
        """The object's bytes."""
        size, pieces = self._get(key)
        return whole(pieces, size=size, where=self._base + key)

    def put(self, key: str, content: bytes | Path) -> None:
        """Visible whole or not at all, in several requests where the file is large."""
        import obstore

        if isinstance(content, Path) and not content.is_file():
            raise fault(content, "there is no such file", "missing")
        name = self._name(key)
        with self._asking(key):
            obstore.put(self._store, name, content)

    def delete(self, keys: Iterable[str]) -> None:
        """One request an object, several at a time; one that is not there is no error."""
        import obstore

        names = (self._name(key) for key in keys)
        while batch := list(islice(names, PAGE)):
            try:
                with self._asking():
                    obstore.delete(self._store, batch)
            except StorageError as error:
                if error.fault != "missing":
                    raise
                for name in batch:  # whether the others of the batch went is not said
                    self._delete_one(name)

    def path(self, key: str) -> None:
        """None: an object lies on no disk of ours."""

    @cached_property
    def _store(self) -> ObjectStore:
        if self._given is not None:
            return self._given
        from obstore.store import AzureStore, GCSStore

        client = {**TIMEOUTS, "allow_http": any(os.environ.get(name, "").startswith("http://") for name in ENDPOINTS)}
        options: dict[str, Any] = {"client_options": client, "retry_config": dict(RETRIES)}
        with self._asking():
            if self._scheme == GOOGLE:
                return GCSStore(self._bucket, **options)
            return AzureStore(self._bucket, **options)

    def _name(self, key: str) -> str:
        """The object's own name. Raises StorageError for one that obstore would change or refuse."""
        parts = key.split("/")
        if (
            any(part in ("", ".", "..") for part in parts)
            or any(c < " " or c == "\x7f" for c in key)
            or not _is_utf8(key)
        ):
            raise fault(self._base + key, UNUSABLE, "refused", "Rename the object.")
        return self._prefix + key

    def _stored(self, found: Any) -> StoredObject:
        modified = found["last_modified"].astimezone(UTC).isoformat(timespec="seconds")
        etag = (found["e_tag"] or "").strip('"') or f"{found['size']}-{modified}"
        return StoredObject(found["path"][len(self._prefix) :], found["size"], etag, modified)

    def _get(self, key: str) -> tuple[int, Iterator[bytes]]:
        """The size announced, and the bytes as they come."""
        import obstore

        name = self._name(key)
        with self._asking(key):
            answer = obstore.get(self._store, name)
            return answer.meta["size"], self._pieces(key, answer)

    def _pieces(self, key: str, answer: Any) -> Iterator[bytes]:
        with self._asking(key):
            for piece in answer.stream(min_chunk_size=PIECE):
                yield bytes(piece)

    def _delete_one(self, name: str) -> None:
        import obstore

        try:
            with self._asking(name.removeprefix(self._prefix)):
                obstore.delete(self._store, name)
        except StorageError as error:
            if error.fault != "missing":
                raise

    @contextmanager
    def _asking(self, key: str = "") -> Iterator[None]:
        """What goes wrong inside is raised as a StorageError; without its cause, whose text holds signed URLs."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise storage_fault(error, self._base + key) from None


def _is_utf8(key: str) -> bool:
    try:
        key.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
