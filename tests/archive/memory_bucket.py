"""A bucket in memory that fails when it is told to: for the tests of what lies in buckets."""

import hashlib
from pathlib import Path

from pipeline.archive.bucket import StoredObject
from pipeline.errors import StorageError


class MemoryBucket:
    """Fails with StorageError at operation number `fails_at` (from 1) and after; `done` are the operations so far."""

    url = "s3://memory/scores"

    def __init__(self):
        self.stored: dict[str, bytes] = {}
        self.done: list[tuple[str, str]] = []
        self.fails_at: int | None = None

    def objects(self, below=""):
        self._step("objects", below)
        for key in sorted(self.stored):
            if key.startswith(below):
                data = self.stored[key]
                yield StoredObject(key, len(data), hashlib.md5(data).hexdigest(), "2026-01-01T00:00:00Z")

    def fetch(self, key, path, *, max_bytes):
        data = self.read(key)
        Path(path).write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    def read(self, key):
        self._step("read", key)
        if key not in self.stored:
            raise StorageError(f"{key}: is not there", "missing")
        return self.stored[key]

    def put(self, key, content):
        self._step("put", key)
        self.stored[key] = content.read_bytes() if isinstance(content, Path) else content

    def delete(self, keys):
        for key in keys:
            self._step("delete", key)
            self.stored.pop(key, None)

    def _step(self, name, key):
        self.done.append((name, key))
        if self.fails_at is not None and len(self.done) >= self.fails_at:
            raise StorageError(f"{key}: {name} failed on purpose", "unreachable")
