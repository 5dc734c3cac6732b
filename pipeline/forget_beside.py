"""What lies beside the calls of a local OUT and tells of them: the list of failures and the page of all calls that
`ridealong score` writes, and files that others put there.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from pipeline.archive.cells import safe_cell
from pipeline.archive.faults import storage_fault
from pipeline.archive.folder import FAILURES, INDEX, stored_scorecards, write_file
from pipeline.archive.name_search import NameSearch
from pipeline.archive.scores import is_sound
from pipeline.errors import OutputError, StorageError

__all__ = ["clear_beside", "still_beside"]

_CALLS = "calls"
_MAKING = ".making-"
_PIECE = 4_000_000  # bytes
_OVERLAP = 4_000  # bytes: more than any name takes, however it is escaped


def clear_beside(out: Path, calls: Collection[str], person: str | None) -> None:
    """Make failures.csv and index.html anew without the calls and the person, where they are there.

    The calls' files must be gone already. Raises StorageError.
    """
    if not calls and person is None:
        return
    try:
        for name in (FAILURES, INDEX):
            (out / f"{_MAKING}{name}").unlink(missing_ok=True)  # what a killed writer left
        if (out / FAILURES).is_file():
            _clear_failures(out / FAILURES, calls, person)
        if (out / INDEX).is_file():
            _clear_index(out)
    except OSError as error:
        raise storage_fault(error, str(out)) from error
    except OutputError as error:
        raise StorageError(str(error), "refused") from error


def still_beside(out: Path, person: str) -> Iterator[str]:
    """The files below OUT, other than those of the calls, that hold the name. Raises StorageError."""
    search = NameSearch(person)
    for folder, folders, names in os.walk(out, onerror=_raise):
        if Path(folder) == out and _CALLS in folders:
            folders.remove(_CALLS)
        for path in (Path(folder) / name for name in sorted(names)):
            if not path.is_file():  # a link to nowhere, a socket
                continue
            if search.is_in(str(path.relative_to(out))) or (not is_sound(path.name) and _holds(path, search)):
                yield str(path)


def _clear_failures(path: Path, calls: Collection[str], person: str | None) -> None:
    header, *lines = _read(path) or [[]]
    search = None if person is None else NameSearch(person)
    gone = {safe_cell(call_id) for call_id in calls}
    left = [line for line in lines if line and line[0] not in gone and not (search and search.is_in("\n".join(line)))]
    if not left:
        path.unlink()
        return
    text = io.StringIO()
    csv.writer(text).writerows([header, *left])
    write_file(path, text.getvalue())


def _clear_index(out: Path) -> None:
    """The page of the calls that are left, with the failures that are left; none where one of them cannot be read."""
    from pipeline.report.index_page import index_page

    failures = [(line[0], line[-1]) for line in _read(out / FAILURES)[1:] if line]
    try:
        cards = stored_scorecards(out)
        page = index_page(cards, failures) if cards else None
    except (ValueError, LookupError, TypeError, AttributeError):  # no scorecard, or of another version
        page = None
    if page is None:
        (out / INDEX).unlink()
    else:
        write_file(out / INDEX, page)


def _read(path: Path) -> list[list[str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        return list(csv.reader(file))


def _holds(path: Path, search: NameSearch) -> bool:
    """Whether the file holds the name; it is read piece by piece, since a ledger may be large."""
    try:
        with path.open("rb") as file:
            before = b""
            while piece := file.read(_PIECE):
                if search.is_in(before + piece):
                    return True
                before = piece[-_OVERLAP:]
    except FileNotFoundError:  # a file that came and went, as SQLite's do
        return False
    except OSError as error:
        raise storage_fault(error, str(path)) from error
    return False


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise storage_fault(error, str(error.filename)) from error
