"""A folder as a bucket: keys are paths below it. Nothing outside of it is read or written, whatever a key says."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from pipeline.archive.bucket import StoredObject
from pipeline.archive.faults import fault, shown, storage_fault
from pipeline.archive.receiving import PIECE, receive

_LOG = logging.getLogger(__name__)
MAKING = ".making-"
"""How the name of a file begins while it is written; a listing leaves out all names that begin with a dot."""
_LAST_SECOND = 253402300799
"""Of the year 9999: a file's time may be any number, a date's may not."""


class FolderBucket:
    """A Bucket of files. A name with undecodable bytes is a key with surrogates, as Python has them."""

    def __init__(self, folder: Path) -> None:
        """The folder need not be there before something is stored."""
        self.folder = folder.expanduser().resolve()
        self._leading_out = 0
        self._start = len(str(self.folder).rstrip("/")) + 1

    @property
    def url(self) -> str:
        """file:///…, percent-quoted, so that any name is plain ASCII in it."""
        return self.folder.as_uri()

    def objects(self, below: str = "") -> Iterator[StoredObject]:
        """Regular files, sorted by key; in memory are the names of one folder and those above it.

        Names that begin with a dot are left out. A link to a file inside the folder counts, one that leads out does
        not; links to folders are not followed, since what lies inside is listed where it lies.
        """
        start = below.rpartition("/")[0]
        if start:
            self._check(start)
        folder = self.folder / start
        if start and (not folder.is_dir() or folder.resolve() != folder):
            return
        self._leading_out = 0
        for entry in _walk(str(folder)):
            found = self._stored(entry)
            if found and found.key.startswith(below):
                yield found
        if self._leading_out:
            _LOG.warning("%d links lead out of the folder and are left out", self._leading_out)

    def path(self, key: str) -> Path:
        """Where the file lies, to be read in place. Raises StorageError: `missing`, or `refused` where it leads out."""
        path = self._inside(key)
        try:
            if not S_ISREG(path.stat().st_mode):
                raise fault(path, "is not a file", "refused")
        except OSError as error:
            raise storage_fault(error, path) from error
        return path

    def fetch(self, key: str, path: Path, *, max_bytes: int) -> str:
        """A copy of the file at `path`, and its SHA-256 in hex."""
        source = self.path(key)
        try:
            with source.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                return receive(_pieces(file, source), path, size=size, max_bytes=max_bytes, where=str(source))
        except OSError as error:
            raise storage_fault(error, source) from error

    def read(self, key: str) -> bytes:
        """The file's bytes."""
        source = self.path(key)
        try:
            return source.read_bytes()
        except OSError as error:
            raise storage_fault(error, source) from error

    def put(self, key: str, content: bytes | Path) -> None:
        """Written beside its place under another name, then renamed."""
        target = self._inside(key)
        if isinstance(content, Path) and not content.exists():
            raise fault(content, "there is no such file", "missing")
        for attempt in range(3):
            try:
                _write_beside(target, content)
                return
            except OSError as error:
                if attempt < 2 and isinstance(error, FileNotFoundError):
                    continue  # `delete` took the empty folder away before the file was in it
                raise storage_fault(error, target) from error

    def delete(self, keys: Iterable[str]) -> None:
        """The files, and the folders that are empty then: their names are personal data as much."""
        for key in keys:
            target = self._inside(key)
            try:
                target.unlink(missing_ok=True)
                self._drop_empty(target.parent)
            except NotADirectoryError:
                continue
            except OSError as error:
                raise storage_fault(error, target) from error

    def _check(self, key: str) -> None:
        """Raise StorageError for a key that cannot be a path below the folder."""
        if "\x00" in key or any(part in ("", ".", "..") for part in key.split("/")):
            raise fault(self.folder, f"cannot hold {shown(key)!r}: a key here is a path below the folder", "refused")

    def _inside(self, key: str) -> Path:
        """The key's path. Raises StorageError where it would lead out of the folder, by its parts or by links."""
        self._check(key)
        path = self.folder / key
        try:
            real = path.resolve()
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
            raise fault(path, "cannot be followed: its links go round in a circle", "refused") from error
        if not real.is_relative_to(self.folder):
            raise fault(path, "is a link that leads out of the folder", "refused", "Put the file itself here.")
        return path

    def _stored(self, entry: os.DirEntry[str]) -> StoredObject | None:
        """None for a file that has gone meanwhile, for what is not a file, and for a link that leads out."""
        try:
            if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(self.folder):
                self._leading_out += 1
                return None
            found = entry.stat()
        except (FileNotFoundError, RuntimeError):  # RuntimeError: links in a circle
            return None
        except OSError as error:
            raise storage_fault(error, entry.path) from error
        if not S_ISREG(found.st_mode):
            return None
        seconds = min(max(found.st_mtime, 0), _LAST_SECOND)
        modified = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
        key = entry.path[self._start :]
        return StoredObject(key, found.st_size, f"{found.st_size}-{found.st_mtime_ns}", modified)

    def _drop_empty(self, folder: Path) -> None:
        while folder != self.folder:
            try:
                folder.rmdir()
            except OSError:  # not empty, or not ours to remove: both are no reason to fail
                return
            folder = folder.parent


def _walk(folder: str) -> Iterator[os.DirEntry[str]]:
    """Files and links, sorted by key; by a stack of folders and not by calls, as a tree may be a thousand deep."""
    waiting = [_entries(folder)]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
        elif _is_folder(entry):
            waiting.append(_entries(entry.path, may_be_gone=True))
        else:
            yield entry


def _entries(folder: str, *, may_be_gone: bool = False) -> Iterator[os.DirEntry[str]]:
    """What a folder holds, as its keys are sorted: a folder's begin with its name and a slash."""
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry in found if not entry.name.startswith(".")]
    except FileNotFoundError as error:
        if may_be_gone:
            return iter(())
        raise storage_fault(error, folder) from error
    except OSError as error:
        raise storage_fault(error, folder) from error
    return iter(sorted(entries, key=lambda entry: f"{entry.name}/" if _is_folder(entry) else entry.name))


def _pieces(file: BinaryIO, source: Path) -> Iterator[bytes]:
    """An error in reading is the source's; one in writing is that of the file that is written."""
    try:
        while piece := file.read(PIECE):
            yield piece
    except OSError as error:
        raise storage_fault(error, source) from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _write_beside(target: Path, content: bytes | Path) -> None:
    missing = list(takewhile(lambda folder: not folder.exists(), target.parents))
    for folder in reversed(missing):  # mkdir(parents=True) calls itself for each of them, and there may be a thousand
        folder.mkdir(exist_ok=True)
    making = target.with_name(f"{MAKING}{secrets.token_hex(8)}")
    try:
        with making.open("xb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                with content.open("rb") as source:
                    shutil.copyfileobj(source, file, PIECE)
        making.replace(target)
    finally:
        making.unlink(missing_ok=True)
