"""What is known of each recording of a bucket: the manifest's row, or what its key tells. Plain values, keys for paths.

A key names an object and never a path of ours: `../a.wav` is matched with an object of that name or with none.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from posixpath import splitext
from typing import Any, Protocol

from pipeline.archive.bucket import OPTIONS, Bucket
from pipeline.archive.buckets import open_bucket
from pipeline.archive.temporary import temporary_folder
from pipeline.batch.places import local_folder
from pipeline.errors import ManifestError, StorageError
from pipeline.listen.call_rows import CallRow, not_used, unlisted_row
from pipeline.listen.captions import TRANSCRIPT_FORMATS
from pipeline.listen.manifest import KeyedRow, read_keyed_manifest
from pipeline.listen.manifest_cells import is_odd_path
from pipeline.listen.table import MAX_BYTES

__all__ = ["BucketManifest", "default_dict", "read_bucket_manifest", "row_dict", "row_of", "url_parts"]

FILES = ("recording", "transcript", "rttm")
"""The columns whose cells name objects."""
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ALWAYS = (*FILES, "call_id", "call_type")
_DEFAULTS = {one.name: one.default for one in fields(CallRow) if one.name not in _ALWAYS}
"""The fields of a row that are left out of its plain form where they have their default."""


# --- rows as plain values -------------------------------------------------------------------------


def row_dict(
    row: CallRow, *, recording: str | None = None, transcript: str | None = None, rttm: str | None = None
) -> dict[str, Any]:
    """The row as plain JSON values, with keys of objects in place of paths; it names people.

    `recording`, `transcript`, `rttm`, `call_id` and `call_type` are always there, other fields where the manifest gives
    them. Lists stand for tuples.
    """
    return {name: _plain(value) for name, value in _values(row, recording, transcript, rttm).items()}


def row_of(
    values: Mapping[str, Any],
    *,
    recording: Path | None = None,
    transcript: Path | None = None,
    rttm: Path | None = None,
) -> CallRow:
    """The row that `row_dict` made, with the paths at which its objects were put. A field that this version does not
    know is left out."""
    known = {name: _tuples(values[name]) for name in ("call_id", "call_type", *_DEFAULTS) if name in values}
    return CallRow(recording=recording, transcript=transcript, rttm=rttm, **known)


def default_dict(key: str, beside: Sequence[str] = ()) -> dict[str, Any]:
    """The row of an object that no manifest describes, by its name alone. `beside` are the keys of transcripts that are
    not used, which is said."""
    stem, suffix = splitext(_name(key))
    place = "transcript" if suffix.lower() in TRANSCRIPT_FORMATS else "recording"
    values = row_dict(unlisted_row(stem), **{place: key})
    return {**values, "defaults": [*values["defaults"], *(not_used(_name(one)) for one in beside)]}


def _values(row: CallRow, recording: str | None, transcript: str | None, rttm: str | None) -> dict[str, Any]:
    """The plain form, but with tuples, which JSON writes as lists."""
    files = {"recording": recording, "transcript": transcript, "rttm": rttm}
    known = {"call_id": row.call_id, "call_type": row.call_type}
    return {**files, **known, **{name: it for name in _DEFAULTS if (it := getattr(row, name)) != _DEFAULTS[name]}}


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


# --- manifests ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BucketManifest:
    """A manifest whose files are objects of a bucket. `name` is its path or URL, `rows` its rows by key as JSON text,
    so that a million of them fit into memory. `companions` are the keys of transcripts and RTTM files that rows name
    beside their recording, `call_types` those that rows have; `warnings` are sentences about doubtful columns."""

    name: str
    rows: Mapping[str, str]
    companions: frozenset[str] = frozenset()
    call_types: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """A fingerprint of which recordings it lists, whatever it says of them."""
        digest = hashlib.sha256()
        for key in self.rows:
            digest.update(f"{key}\0".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def read_bucket_manifest(manifest: str | Path, bucket: Bucket) -> BucketManifest:
    """The manifest at a path, or that of a URL, for the recordings of `bucket`.

    Its cells name objects by their key below the bucket's prefix, or by their whole URL. Where the bucket is a folder,
    they are paths relative to the manifest's own folder if that lies in it or above it, as for `ridealong score`, else
    relative to the bucket's. Raises ManifestError with every fault at once, StorageError where a store fails.
    """
    path = local_folder(manifest)
    if path is not None:
        return _read(path, str(manifest), _keys(bucket.url, path.parent))
    with temporary_folder() as temporary:
        path = temporary / "manifest.csv"
        _fetch(str(manifest), bucket, path)
        return _read(path, str(manifest), _keys(bucket.url, None))


def _fetch(url: str, bucket: Bucket, path: Path) -> None:
    """The manifest at a URL; of the bucket's own store where the URL names no other."""
    place, options = url_parts(url)
    source, source_options = url_parts(bucket.url)
    folder, _, name = place.rpartition("/")
    is_same = place.split("/")[:3] == source.split("/")[:3]
    store = open_bucket(folder + (options or (source_options if is_same else "")))
    try:
        store.fetch(name, path, max_bytes=MAX_BYTES)
    except StorageError as error:
        if error.fault not in ("missing", "refused"):
            raise
        raise ManifestError(url, [str(error)], "Give the URL of the manifest, a CSV file.") from error


def url_parts(url: str) -> tuple[str, str]:
    """A bucket's URL without its options, and the options with their question mark, empty without any."""
    options = OPTIONS.search(url)
    return (url, "") if options is None else (url[: options.start()], options[0])


def _read(path: Path, name: str, keys: _Keys) -> BucketManifest:
    rows: dict[str, str] = {}
    companions: set[str] = set()
    call_types: set[str] = set()

    def keep(row: KeyedRow) -> None:
        files = row.files
        rows[row.key] = _ENCODE(_values(row.row, files.recording, files.transcript, files.rttm))
        companions.update(key for key in (files.transcript, files.rttm) if key and key != row.key)
        call_types.add(row.row.call_type)

    warnings = read_keyed_manifest(path, keys, allowed=keys.allowed, name=name, keep=keep)
    return BucketManifest(name, rows, frozenset(companions), frozenset(call_types), warnings)


# --- cells as keys --------------------------------------------------------------------------------


class _Keys(Protocol):
    """A cell in, the key out; ValueError says what is wrong with the cell, `allowed` what would not be."""

    @property
    def allowed(self) -> str: ...

    def __call__(self, cell: str) -> str: ...


def _keys(url: str, beside: Path | None) -> _Keys:
    """How cells of a manifest in the folder `beside` name the objects of the bucket at `url`."""
    folder = local_folder(url)
    if folder is None:
        return _ObjectKeys(f"{url_parts(url)[0].rstrip('/')}/")
    if beside is not None and beside.is_relative_to(folder):
        return _FolderKeys(folder, below=_way(beside.relative_to(folder)))
    if beside is not None and folder.is_relative_to(beside):
        return _FolderKeys(folder, above=_way(folder.relative_to(beside)))
    return _FolderKeys(folder)


def _way(path: Path) -> str:
    return "" if path == Path() else f"{path.as_posix()}/"


@dataclass(frozen=True, slots=True)
class _ObjectKeys:
    """Keys below `root`, which ends in a slash. A key is taken as it is: it matches an object, or none."""

    root: str

    @property
    def allowed(self) -> str:
        return f"the key of an object below {self.root}, or its whole URL"

    def __call__(self, cell: str) -> str:
        if _URL.match(cell) is None:
            return cell
        if not cell.startswith(self.root) or cell == self.root:
            raise ValueError(f"does not lie below {self.root}")
        return cell.removeprefix(self.root)


@dataclass(frozen=True, slots=True)
class _FolderKeys:
    """Keys below a folder. `below` is the way from it to the manifest's folder; where that one lies above it, `above`
    is the way from there, which a cell may begin with or leave out."""

    folder: Path
    below: str = ""
    above: str = ""

    @property
    def allowed(self) -> str:
        return f"a path inside {self.folder}, with '/' between folders"

    def __call__(self, cell: str) -> str:
        if cell.startswith("file://"):
            return self._of_url(cell)
        if is_odd_path(cell):
            raise ValueError("is no such path")
        if ".." in cell.split("/"):
            raise ValueError("leaves the folder")
        plain = str(PurePosixPath(cell))
        if self.above and plain.startswith(self.above):
            return plain.removeprefix(self.above)
        return f"{self.below}{plain}"

    def _of_url(self, cell: str) -> str:
        path = local_folder(cell)
        if path is None or not path.is_relative_to(self.folder) or path == self.folder:
            raise ValueError(f"does not lie below {self.folder}")
        return path.relative_to(self.folder).as_posix()
