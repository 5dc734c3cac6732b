"""Stored scorecards in, one file out: Parquet, CSV or JSON Lines. One call a row, sorted by call id.

Calls are read once, a few at a time, and wait as rows in a nameless temporary file until all columns are known: memory
does not grow with the number of calls, and a file is written whole or not at all.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, get_args

from pipeline.archive.export_files import write_csv, write_parquet
from pipeline.archive.export_row import Row, columns_of, row_of
from pipeline.archive.folder import check_folder
from pipeline.archive.scores import Scores
from pipeline.archive.scores_folder import told
from pipeline.errors import CallError, StorageError, UsageError

__all__ = ["FORMATS", "Exported", "Format", "export", "format_of"]

Format = Literal["parquet", "csv", "jsonl"]
FORMATS: tuple[Format, ...] = get_args(Format)
_SCORECARD = "scorecard.json"
_READERS = 8
"""Calls that are read at the same time: a bucket is waited for, not computed."""
_AT_ONCE = 64

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export gave: the file, its format, how many calls are in it, and (call id, reason) of those that are not
    since their scorecard cannot be read."""

    path: Path
    format: Format
    calls: int
    unreadable: tuple[tuple[str, str], ...]


def export(
    scores: Scores,
    path: str | Path,
    *,
    format: Format | None = None,
    calls: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Exported:
    """The scorecards of all stored calls, or of `calls`, in a file that replaces an older one in one step.

    Without `format` the file's suffix tells it. A row of Parquet and CSV is flat (docs/archive.md has the columns); a
    line of JSON Lines is the whole scorecard. Raises UsageError where the file cannot be written to or has no format,
    StorageError where the store or the disk fails: then there is no file, or the older one.
    """
    path = Path(path)
    chosen = format or format_of(path)
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name a file, as {path / f'scorecards.{chosen}'}.")
    check_folder(path.absolute().parent)
    reading = _Reading(scores, sorted(set(scores.call_ids() if calls is None else calls)), progress)
    making = path.with_name(f".making-{path.name}")
    try:
        with told(path):
            _write(making, chosen, reading)
            making.replace(path)
    finally:
        making.unlink(missing_ok=True)
    return Exported(path, chosen, reading.read, tuple(reading.unreadable))


def format_of(path: Path) -> Format:
    """The format that a file's suffix names. Raises UsageError for any other."""
    for one in FORMATS:
        if path.suffix.lower() == f".{one}":
            return one
    allowed = ", ".join(f".{one}" for one in FORMATS)
    raise UsageError(f"{path}: the suffix {path.suffix!r} names no format. Allowed are {allowed}; or give the format.")


class _Reading:
    """The scorecards of the calls, in order; counts what was read and names what could not be."""

    def __init__(self, scores: Scores, ids: list[str], progress: Progress | None) -> None:
        self._scores = scores
        self._ids = ids
        self._progress = progress
        self.read = 0
        self.unreadable: list[tuple[str, str]] = []

    def __iter__(self) -> Iterator[tuple[dict[str, Any], Row]]:
        """Scorecard and its flat row of each call that can be read."""
        with ThreadPoolExecutor(_READERS) as pool:
            for start in range(0, len(self._ids), _AT_ONCE):
                for number, found in enumerate(pool.map(self._one, self._ids[start : start + _AT_ONCE]), start + 1):
                    if isinstance(found, CallError):
                        self.unreadable.append((self._ids[number - 1], str(found)))
                    else:
                        self.read += 1
                        yield found
                    if self._progress:
                        self._progress("export", number, len(self._ids))

    def _one(self, call_id: str) -> tuple[dict[str, Any], Row] | CallError:
        try:
            card = json.loads(self._scores.read(call_id, _SCORECARD), parse_constant=_refused)
            return card, row_of(card)
        except StorageError as error:
            if error.fault not in ("missing", "refused"):  # the store fails, not this call's file
                raise
            return CallError(str(error))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            where = self._scores.where(call_id, _SCORECARD)
            return CallError(
                f"{where}: cannot be read as a scorecard ({type(error).__name__}: {error}). Score the call again."
            )


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no number that a scorecard holds")


def _write(path: Path, format: Format, reading: _Reading) -> None:
    if format == "jsonl":
        with path.open("wb") as lines:
            for card, _ in reading:
                lines.write(_line(card))
        return
    with tempfile.TemporaryFile(dir=path.absolute().parent) as spool:
        behaviours, details = _spooled(reading, spool)
        spool.seek(0)
        write = write_parquet if format == "parquet" else write_csv
        write(path, columns_of(behaviours, details), map(json.loads, spool))


def _spooled(reading: _Reading, spool: IO[bytes]) -> tuple[set[str], set[str]]:
    """The behaviours and the details that any call has, once the rows are in the spool, a line each."""
    behaviours: set[str] = set()
    details: set[str] = set()
    for card, row in reading:
        behaviours.update(card["behaviours"])
        details.update(card["details"])
        spool.write(json.dumps(row).encode() + b"\n")
    return behaviours, details


def _line(card: dict[str, Any]) -> bytes:
    try:
        return f"{json.dumps(card, ensure_ascii=False)}\n".encode()
    except UnicodeEncodeError:  # half a pair of surrogates, which only an escape can hold
        return f"{json.dumps(card)}\n".encode()
