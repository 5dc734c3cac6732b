"""What a bucket holds -> its calls, each with its row; and what is passed over, with the reason. One object at a time.

Without a manifest, a transcript beside a recording of the same name is not used, and results of earlier runs are no
recordings. Both are told from keys that are listed next to each other, so nothing but these few is held back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import splitext
from typing import Any

from pipeline.archive.bucket import Bucket, StoredObject
from pipeline.batch.places import local_folder
from pipeline.batch.rows import BucketManifest, default_dict, url_parts
from pipeline.listen.call_rows import RECORDING_SUFFIXES

__all__ = ["Found", "Skip", "calls_in", "why_not"]

Skip = Callable[[str, int], None]
"""Told of the reason why objects are passed over, and how many."""

OUTPUT = "the output of this batch"
RESULTS = "the results of an earlier run"
HIDDEN = "hidden"
NO_RECORDING = "no recording or captions by its name"
INSTEAD = "the recording of the same name is listened to instead"
UNLISTED = "not in the manifest"

TRANSCRIPTS = (".vtt", ".srt")
"""Transcripts that are told by their name; JSON and text files may be anything, so a manifest must name them."""
_KNOWN = frozenset((*RECORDING_SUFFIXES, *TRANSCRIPTS))
_RESULT = "scorecard.json"
_RESULT_STEMS = ("audio", "transcript")
_PART = re.compile(r"[0-9a-f]{16}/\Z")
"""In a bucket, the files of one version of a call lie in a folder that is named by a hash."""


@dataclass(frozen=True, slots=True)
class Found:
    """A call that the bucket holds. `etag` is empty where its manifest names an object that is not there; `files` are
    the etags, by key, of the transcript and the RTTM file that lie beside."""

    key: str
    etag: str
    size: int
    row: dict[str, Any]
    files: dict[str, str] = field(default_factory=dict)


def calls_in(bucket: Bucket, manifest: BucketManifest | None, out: str | Path, skip: Skip) -> Iterator[Found]:
    """The calls of a bucket, as they are listed; those of a manifest whose objects are not there come last.

    What lies in `out` is passed over, and so are hidden objects and what a folder is marked with. Raises StorageError.
    """
    objects = _outside(bucket.objects(), output_prefix(bucket.url, out), skip)
    return _unlisted(objects, skip) if manifest is None else _listed(objects, manifest, skip)


def output_prefix(source: str, out: str | Path) -> str | None:
    """What keys of the source begin with that lie in `out`; None where none does. Output that goes into the source
    itself is told by its names, as that of any earlier run."""
    inner, outer = local_folder(out), local_folder(source)
    if inner is not None and outer is not None:
        inside = inner != outer and inner.is_relative_to(outer)
        return f"{inner.relative_to(outer).as_posix()}/" if inside else None
    if inner is not None or outer is not None:
        return None
    below, above = (f"{url_parts(str(url))[0].rstrip('/')}/" for url in (out, source))
    return below.removeprefix(above) if below.startswith(above) and below != above else None


def _outside(objects: Iterable[StoredObject], output: str | None, skip: Skip) -> Iterator[StoredObject]:
    for one in objects:
        if output is not None and one.key.startswith(output):
            skip(OUTPUT, 1)
        elif not one.key.endswith("/"):  # the mark of an empty folder
            yield one


# --- by a manifest --------------------------------------------------------------------------------


def _listed(objects: Iterable[StoredObject], manifest: BucketManifest, skip: Skip) -> Iterator[Found]:
    """The calls of the manifest. Those with files beside wait for the end of the listing, which tells their etags."""
    left = dict(manifest.rows)
    files: dict[str, str] = {}
    waiting: list[tuple[StoredObject, str]] = []
    for one in objects:
        if one.key in manifest.companions:
            files[one.key] = one.etag
        text = left.pop(one.key, None)
        if text is None:
            if one.key not in manifest.companions:
                skip(UNLISTED, 1)
        elif manifest.companions and _beside(json.loads(text)):
            waiting.append((one, text))
        else:
            yield Found(one.key, one.etag, one.size, json.loads(text))
    for one, text in waiting:
        yield _with_files(one.key, one.etag, one.size, json.loads(text), files)
    for key, text in left.items():
        yield _with_files(key, "", 0, json.loads(text), files)


def _beside(row: dict[str, Any]) -> list[str]:
    """The keys of the files that a row names beside its recording."""
    return [row[name] for name in ("transcript", "rttm") if row["recording"] and row[name]]


def _with_files(key: str, etag: str, size: int, row: dict[str, Any], files: dict[str, str]) -> Found:
    return Found(key, etag, size, row, {name: files.get(name, "") for name in _beside(row)})


# --- by names alone -------------------------------------------------------------------------------


def _unlisted(objects: Iterable[StoredObject], skip: Skip) -> Iterator[Found]:
    """The calls that names tell of: objects of one stem, which are listed together, are looked at together."""
    group: list[StoredObject] = []
    stem = ""
    for one in _known(_without_results(objects, skip), skip):
        if group and not one.key.startswith(stem):
            yield from _group(group, skip)
            group = []
        if not group:
            stem = f"{splitext(one.key)[0]}."
        group.append(one)
    yield from _group(group, skip)


def _group(group: list[StoredObject], skip: Skip) -> Iterator[Found]:
    """The calls among objects that begin alike: recordings, and transcripts without a recording of their stem."""
    parts = [(one, *splitext(one.key)) for one in group]
    recordings = {stem for _, stem, suffix in parts if suffix.lower() not in TRANSCRIPTS}
    beside: dict[str, list[str]] = {}
    kept = []
    for one, stem, suffix in parts:
        if stem in recordings and suffix.lower() in TRANSCRIPTS:
            beside.setdefault(stem, []).append(one.key)
            skip(INSTEAD, 1)
        else:
            kept.append((one, stem))
    for one, stem in kept:
        yield Found(one.key, one.etag, one.size, default_dict(one.key, beside.get(stem, ())))


def _known(objects: Iterable[StoredObject], skip: Skip) -> Iterator[StoredObject]:
    """Objects with the name of a recording or of captions."""
    for one in objects:
        if reason := why_not(one.key):
            skip(reason, 1)
        else:
            yield one


def why_not(key: str) -> str | None:
    """Why an object of this name is passed over where no manifest names it; None where it is a call's."""
    if (key.startswith(".") or "/." in key) and _is_hidden(key):
        return HIDDEN
    return None if splitext(key)[1].lower() in _KNOWN else NO_RECORDING


def _is_hidden(key: str) -> bool:
    """Whether a name in the key begins with a dot; `..` and `.` are no names, but a key may hold them."""
    return any(part.startswith(".") and part.strip(".") for part in key.split("/"))


def _without_results(objects: Iterable[StoredObject], skip: Skip) -> Iterator[StoredObject]:
    """The objects without sound and captions that an earlier run wrote beside a scorecard. What has their names waits
    until its folder is listed to the end."""
    held: dict[str, list[StoredObject] | None] = {}  # folder -> what waits in it; None: it holds results
    for one in objects:
        for folder in [folder for folder in held if not one.key.startswith(folder)]:
            yield from held.pop(folder) or ()
        folder, name = _folder(one.key)
        if name == _RESULT:
            skip(RESULTS, 1 + len(held.get(folder) or ()))
            held[folder] = None
        elif splitext(name)[0] in _RESULT_STEMS:
            waiting = held.setdefault(folder, [])
            if waiting is None:
                skip(RESULTS, 1)
            else:
                waiting.append(one)
        else:
            yield one
    for rest in held.values():
        yield from rest or ()


def _folder(key: str) -> tuple[str, str]:
    """The call's folder that an object would lie in, with a slash at its end, and the object's name."""
    folder, slash, name = key.rpartition("/")
    return _PART.sub("", f"{folder}{slash}"), name
