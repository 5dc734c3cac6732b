"""Scored calls in a bucket, where nothing can be renamed: files lie under their hash, and one small file names those
that count. It is written last, so a call changes in one step; what it no longer names is deleted after.

    calls/CALL_ID/<first 16 of the SHA-256>/NAME        calls/CALL_ID/current.json
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.archive.bucket import OPTIONS, Bucket
from pipeline.archive.call_folder import Content, write_content
from pipeline.archive.name_search import NameSearch
from pipeline.archive.scores import checked_id, checked_names, is_sound
from pipeline.archive.scores_folder import told
from pipeline.archive.temporary import temporary_folder
from pipeline.errors import StorageError

_CURRENT = "current.json"
_SENDERS = 4
_READS = 3  # a writer may replace the version while it is read


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of the current version: the object's key, SHA-256 in hex, size in bytes."""

    key: str
    sha256: str
    size: int


class BucketScores:
    """The scored calls below a bucket's prefix; see `Scores`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    @property
    def url(self) -> str:
        """The bucket's URL."""
        return self._bucket.url

    def write(self, call_id: str, files: Mapping[str, Content], *, keep: Collection[str] = ()) -> None:
        """Send what is not there yet, then name the files that count, then delete what no longer does."""
        checked_names([*files, *keep])
        there = self._objects(checked_id(call_id))
        kept = self._kept(call_id, set(keep) - set(files), there) if keep else {}
        with temporary_folder() as folder:
            ready = {name: _ready(call_id, name, files[name], folder) for name in sorted(files)}
            self._send(ready, there)
        current = {**kept, **{name: stored for name, (stored, _) in ready.items()}}
        self._bucket.put(_key(call_id), _current_json(current))
        self._delete_others(call_id, current, there)

    def read(self, call_id: str, name: str) -> bytes:
        """A file's bytes, compared with the hash that was stored. Raises StorageError `refused` where it differs."""
        checked_names([name])
        stored = self._stored(call_id, name)
        for _ in range(_READS):
            try:
                return self._read(stored)
            except StorageError as error:
                before, stored = stored, self._stored(call_id, name)
                if error.fault != "missing" or stored == before:
                    raise
        return self._read(stored)

    def files(self, call_id: str) -> tuple[str, ...]:
        """The names of the call's files, sorted; one whose object somebody deleted is left out."""
        current = self._current(checked_id(call_id))
        there = self._objects(call_id) if current else {}
        return tuple(sorted(name for name, stored in current.items() if stored.key in there))

    def call_ids(self) -> Iterator[str]:
        """The ids of all calls, in the bucket's order."""
        for call_id, rest, _ in self._all():
            if rest == _CURRENT:
                yield call_id

    def remove(self, call_id: str) -> bool:
        """Delete all that there is of a call: first the file that names the others, so that nobody reads half of it."""
        there = self._objects(checked_id(call_id))
        if _key(call_id) in there:
            self._bucket.delete([_key(call_id)])
        self._bucket.delete([key for key in there if key != _key(call_id)])
        return bool(there)

    def sweep(self, call_id: str) -> None:
        """Delete what interrupted writers of the call left."""
        there = self._objects(checked_id(call_id))
        self._delete_others(call_id, self._current(call_id) if _key(call_id) in there else {}, there)

    def where(self, call_id: str, name: str) -> str:
        """The file's URL; for a file that is not current, the one that it would have below the call's prefix."""
        stored = self._current(call_id).get(name)
        return self._url(_key(call_id, name=name) if stored is None else stored.key)

    def search(self, text: str) -> Iterator[tuple[str, str]]:
        """The files that hold the text, each object below the calls' prefix."""
        search = NameSearch(text)
        last = None
        for call_id, rest, key in self._all():
            if call_id != last and search.is_in(call_id):
                yield call_id, ""
            last = call_id
            if search.is_in(rest) or (not is_sound(rest) and self._holds(key, search)):
                yield call_id, rest

    def _holds(self, key: str, search: NameSearch) -> bool:
        try:
            return search.is_in(self._bucket.read(key))
        except StorageError as error:
            if error.fault == "missing":  # deleted since it was listed
                return False
            raise

    def _all(self) -> Iterator[tuple[str, str, str]]:
        """Call id, rest of the key, key of every object of a call."""
        for one in self._bucket.objects("calls/"):
            call_id, slash, rest = one.key.removeprefix("calls/").partition("/")
            if slash:
                yield call_id, rest, one.key

    def _objects(self, call_id: str) -> dict[str, int]:
        """Key -> size in bytes of all that there is of a call."""
        return {one.key: one.size for one in self._bucket.objects(f"calls/{call_id}/")}

    def _send(self, ready: Mapping[str, tuple[StoredFile, bytes | Path]], there: Mapping[str, int]) -> None:
        """Store the files that are not there yet, some at the same time: a bucket is waited for, not computed."""
        new = [(one.key, data) for one, data in ready.values() if there.get(one.key) != one.size]
        if new:
            with ThreadPoolExecutor(min(_SENDERS, len(new))) as pool:
                list(pool.map(self._bucket.put, *zip(*new, strict=True)))

    def _kept(self, call_id: str, names: Collection[str], there: Mapping[str, int]) -> dict[str, StoredFile]:
        current = self._current(call_id) if _key(call_id) in there else {}
        kept = {name: stored for name, stored in current.items() if name in names}
        lost = sorted(stored.key for stored in kept.values() if stored.key not in there)
        if lost:
            raise StorageError(
                f"{self._url(_key(call_id))}: names {lost[0]}, which is not there, so it cannot be kept. "
                "Restore the object, or score the call again from its recording.",
                "missing",
            )
        return kept

    def _delete_others(self, call_id: str, current: Mapping[str, StoredFile], there: Mapping[str, int]) -> None:
        named = {_key(call_id), *(stored.key for stored in current.values())}
        others = [key for key in there if key not in named]
        if others:
            self._bucket.delete(others)

    def _stored(self, call_id: str, name: str) -> StoredFile:
        stored = self._current(checked_id(call_id)).get(name)
        if stored is None:
            raise StorageError(f"{self._url(_key(call_id))}: names no file {name}; score the call first.", "missing")
        return stored

    def _current(self, call_id: str) -> dict[str, StoredFile]:
        """File name -> entry of the current version; empty where there is no such call."""
        try:
            data = self._bucket.read(_key(call_id))
        except StorageError as error:
            if error.fault == "missing":
                return {}
            raise
        try:
            current = {name: StoredFile(**entry) for name, entry in json.loads(data).items()}
            if any(stored.key != _key(call_id, stored.sha256, name) for name, stored in current.items()):
                raise ValueError("a key is not one of this call")
        except (ValueError, TypeError, AttributeError) as error:
            raise StorageError(
                f"{self._url(_key(call_id))}: is not a list of the call's files ({error}). "
                "Restore it, or score the call again.",
                "refused",
            ) from error
        return current

    def _read(self, stored: StoredFile) -> bytes:
        data = self._bucket.read(stored.key)
        if hashlib.sha256(data).hexdigest() != stored.sha256:
            raise StorageError(
                f"{self._url(stored.key)}: its bytes are not those that were stored. "
                "Restore it, or score the call again.",
                "refused",
            )
        return data

    def _url(self, key: str) -> str:
        """The object's URL for people: without the options that open the bucket."""
        place = OPTIONS.sub("", self.url)
        return f"{place}{key}" if place.endswith("/") else f"{place}/{key}"


def _key(call_id: str, sha256: str = "", name: str = _CURRENT) -> str:
    """The key of a file; without a hash that of the file that names the others."""
    return f"calls/{call_id}/{sha256[:16]}/{name}" if sha256 else f"calls/{call_id}/{name}"


def _current_json(current: Mapping[str, StoredFile]) -> bytes:
    text = json.dumps({name: asdict(current[name]) for name in sorted(current)}, ensure_ascii=False, indent=1)
    return f"{text}\n".encode()


def _ready(call_id: str, name: str, content: Content, folder: Path) -> tuple[StoredFile, bytes | Path]:
    """The file's entry, and its bytes or the file in `folder` that holds them."""
    data: bytes | Path
    if isinstance(content, str | bytes):
        data = content.encode("utf-8") if isinstance(content, str) else content
        sha256, size = hashlib.sha256(data).hexdigest(), len(data)
    else:
        data = folder / name
        sha256, size = _made(data, content)
    return StoredFile(_key(call_id, sha256, name), sha256, size), data


def _made(path: Path, content: Content) -> tuple[str, int]:
    """Hash and size of the file that the content's function writes. Raises StorageError where the disk fails."""
    with told(path):
        write_content(path, content)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
