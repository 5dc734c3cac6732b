"""calls.csv -> one CallRow a call, or one ManifestError that lists every fault of the file.

A recording that is not there is no fault of the manifest: that call fails on its own, and the others go on.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import ManifestError
from pipeline.listen.call_rows import CallRow, Manifest, default_row, folder_key
from pipeline.listen.manifest_cells import KNOWN_COLUMNS, read_row
from pipeline.listen.sources import Sources, find_sources
from pipeline.listen.table import TableKind, column_faults, misfit, read_table

__all__ = ["CallRow", "Manifest", "Sources", "default_row", "find_sources", "read_manifest"]

_REMEDY = "Correct the manifest and start again; nothing was scored. Its columns are: " + ", ".join(KNOWN_COLUMNS) + "."
_KIND = TableKind("the manifest", "a header and one row for each call", ManifestError, _REMEDY)


def read_manifest(path: Path) -> Manifest:
    """The manifest's rows in file order, their paths resolved against its folder.

    Raises ManifestError with every fault at once: of the file, its header, its rows and ids that are not unique.
    """
    table = read_table(path, _KIND)
    columns = tuple(_canonical(name) for name in table.header)
    _refuse(path, _column_faults(table.line, columns))
    faults: list[str] = []
    rows: list[CallRow] = []
    lines: list[int] = []
    folder = path.resolve().parent
    for line, record in table.records:
        if isinstance(record, str) or (problem := misfit(record, len(columns))):
            faults.append(f"line {line}: {record if isinstance(record, str) else problem}")
            continue
        row, found = read_row(folder, line, dict(zip(columns, record, strict=True)))
        faults += found
        rows.append(row)
        lines.append(line)
    _refuse(path, faults + _repeated_ids(rows, lines))
    if not rows:
        _refuse(path, ["there is no row below the header. Allowed: one row for each call"])
    return Manifest(path.resolve(), tuple(rows), columns, tuple(_doubtful(columns)))


def _refuse(path: Path, faults: list[str]) -> None:
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


def _repeated_ids(rows: list[CallRow], lines: list[int]) -> list[str]:
    """A fault for each id that an earlier row has, letter case aside: both would be one folder on some systems."""
    first: dict[str, int] = {}
    faults = []
    for row, line in zip(rows, lines, strict=True):
        earlier = first.setdefault(folder_key(row.call_id), line)
        if earlier != line:
            faults.append(
                f"line {line}, column 'call_id': '{row.call_id}' is the id of line {earlier} already. "
                "Allowed: an id of its own for each call (letter case makes no difference)"
            )
    return faults


def _doubtful(columns: tuple[str, ...]) -> Iterator[str]:
    """A sentence for each other column whose name is nearly that of a known one."""
    for name in columns:
        near = difflib.get_close_matches(name.lower(), KNOWN_COLUMNS, n=1, cutoff=0.8)
        if name not in KNOWN_COLUMNS and near and near[0] not in columns:
            yield f"the column '{name}' is kept as a detail and not used as '{near[0]}'"
