"""calls.csv -> one CallRow a call, or one ManifestError that lists every fault of the file.

A recording that is not there is no fault of the manifest: that call fails on its own, and the others go on.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from pipeline.errors import ManifestError
from pipeline.listen.call_rows import CallRow, Manifest, default_row, folder_key
from pipeline.listen.manifest_cells import KNOWN_COLUMNS, Files, read_keyed_row, read_row
from pipeline.listen.sources import Sources, find_sources
from pipeline.listen.table import TableKind, column_faults, misfit, read_table

__all__ = [
    "CallRow",
    "KeyedRow",
    "Manifest",
    "Sources",
    "default_row",
    "find_sources",
    "read_keyed_manifest",
    "read_manifest",
]

_REMEDY = "Correct the manifest and start again; nothing was scored. Its columns are: " + ", ".join(KNOWN_COLUMNS) + "."
_KIND = TableKind("the manifest", "a header and one row for each call", ManifestError, _REMEDY)


_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class KeyedRow:
    """One line of a manifest of a bucket: what is known of the call, and the keys of its files (`row` has no paths).
    `is_named` is whether it has an id of its own in the manifest, rather than its file's name."""

    line: int
    row: CallRow
    files: Files[str]
    is_named: bool

    @property
    def key(self) -> str:
        """The key that stands for the call: the recording's, else the transcript's."""
        return self.files.recording or self.files.transcript or ""


def read_manifest(path: Path) -> Manifest:
    """The manifest's rows in file order, their paths resolved against its folder.

    Raises ManifestError with every fault at once: of the file, its header, its rows and ids that are not unique.
    """
    columns, lines, rows, faults = _read(path, partial(read_row, path.resolve().parent))
    _refuse(path, faults + _repeated_ids((row.call_id, line) for row, line in zip(rows, lines, strict=True)))
    return Manifest(path.resolve(), tuple(rows), columns, tuple(_doubtful(columns)))


def read_keyed_manifest(
    path: Path,
    key_of: Callable[[str], str],
    *,
    allowed: str,
    name: str,
    keep: Callable[[KeyedRow], None],
) -> tuple[str, ...]:
    """Hand each line of a manifest of a bucket, called `name` in errors, to `keep`; sentences about doubtful columns.

    `key_of` makes the key of an object of a cell, or raises ValueError with what is wrong with it; `allowed` says what
    would not be. Each recording may stand on one line alone, and ids that are given must differ; names of files need
    not, as there may be thousands of `recording.wav`. Raises ManifestError with every fault at once.
    """
    named: list[tuple[str, int]] = []
    keyed: list[tuple[str, str, int]] = []

    def read_line(line: int, cells: Mapping[str, str]) -> tuple[None, list[str]]:
        row, files, faults = read_keyed_row(key_of, allowed, line, cells)
        one = KeyedRow(line, row, files, bool(cells.get("call_id", "").strip()))
        if one.is_named:
            named.append((row.call_id, line))
        keyed.append((one.key, "recording" if files.recording else "transcript", line))
        keep(one)
        return None, faults

    columns, _, _, faults = _read(path, read_line, name)
    _refuse(name, faults + _repeated_ids(named) + _repeated_keys(keyed))
    return tuple(_doubtful(columns))


def _read(
    path: Path, read_line: Callable[[int, Mapping[str, str]], tuple[_Row, list[str]]], name: object = None
) -> tuple[tuple[str, ...], list[int], list[_Row], list[str]]:
    """The columns, the lines, their rows, and the faults so far. Raises ManifestError where there is nothing to read,
    with the faults of the rows where all have some."""
    table = read_table(path, _KIND, name)
    columns = tuple(_canonical(name) for name in table.header)
    _refuse(name or path, _column_faults(table.line, columns))
    faults: list[str] = []
    rows: list[_Row] = []
    lines: list[int] = []
    for line, record in table.records:
        if isinstance(record, str) or (problem := misfit(record, len(columns))):
            faults.append(f"line {line}: {record if isinstance(record, str) else problem}")
            continue
        row, found = read_line(line, dict(zip(columns, record, strict=True)))
        faults += found
        rows.append(row)
        lines.append(line)
    if not rows:
        _refuse(name or path, faults or ["there is no row below the header. Allowed: one row for each call"])
    return columns, lines, rows, faults


def _refuse(path: object, faults: list[str]) -> None:
    if faults:
        raise ManifestError(path, faults, _REMEDY)


def _canonical(name: str) -> str:
    """A known column in its own spelling whatever the letter case; any other name as it is."""
    return name.lower() if name.lower() in KNOWN_COLUMNS else name


def _column_faults(line: int, columns: tuple[str, ...]) -> list[str]:
    faults = column_faults(line, columns)
    if "recording" not in columns and "transcript" not in columns:
        got = ", ".join(f"'{name}'" for name in columns)
        allowed = "a column 'recording', or 'transcript', and a separator of ',', ';' or tab"
        faults.append(f"line {line}: the column 'recording' is missing: got {got}. Allowed: {allowed}")
    return faults


def _repeated_ids(named: Iterable[tuple[str, int]]) -> list[str]:
    """A fault for each id that an earlier row has, letter case aside: both would be one folder on some systems."""
    first: dict[str, int] = {}
    faults = []
    for call_id, line in named:
        earlier = first.setdefault(folder_key(call_id), line)
        if earlier != line:
            faults.append(
                f"line {line}, column 'call_id': '{call_id}' is the id of line {earlier} already. "
                "Allowed: an id of its own for each call (letter case makes no difference)"
            )
    return faults


def _repeated_keys(keyed: Iterable[tuple[str, str, int]]) -> list[str]:
    """A fault for each (key, column, line) whose key an earlier line has: of two rows, one would never be heard of."""
    first: dict[str, int] = {}
    faults = []
    for key, column, line in keyed:
        earlier = first.setdefault(key, line)
        if key and earlier != line:
            faults.append(
                f"line {line}, column '{column}': '{key}' is on line {earlier} already. "
                "Allowed: each recording, or transcript without one, on one line"
            )
    return faults


def _doubtful(columns: tuple[str, ...]) -> Iterator[str]:
    """A sentence for each other column whose name is nearly that of a known one."""
    for name in columns:
        near = difflib.get_close_matches(name.lower(), KNOWN_COLUMNS, n=1, cutoff=0.8)
        if name not in KNOWN_COLUMNS and near and near[0] not in columns:
            yield f"the column '{name}' is kept as a detail and not used as '{near[0]}'"
