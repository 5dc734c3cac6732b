"""CSV files that people make, in Excel or by hand: a path in, header and records with their lines out.

Comma, semicolon or tab, with or without a byte order mark, quoted cells; what no row can be read from raises the error
class of the file's kind. Faults of single rows are left to whoever knows what the columns mean.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import FileFaults

__all__ = ["Table", "TableKind", "column_faults", "misfit", "read_table"]

DELIMITERS = ",;\t"
MAX_BYTES = 200 * 1024**2
"""The largest table that is read: about a million rows."""
_SEPARATOR_LINE = re.compile(r"\A\"?sep=([,;\t])\"?(?:\r\n|\r|\n)", re.IGNORECASE)
"""The line with which Excel may say which separator a file has."""
_FIRST_LINE = re.compile(r"[^\r\n]*")


@dataclass(frozen=True, slots=True)
class TableKind:
    """What a table is called in messages: `name` as in "the path of the manifest", `rows` as in "a header and one row
    for each call". `error` is raised with every fault, and `remedy` stands below them."""

    name: str
    rows: str
    error: type[FileFaults]
    remedy: str


@dataclass(frozen=True, slots=True)
class Table:
    """The header with its line, and the records below it, each with its line; text where the quoting is broken."""

    line: int
    header: tuple[str, ...]
    records: Iterator[tuple[int, list[str] | str]]


def read_table(path: Path, kind: TableKind, name: object = None) -> Table:
    """The table of a file; errors call it `name`, or by its path.

    Raises the kind's error where it is missing, too large, not UTF-8, empty or misquoted.
    """
    name = name or path
    text = _text(path, kind, name)
    told = _SEPARATOR_LINE.match(text)
    body = text[told.end() :] if told else text
    skipped = len(body) - len(body.lstrip("\r\n"))
    above = len((text[: told.end()] if told else "").splitlines()) + body[:skipped].count("\n")
    body = body[skipped:]
    if not body.strip():
        raise kind.error(name, [f"the file is empty. Allowed: {kind.rows}"], kind.remedy)
    delimiter = told[1] if told else max(DELIMITERS, key=_FIRST_LINE.match(body)[0].count)  # type: ignore[index]
    lines = io.TextIOWrapper(io.BytesIO(body.encode()), encoding="utf-8", newline="")  # a fourth of a StringIO's memory
    records = _records(csv.reader(lines, delimiter=delimiter, strict=True), above)
    line, header = next(records)
    if isinstance(header, str):
        raise kind.error(name, [f"line {line}: {header}"], kind.remedy)
    return Table(line, tuple(" ".join(name.split()) for name in header), records)


def column_faults(line: int, columns: tuple[str, ...]) -> list[str]:
    """A fault for each column without a name, and for each name that comes more than once, letter case aside."""
    faults = [
        f"line {line}: column {place} has no name. Allowed: a name for each column"
        for place, name in enumerate(columns, start=1)
        if not name
    ]
    spellings: dict[str, list[str]] = {}
    for name in columns:
        spellings.setdefault(name.casefold(), []).append(name)
    return faults + [
        f"line {line}: the column '{names[0]}' comes more than once. Allowed: each column once"
        for names in spellings.values()
        if names[0] and len(names) > 1
    ]


def misfit(record: list[str], columns: int) -> str | None:
    """What is wrong where a record has more or fewer fields than the header."""
    if len(record) == columns:
        return None
    hint = 'put a value that holds the separator in quotes, as "rep,customer"' if len(record) > columns else ""
    fields = "1 field" if len(record) == 1 else f"{len(record)} fields"
    return f"{fields}. Allowed: {columns}, as in the header" + (f"; {hint}" if hint else "")


def _text(path: Path, kind: TableKind, name: object) -> str:
    try:
        if not path.is_file():
            there = "this is not a file" if path.exists() else "the file does not exist"
            raise kind.error(name, [there], f"Give the path of {kind.name}, a CSV file.")
        if path.stat().st_size > MAX_BYTES:
            fault = f"the file has {path.stat().st_size:,} bytes. Allowed: at most {MAX_BYTES:,} bytes"
            raise kind.error(name, [fault], f"Split {kind.name}.")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise kind.error(name, [f"cannot be read: {error.strerror}"], "Check the file's permissions.") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        fault = f"line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise kind.error(name, [fault], "Save the file as CSV in UTF-8 (in Excel: CSV UTF-8).") from error


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
