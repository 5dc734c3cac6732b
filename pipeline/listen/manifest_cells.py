"""The cells of one manifest row -> a CallRow. Every faulty cell is noted with its line, column, value and remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from posixpath import splitext
from typing import Generic, TypeVar, cast

from pipeline.errors import UsageError
from pipeline.listen.call_rows import (
    CALL_ID_ALLOWED,
    DEFAULT_CALL_TYPE,
    CallRow,
    changed_id,
    is_safe_call_id,
    safe_call_id,
)
from pipeline.listen.captions import TRANSCRIPT_FORMATS
from pipeline.listen.captions_cue import plain
from pipeline.records import CALL_TYPES, CallType, Role

KNOWN_COLUMNS = (
    "recording",
    "call_id",
    "call_type",
    "started_at",
    "team",
    "rep",
    "manager",
    "customer",
    "channels",
    "transcript",
    "speakers",
    "rttm",
    "language",
    "products",
)
CHANNEL_ROLES: tuple[Role, ...] = ("rep", "manager", "customer")

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.,+Z-]+)?")
MOST_SPEAKERS = 20
SPEAKERS_ALLOWED = f'a number from 1 to {MOST_SPEAKERS} as "3", or a range as "2-4"'
_SEVERAL = re.compile(r"[,;]")
_SPEAKERS = re.compile(r"([0-9]{1,2})(?:\s*[-–]\s*([0-9]{1,2}))?")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_ODD = re.compile(r"[\x00-\x1f\x7f]")
_PATHS = "a path relative to the manifest's folder and inside it, with '/' between folders"

Place = TypeVar("Place")
"""Where a file is: a Path, or the key of an object in a bucket."""


@dataclass(slots=True)
class RowReader:
    """One row on its way to a CallRow: its line, its cells by column, and the faults found so far."""

    line: int
    cells: Mapping[str, str]
    faults: list[str] = field(default_factory=list)

    def fault(self, column: str, wrong: str, allowed: str) -> None:
        """Note a fault of one cell."""
        self.faults.append(f"line {self.line}, column '{column}': {wrong}. Allowed: {allowed}")

    def cell(self, column: str) -> str:
        """The cell's text without control characters and outer spaces, empty where there is none."""
        value = self.cells.get(column, "")
        return " ".join(value.split()) if value.isprintable() else plain(value)  # most are, and that is a third faster


@dataclass(frozen=True, slots=True)
class Files(Generic[Place]):
    """Where the row's files are; None where its cell is empty or faulty."""

    recording: Place | None
    transcript: Place | None
    rttm: Place | None


def read_row(folder: Path, line: int, cells: Mapping[str, str]) -> tuple[CallRow, list[str]]:
    """The row and its faults; with faults, the row is not to be used."""
    row = RowReader(line, cells)
    return _row(row, _files(row, partial(_path, folder))), row.faults


def read_keyed_row(
    key_of: Callable[[str], str], allowed: str, line: int, cells: Mapping[str, str]
) -> tuple[CallRow, Files[str], list[str]]:
    """The row without its files, the keys of the objects that they are in a bucket, and its faults.

    `key_of` makes a key of a cell and raises ValueError with what is wrong with it; `allowed` says what would not be.
    """
    row = RowReader(line, cells)
    files = _files(row, partial(_key, key_of, allowed))
    return _row(row, Files(None, None, None)), files, row.faults


def _files(row: RowReader, place_of: Callable[[RowReader, str, str], Place | None]) -> Files[Place]:
    """The files that the cells name; `place_of` is asked with the row, a column and its text."""
    given = {column: row.cells.get(column, "").strip() for column in ("recording", "transcript", "rttm")}
    if splitext(given["recording"])[1].lower() in TRANSCRIPT_FORMATS:
        allowed = "a recording; put this path in the column 'transcript'"
        row.fault("recording", f"'{given['recording']}' is a transcript", allowed)
    recording = place_of(row, "recording", given["recording"]) if given["recording"] else None
    transcript = place_of(row, "transcript", given["transcript"]) if given["transcript"] else None
    if not given["recording"] and not given["transcript"]:
        row.fault("recording", "neither a recording nor a transcript is given", "the path of at least one of them")
    rttm = place_of(row, "rttm", given["rttm"]) if given["rttm"] else None
    if rttm is not None and recording is None:
        row.fault("rttm", "it is given without a recording", "an RTTM file beside the recording whose voices it tells")
    return Files(recording, transcript, rttm)


def _row(row: RowReader, files: Files[Path]) -> CallRow:
    call_type, type_default = _call_type(row)
    call_id, id_default = _call_id(row)
    others = tuple((name, row.cell(name)) for name in row.cells if name == "team" or name not in KNOWN_COLUMNS)
    return CallRow(
        recording=files.recording,
        transcript=files.transcript,
        call_id=call_id,
        call_type=call_type,
        started_at=_started_at(row),
        team=row.cell("team") or None,
        rep=row.cell("rep") or None,
        manager=row.cell("manager") or None,
        customers=_listed(row.cell("customer")),
        channels=_channels(row),
        speakers=_speakers(row),
        rttm=files.rttm,
        language=_language(row),
        products=_listed(row.cell("products")),
        details=tuple((name, value) for name, value in others if value),
        defaults=(*type_default, *id_default),
    )


def _path(folder: Path, row: RowReader, column: str, value: str) -> Path | None:
    """The cell as an absolute path inside the manifest's folder; whether a file is there is seen when it is read."""
    if is_odd_path(value):
        row.fault(column, f"{value!r} is not such a path", _PATHS)
        return None
    if ".." in value.split("/"):
        row.fault(column, f"'{value}' leaves the manifest's folder", _PATHS)
        return None
    try:
        path = (folder / value).resolve()
    except (OSError, RuntimeError) as error:  # a loop of symbolic links, a name that is too long
        row.fault(column, f"'{value}' cannot be resolved ({error})", _PATHS)
        return None
    if not path.is_relative_to(folder):
        row.fault(column, f"'{value}' leads out of the manifest's folder by a symbolic link", _PATHS)
        return None
    return path


def is_odd_path(value: str) -> bool:
    """Whether a cell is no relative path at all: control characters, a backslash, a URL, a drive, an absolute path."""
    return bool(_ODD.search(value)) or "\\" in value or "://" in value or value[1:2] == ":" or value[:1] == "/"


def _key(key_of: Callable[[str], str], allowed: str, row: RowReader, column: str, value: str) -> str | None:
    """The cell as the key of an object."""
    if _ODD.search(value):
        row.fault(column, f"{value!r} holds a control character", allowed)
        return None
    try:
        return key_of(value)
    except ValueError as error:
        row.fault(column, f"'{value}' {error}", allowed)
        return None


def _call_type(row: RowReader) -> tuple[CallType, tuple[str, ...]]:
    value = row.cell("call_type")
    if not value:
        return DEFAULT_CALL_TYPE, (f"call_type was not given: taken as {DEFAULT_CALL_TYPE}",)
    if value.lower() not in CALL_TYPES:
        row.fault("call_type", f"got '{value}'", ", ".join(CALL_TYPES))
        return DEFAULT_CALL_TYPE, ()
    return cast(CallType, value.lower()), ()


def _call_id(row: RowReader) -> tuple[str, tuple[str, ...]]:
    """The id given, or the stem of the recording or transcript made safe, which is said where it changed it."""
    given = row.cells.get("call_id", "").strip()
    if given:
        if not is_safe_call_id(given):
            row.fault("call_id", f"got {given!r}", CALL_ID_ALLOWED)
        return given, ()
    stem = Path(row.cells.get("recording", "").strip() or row.cells.get("transcript", "").strip()).stem
    return safe_call_id(stem), changed_id(stem, safe_call_id(stem))


def _started_at(row: RowReader) -> str | None:
    value = row.cell("started_at")
    if not value:
        return None
    try:
        if _DATE.fullmatch(value) is None:
            raise ValueError(value)
        datetime.fromisoformat(value)
    except ValueError:
        allowed = "ISO 8601, as 2026-03-09 or 2026-03-09T14:30 or 2026-03-09T14:30:00+01:00"
        row.fault("started_at", f"got '{value}'", allowed)
    return value


def _listed(value: str) -> tuple[str, ...]:
    """The names between semicolons, each once."""
    return tuple(dict.fromkeys(name for part in value.split(";") if (name := part.strip())))


def _speakers(row: RowReader) -> tuple[int, int] | None:
    value = row.cell("speakers")
    found = _number_of_speakers(value)
    if value and found is None:
        row.fault("speakers", f"got '{value}'", SPEAKERS_ALLOWED)
    return found


def read_speakers(value: str | None) -> tuple[int, int] | None:
    """ "3" or "2-4" as the least and the most people that speak; None for None. Raises UsageError."""
    found = _number_of_speakers(value or "")
    if value is not None and found is None:
        raise UsageError(f"speakers: got {value!r}. Allowed: {SPEAKERS_ALLOWED}.")
    return found


def _number_of_speakers(value: str) -> tuple[int, int] | None:
    match = _SPEAKERS.fullmatch(value.strip())
    if match is None:
        return None
    least, most = int(match[1]), int(match[2] or match[1])
    return (least, most) if 1 <= least <= most <= MOST_SPEAKERS else None


def _language(row: RowReader) -> str | None:
    value = row.cell("language").lower().replace("_", "-").split("-")[0]
    if value and _LANGUAGE.fullmatch(value) is None:
        row.fault("language", f"got '{row.cell('language')}'", "an ISO 639-1 code, as en or de")
    return value or None


def _channels(row: RowReader) -> tuple[tuple[Role, ...], ...]:
    """The roles by channel; "rep+manager,customer" puts two people on the first one."""
    value = row.cell("channels")
    channels = [[one.strip().lower() for one in part.split("+")] for part in _SEVERAL.split(value)] if value else []
    roles = [role for channel in channels for role in channel]
    wrong = [role for role in roles if role not in CHANNEL_ROLES]
    twice = [role for role in ("rep", "manager") if roles.count(role) > 1]
    allowed = (
        'rep, manager and customer, one for each channel in order, as "rep,customer"; several on one channel with a '
        'plus, as "rep+manager,customer"; customer may come more than once'
    )
    if wrong:
        row.fault("channels", f"got '{value}', where '{wrong[0]}' is no role", allowed)
    elif twice:
        row.fault("channels", f"got '{value}', where {twice[0]} comes twice", allowed)
    return tuple(tuple(cast(Role, role) for role in channel) for channel in channels)
