"""A recording of the ledger in, its objects as files out: fetched from a bucket, or read where they lie in a folder."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.archive.bucket_folder import FolderBucket
from pipeline.archive.faults import storage_fault
from pipeline.archive.receiving import check_size
from pipeline.archive.recordings import Recording
from pipeline.batch.desk import Desk, patiently
from pipeline.batch.rows import row_of
from pipeline.errors import MediaError, StorageError
from pipeline.listen.call_rows import CallRow

__all__ = ["Fetched", "fetch", "named_for_people", "places_for", "row_for"]

_SAFE_NAME = re.compile(r"[\w-][\w .()+,=@&-]{0,99}")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A recording's objects as files: its row with their paths, and the SHA-256 of the recording in hex."""

    row: CallRow
    sha256: str


def row_for(recording: Recording) -> CallRow:
    """The recording's row without any file; the id is the ledger's, which is unique."""
    return replace(row_of(recording.row), call_id=recording.call_id)


def places_for(recording: Recording, folder: Path) -> dict[str, tuple[str, Path]]:
    """By column of the row, the key and the place in `folder` of the recording and of what its row names beside it."""
    keys = {kind: key for kind in ("recording", "transcript", "rttm") if (key := recording.row.get(kind))}
    return {kind: (key, folder / kind / _file_name(key, kind)) for kind, key in keys.items()}


def fetch(desk: Desk, recording: Recording, places: Mapping[str, tuple[str, Path]]) -> Fetched:
    """The recording's objects, put at their places.

    Raises MediaError where one is not there or too large, StorageError where the bucket fails.
    """
    found = {kind: _fetched(desk, key, path) for kind, (key, path) in places.items()}
    row = row_of(recording.row, **{kind: path for kind, (path, _) in found.items()})
    main = "recording" if "recording" in found else "transcript"
    return Fetched(replace(row, call_id=recording.call_id), found[main][1])


def _fetched(desk: Desk, key: str, path: Path) -> tuple[Path, str]:
    """Where the object can be read, which is `path` unless it is a file already, and its SHA-256."""
    most = desk.place.settings.limits.max_bytes
    try:
        if isinstance(desk.bucket, FolderBucket):
            return _in_place(desk.bucket.path(key), most)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return path, patiently(lambda: desk.bucket.fetch(key, path, max_bytes=most))
    except StorageError as error:
        if error.fault in ("missing", "refused"):  # this object's own fault: the others can be had
            raise MediaError(str(error)) from error
        raise


def _in_place(path: Path, most: int) -> tuple[Path, str]:
    """The file, to be read where it lies, and its SHA-256. Raises StorageError where its disk fails."""
    try:
        with path.open("rb") as file:
            check_size(os.fstat(file.fileno()).st_size, most, str(path))
            return path, hashlib.file_digest(file, "sha256").hexdigest()
    except PermissionError as error:  # of one file, where the folder can be listed
        raise MediaError(f"{path}: cannot be read ({error.strerror}). Check that you may read this file.") from error
    except OSError as error:
        raise storage_fault(error, path) from error


def _file_name(key: str, kind: str) -> str:
    """The last part of the key where it is a plain name, which some formats are told by; else one that is."""
    name = key.rpartition("/")[2]
    if _SAFE_NAME.fullmatch(name) and not name.endswith((" ", ".")):
        return name
    suffix = _SUFFIX.search(name[-11:])
    return kind + (suffix.group() if suffix and name.endswith(suffix.group()) else "")


def named_for_people(key: str) -> str:
    """The key with whatever cannot be printed or stored as text replaced."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in key)
