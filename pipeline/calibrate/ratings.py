"""ratings.csv -> the levels that people gave, or one RatingsError that lists every fault of the file.

One row says that a rater gave one behaviour of one call a level. An empty level, or "none", is "not measured": the
rater looked and could not say. It is kept apart from a level of 0, which is "looked, and it is not there".
"""

from __future__ import annotations

import difflib
import hashlib
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import RatingsError
from pipeline.listen.call_rows import folder_key
from pipeline.listen.table import TableKind, column_faults, misfit, read_table
from pipeline.records import LEVEL_NAMES

__all__ = ["Rating", "Ratings", "read_ratings"]

COLUMNS = ("call_id", "rater", "behaviour", "level")
NOT_MEASURED = ("", "none", "n/a", "not measured")
"""What stands for "not measured" in the column level, letter case aside."""
_LEVELS = "0 (Not Present), 1 (Needs Work), 2 (Good) or 3 (Excellent); empty or 'none' where it was not measured"
_REMEDY = (
    "Correct the ratings and start again; nothing was written. The columns are: " + ", ".join(COLUMNS) + ". "
    "docs/calibration.md shows an example."
)
_KIND = TableKind("the ratings", "a header and one row for each call, rater and behaviour", RatingsError, _REMEDY)


@dataclass(frozen=True, slots=True)
class Rating:
    """The level (0-3) that a rater gave a behaviour of a call; None is "not measured"."""

    call_id: str
    rater: str
    behaviour: str
    level: int | None


@dataclass(frozen=True, slots=True)
class Ratings:
    """All ratings of a file, in file order. `sha256` is that of its bytes, `notes` are sentences for people."""

    name: str
    rows: tuple[Rating, ...]
    sha256: str
    notes: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[Rating, ...]:
        """Those with a level."""
        return tuple(row for row in self.rows if row.level is not None)

    @property
    def raters(self) -> tuple[str, ...]:
        """The names of all raters, sorted."""
        return tuple(sorted({row.rater for row in self.rows}))


def read_ratings(path: Path, behaviours: Sequence[str], calls: Collection[str] | None = None) -> Ratings:
    """The ratings of a CSV file. `behaviours` are the names allowed; `calls` the ids that have a scorecard, None where
    there are no scorecards.

    Raises RatingsError with every fault at once, each with its line and column.
    """
    table = read_table(path, _KIND)
    header = _without_empty_end(table.header)
    columns = tuple(name.lower() if name.lower() in COLUMNS else name for name in header)
    _refuse(path, [*column_faults(table.line, columns), *_missing(table.line, columns)])
    reader = _RowReader(columns, tuple(behaviours), None if calls is None else {folder_key(one): one for one in calls})
    for line, record in table.records:
        reader.read(line, record)
    _refuse(path, reader.faults)
    if not reader.rows:
        _refuse(path, ["there is no row below the header. Allowed: one row for each call, rater and behaviour"])
    return Ratings(path.name, tuple(reader.rows), hashlib.sha256(path.read_bytes()).hexdigest(), tuple(_notes(columns)))


def _refuse(path: Path, faults: list[str]) -> None:
    if faults:
        raise RatingsError(path, faults, _REMEDY)


def _without_empty_end(cells: Sequence[str]) -> tuple[str, ...]:
    """The cells up to the last that holds something: spreadsheets write empty columns behind a table."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return tuple(cells[:end])


def _missing(line: int, columns: tuple[str, ...]) -> list[str]:
    """A fault for each column that is not there, with the nearest of those that are."""
    faults = []
    got = ", ".join(f"'{name}'" for name in columns) or "nothing"
    for name in COLUMNS:
        if name in columns:
            continue
        others = {other.lower(): other for other in columns if other not in COLUMNS}
        near = difflib.get_close_matches(name, others, n=1, cutoff=0.7)
        hint = f" Is '{others[near[0]]}' meant? Then rename it." if near else ""
        faults.append(
            f"line {line}: the column '{name}' is missing: got {got}.{hint} Allowed: a header with the columns "
            f"{', '.join(COLUMNS)} (more are ignored), and a separator of ',', ';' or tab"
        )
    return faults


def _notes(columns: tuple[str, ...]) -> list[str]:
    others = [name for name in columns if name not in COLUMNS]
    if not others:
        return []
    return [f"Columns that are not used: {', '.join(others)}."]


@dataclass(slots=True)
class _RowReader:
    """The rows so far, their faults, and what makes two rows the same."""

    columns: tuple[str, ...]
    behaviours: tuple[str, ...]
    calls: dict[str, str] | None
    rows: list[Rating] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _first: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _raters: dict[str, str] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    def read(self, line: int, record: list[str] | str) -> None:
        """Take in one record; what is wrong with it is noted."""
        if isinstance(record, str):
            self.faults.append(f"line {line}: {record}")
            return
        width = len(self.columns)
        cells = record if len(record) <= width else [*record[:width], *_without_empty_end(record[width:])]
        if problem := misfit(cells, width):
            self.faults.append(f"line {line}: {problem}")
            return
        before = len(self.faults)
        named = dict(zip(self.columns, (" ".join(cell.split()) for cell in cells), strict=True))
        call_id = self._call(line, named["call_id"])
        rater = self._rater(line, named["rater"])
        behaviour = self._behaviour(line, named["behaviour"])
        level = self._level(line, named["level"])
        if len(self.faults) == before and self._is_first(line, call_id, rater, behaviour):
            self.rows.append(Rating(call_id, rater, behaviour, level))

    def _fault(self, line: int, column: str, wrong: str, allowed: str) -> None:
        end = "" if wrong.endswith((".", "?")) else "."
        self.faults.append(f"line {line}, column '{column}': {wrong}{end} Allowed: {allowed}")

    def _call(self, line: int, value: str) -> str:
        if not value:
            self._fault(line, "call_id", "empty", "the id of the call, as its scorecard has it")
            return value
        key = folder_key(value)
        if self.calls is None:
            return self._ids.setdefault(key, value)
        if key not in self.calls:
            near = difflib.get_close_matches(key, self.calls, n=1)
            hint = f" Is '{self.calls[near[0]]}' meant?" if near else ""
            self._fault(
                line, "call_id", f"there is no scorecard of '{value}'.{hint}", "the id of a call that was scored"
            )
            return value
        return self.calls[key]

    def _rater(self, line: int, value: str) -> str:
        if not value:
            self._fault(line, "rater", "empty", "a name or initials, the same in every row of this rater")
        return self._raters.setdefault(unicodedata.normalize("NFC", value).casefold(), value)

    def _behaviour(self, line: int, value: str) -> str:
        name = value.lower().replace(" ", "_").replace("-", "_")
        known = {one.lower(): one for one in self.behaviours}
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Is '{known[near[0]]}' meant?" if near else ""
            got = f"'{value}' is not known.{hint}" if value else "empty"
            self._fault(line, "behaviour", got, ", ".join(self.behaviours))
        return known.get(name, value)

    def _level(self, line: int, value: str) -> int | None:
        """0-3; a spreadsheet's "2.0" is 2."""
        if value.lower() in NOT_MEASURED:
            return None
        whole = value.removesuffix(".0").removesuffix(",0")
        if whole in ("0", "1", "2", "3"):
            return int(whole)
        names = [name.lower() for name in LEVEL_NAMES]
        hint = f"; {value} is level {names.index(value.lower())}" if value.lower() in names else ""
        self._fault(line, "level", f"got '{value}'{hint}", f"a whole number: {_LEVELS}")
        return None

    def _is_first(self, line: int, call_id: str, rater: str, behaviour: str) -> bool:
        earlier = self._first.setdefault((call_id, rater, behaviour), line)
        if earlier != line:
            self._fault(
                line,
                "rater",
                f"'{rater}' has rated {behaviour} of '{call_id}' on line {earlier} already",
                "one row for each call, rater and behaviour; keep the one that counts",
            )
        return earlier == line
