"""calls.csv -> one CallRow a call, or one ManifestError that lists every fault of the file.

A recording that is not there is no fault of the manifest: that call fails on its own, and the others go on.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import ManifestError
from pipeline.listen.call_rows import CallRow, Manifest, default_row, folder_key
from pipeline.listen.manifest_cells import KNOWN_COLUMNS, read_row
from pipeline.listen.sources import Sources, find_sources

__all__ = ["CallRow", "Manifest", "Sources", "default_row", "find_sources", "read_manifest"]

DELIMITERS = ",;\t"
MAX_BYTES = 200 * 1024**2
"""The largest manifest that is read: about a million calls."""

_REMEDY = "Correct the manifest and start again; nothing was scored. Its columns are: " + ", ".join(KNOWN_COLUMNS) + "."


def read_manifest(path: Path) -> Manifest:
    """The manifest's rows in file order, their paths resolved against its folder.

    Raises ManifestError with every fault at once: of the file, its header, its rows and ids that are not unique.
    """
    text = _text(path)
    line, header, records = _header(path, text)
    columns = tuple(_canonical(name) for name in header)
    _refuse(path, _column_faults(line, columns))
    faults: list[str] = []
    rows: list[CallRow] = []
    lines: list[int] = []
    folder = path.resolve().parent
    for line, record in records:
        if isinstance(record, str) or (problem := _misfit(record, len(columns))):
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


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            there = "this is not a file" if path.exists() else "the file does not exist"
            raise ManifestError(path, [there], "Give the path of the manifest, a CSV file.")
        if path.stat().st_size > MAX_BYTES:
            fault = f"the file has {path.stat().st_size:,} bytes. Allowed: at most {MAX_BYTES:,} bytes"
            raise ManifestError(path, [fault], "Split the manifest.")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ManifestError(path, [f"cannot be read: {error.strerror}"], "Check the file's permissions.") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        fault = f"line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise ManifestError(path, [fault], "Save the file as CSV in UTF-8 (in Excel: CSV UTF-8).") from error
    _refuse(path, [] if text.strip() else ["the file is empty. Allowed: a header and one row for each call"])
    return text


def _header(path: Path, text: str) -> tuple[int, list[str], Iterator[tuple[int, list[str] | str]]]:
    """The header's line and cells, and the records below it, each with its line; text where the quoting is broken."""
    skipped = len(text) - len(text.lstrip("\r\n"))
    above = text[:skipped].count("\n")
    first_line = text[skipped:].splitlines()[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    records = _records(csv.reader(io.StringIO(text[skipped:], newline=""), delimiter=delimiter, strict=True), above)
    line, header = next(records)
    if isinstance(header, str):
        raise ManifestError(path, [f"line {line}: {header}"], _REMEDY)
    return line, [" ".join(name.split()) for name in header], records


def _records(reader: Iterator[list[str]], above: int) -> Iterator[tuple[int, list[str] | str]]:
    """Each record that is not blank, with the line on which it begins."""
    line = above + 1
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f'the quoting is broken ({error}). Allowed: "a value, quoted", with an inner quote doubled'
            return
        if any(cell.strip() for cell in record):
            yield line, record
        line = above + reader.line_num + 1  # type: ignore[attr-defined]


def _canonical(name: str) -> str:
    """A known column in its own spelling whatever the letter case; any other name as it is."""
    return name.lower() if name.lower() in KNOWN_COLUMNS else name


def _column_faults(line: int, columns: tuple[str, ...]) -> list[str]:
    faults = [
        f"line {line}: column {place} has no name. Allowed: a name for each column"
        for place, name in enumerate(columns, start=1)
        if not name
    ]
    spellings: dict[str, list[str]] = {}
    for name in columns:
        spellings.setdefault(name.casefold(), []).append(name)
    faults += [
        f"line {line}: the column '{names[0]}' comes more than once. Allowed: each column once"
        for names in spellings.values()
        if names[0] and len(names) > 1
    ]
    if "recording" not in columns and "transcript" not in columns:
        got = ", ".join(f"'{name}'" for name in columns)
        allowed = "a column 'recording', or 'transcript', and a separator of ',', ';' or tab"
        faults.append(f"line {line}: the column 'recording' is missing: got {got}. Allowed: {allowed}")
    return faults


def _misfit(record: list[str], columns: int) -> str | None:
    """What is wrong where a record has more or fewer fields than the header."""
    if len(record) == columns:
        return None
    hint = 'put a value that holds the separator in quotes, as "rep,customer"' if len(record) > columns else ""
    fields = "1 field" if len(record) == 1 else f"{len(record)} fields"
    return f"{fields}. Allowed: {columns}, as in the header" + (f"; {hint}" if hint else "")


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
