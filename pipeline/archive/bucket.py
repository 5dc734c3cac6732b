"""Where recordings come from and scorecards go: a folder, S3 or what speaks its protocol, Google Cloud Storage, Azure.

A key is any text that a store allows, `../` and line breaks included: it names an object and never a path of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

OPTIONS = re.compile(r"\?[A-Za-z_]+=.*$", re.DOTALL)
"""The options at the end of a bucket's URL, as ?endpoint=…; a key may hold a question mark too."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object: `key` below the bucket's prefix, `size` in bytes, `etag` whatever the store calls this version of it
    (a folder gives size and time of change), `modified` in ISO 8601, UTC."""

    key: str
    size: int
    etag: str
    modified: str


class Bucket(Protocol):
    """A store of objects below one prefix. Every method raises StorageError; keys are relative to the prefix."""

    @property
    def url(self) -> str:
        """The URL that opens it again, without credentials."""

    def objects(self, below: str = "") -> Iterator[StoredObject]:
        """All objects, or those whose key begins with `below`, page by page, in the store's order; keys are whole all
        the same. A listing that breaks off raises: it never ends early."""

    def fetch(self, key: str, path: Path, *, max_bytes: int) -> str:
        """Write the object to `path` piece by piece; the SHA-256 of its bytes, in hex.

        Raises StorageError `missing` where there is none, `refused` where it has more than `max_bytes`.
        """

    def read(self, key: str) -> bytes:
        """The object's bytes. Raises StorageError `missing` where there is none."""

    def put(self, key: str, content: bytes | Path) -> None:
        """Store an object, whole or not at all; one of the same key is replaced."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""

    def path(self, key: str) -> Path | None:
        """Where the object lies as a file that may be read in place; None where it must be fetched.

        Raises StorageError `missing` where a folder has none, `refused` where the key leads out of it.
        """
