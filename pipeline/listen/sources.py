"""What the user names on the command line -> the calls to score, and what was passed over with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.listen.call_rows import (
    RECORDING_SUFFIXES,
    CallRow,
    Manifest,
    default_row,
    folder_key,
    not_used,
    numbered,
)
from pipeline.listen.captions import TRANSCRIPT_FORMATS
from pipeline.listen.captions_look import AMBIGUOUS, looks_like_transcript

KNOWN_SUFFIXES = (*RECORDING_SUFFIXES, *TRANSCRIPT_FORMATS)
RESULT = "scorecard.json"
"""A folder that holds this file is the result of an earlier run and no source."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The calls to score, in order, and the files that are passed over, each with the reason."""

    rows: tuple[CallRow, ...]
    skipped: tuple[tuple[Path, str], ...] = ()


def find_sources(sources: Sequence[Path], manifest: Manifest | None = None) -> Sources:
    """The calls that the sources hold: files as they are named, folders with all below them in sorted order.

    With a manifest, its rows whose recording or transcript is among the sources, in its order; other files are
    skipped. Without one, a default row for each file; where a recording has a transcript of the same name beside it,
    the recording is listened to. A source that does not exist is a row that fails on its own. Raises UsageError where
    none exists, and for a folder that holds nothing to score.
    """
    if not sources:
        raise UsageError("no source was given. Name a recording, a transcript or a folder of them.")
    listed = {path for row in manifest.rows for path in (row.recording, row.transcript) if path} if manifest else set()
    missing = [source for source in sources if _is_missing(source, listed)]
    if len(missing) == len(sources):
        named = ", ".join(map(str, missing))
        raise UsageError(f"{named}: there is no such file or folder. Check the path and its spelling.")
    present = [source for source in sources if source not in missing]
    files: dict[Path, None] = {}
    skipped: dict[Path, str] = {}
    for source in present:
        files.update(dict.fromkeys(_files_of(source, listed, skipped)))
    failing = [default_row(path) for path in missing]  # each fails on its own, and the others go on
    if manifest is not None:
        found = _from_manifest(present, files, skipped, manifest)
        return Sources(_distinct([*found.rows, *failing]), found.skipped)
    rows = _default_rows(list(files), skipped)
    return Sources(_distinct([*rows, *failing]), tuple(skipped.items()))


def _is_missing(source: Path, listed: set[Path]) -> bool:
    try:
        return not source.exists() and source.resolve() not in listed
    except (OSError, ValueError):  # a name too long, a folder that may not be looked into
        return True


def _files_of(source: Path, listed: set[Path], skipped: dict[Path, str]) -> list[Path]:
    """The files that a source stands for. Raises UsageError for a folder without any, and for a manifest as source."""
    if source.suffix.lower() == ".csv":
        raise UsageError(
            f"{source}: a CSV file is no recording. Name a manifest with --manifest, and a source as well."
        )
    if not source.is_dir():
        return [source.resolve()]
    found = list(_files_below(source, skipped))
    if not found and not any(path.is_relative_to(source.resolve()) for path in listed):
        raise UsageError(f"{source}: no recording or transcript in this folder. Looked for: {_suffixes()}")
    return found


def _suffixes() -> str:
    return ", ".join(KNOWN_SUFFIXES)


def _files_below(folder: Path, skipped: dict[Path, str]) -> Iterator[Path]:
    """Recordings and transcripts in the folder and below, sorted by path; notes in `skipped` what is passed over."""
    found: list[Path] = []
    for current, folders, names in os.walk(folder.resolve(), onerror=lambda error: _unreadable(error, skipped)):
        here = Path(current)
        if RESULT in names:
            skipped[here] = "the results of an earlier run"
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [here / name for name in names if not name.startswith(".") and _is_known(here / name, skipped)]
    return (path.resolve() for path in sorted(found))


def _unreadable(error: OSError, skipped: dict[Path, str]) -> None:
    skipped[Path(str(error.filename))] = f"this folder cannot be read: {error.strerror}"


def _is_known(path: Path, skipped: dict[Path, str]) -> bool:
    """Whether a file found in a folder is a recording or a transcript; other JSON and text files are common there."""
    if path.suffix.lower() not in KNOWN_SUFFIXES or not path.is_file():
        return False
    try:
        if path.suffix.lower() in AMBIGUOUS and not looks_like_transcript(path):
            skipped[path] = f"this {AMBIGUOUS[path.suffix.lower()]} file is no transcript"
            return False
    except OSError as error:
        skipped[path] = f"this file cannot be read: {error.strerror}"
        return False
    return True


def _from_manifest(
    sources: Sequence[Path], files: Iterable[Path], skipped: dict[Path, str], manifest: Manifest
) -> Sources:
    """The manifest's rows that the sources hold, a row whose file is missing included: that call fails on its own."""
    roots = [source.resolve() for source in sources]
    rows = tuple(
        row
        for row in manifest.rows
        if any(path and path.is_relative_to(root) for root in roots for path in (row.recording, row.transcript))
    )
    if not rows:
        named = ", ".join(str(source) for source in sources)
        raise UsageError(
            f"{manifest.path}: no row of the manifest has its recording or transcript in {named}. "
            "Name the folder or the files that the manifest lists, or leave the manifest out."
        )
    listed = {path for row in manifest.rows for path in (row.recording, row.transcript)}
    others = {path: "not in the manifest" for path in files if path not in listed}
    return Sources(rows, tuple((others | skipped).items()))


def _default_rows(files: Sequence[Path], skipped: dict[Path, str]) -> list[CallRow]:
    """A default row for each file, transcripts beside a recording of the same name left out."""
    recordings = {path.with_suffix("") for path in files if path.suffix.lower() not in TRANSCRIPT_FORMATS}
    beside: dict[Path, list[Path]] = {}
    kept: list[Path] = []
    for path in files:
        if path.suffix.lower() in TRANSCRIPT_FORMATS and path.with_suffix("") in recordings:
            beside.setdefault(path.with_suffix(""), []).append(path)
            skipped[path] = "the recording of the same name is listened to instead"
        else:
            kept.append(path)
    return [_saying_what_lies_beside(default_row(path), beside.get(path.with_suffix(""), ())) for path in kept]


def _saying_what_lies_beside(row: CallRow, transcripts: Sequence[Path]) -> CallRow:
    return replace(row, defaults=(*row.defaults, *(not_used(path.name) for path in transcripts)))


def _distinct(rows: Iterable[CallRow]) -> tuple[CallRow, ...]:
    """The rows with ids of their own: those of one id get -2, -3, ... in order, which is said."""
    rows = tuple(rows)
    taken = {folder_key(row.call_id) for row in rows}
    last: dict[str, int] = {}  # the number that an id was last given, 1 for the id itself
    made = []
    for row in rows:
        key = folder_key(row.call_id)
        number = last.get(key, 0) + 1
        if number > 1:
            while folder_key(numbered(row.call_id, number)) in taken:
                number += 1
            call_id = numbered(row.call_id, number)
            said = f"call_id was not given: '{call_id}', as another source is called '{row.call_id}' too"
            row = replace(row, call_id=call_id, defaults=(*row.defaults, said))
            taken.add(folder_key(call_id))
        last[key] = number
        made.append(row)
    return tuple(made)
