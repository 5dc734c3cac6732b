"""Scored calls in a folder: OUT/calls/CALL_ID/, each replaced in one step."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.archive.call_folder import (
    MAKING,
    Content,
    call_folder,
    current_folder,
    making_folder,
    remove_call,
    replace_call,
    sweep_call,
)
from pipeline.archive.faults import storage_fault
from pipeline.archive.folder import FAILURES, INDEX
from pipeline.archive.name_search import NameSearch
from pipeline.archive.scores import checked_id, checked_names, is_sound
from pipeline.listen.call_rows import is_safe_call_id

_BESIDE = (INDEX, FAILURES)
"""Files about many calls at once that `ridealong score` writes beside them."""


class FolderScores:
    """The scored calls of a local folder; see `Scores`."""

    def __init__(self, out: str | Path) -> None:
        self._out = Path(out).expanduser().resolve()

    @property
    def url(self) -> str:
        """The folder as a file URL."""
        return self._out.as_uri()

    def write(self, call_id: str, files: Mapping[str, Content], *, keep: Collection[str] = ()) -> None:
        """Replace the call's folder; kept files are hard links, or copies where the file system has none."""
        checked_names([*files, *keep])
        with told(call_folder(self._out, checked_id(call_id))):
            replace_call(self._out, call_id, files, keep)

    def read(self, call_id: str, name: str) -> bytes:
        """A file's bytes."""
        checked_names([name])
        with told(self._path(call_id, name)):
            return self._path(call_id, name).read_bytes()

    def files(self, call_id: str) -> tuple[str, ...]:
        """The names of the call's files, sorted."""
        folder = current_folder(self._out, checked_id(call_id))
        with told(folder):
            return tuple(sorted(one.name for one in folder.iterdir())) if folder.is_dir() else ()

    def call_ids(self) -> Iterator[str]:
        """The ids of all calls, in the folder's order."""
        for call_id, is_current in self._found():
            if is_current or self._stepped_aside(call_id):
                yield call_id

    def remove(self, call_id: str) -> bool:
        """Remove all that there is of a call."""
        with told(call_folder(self._out, checked_id(call_id))):
            return remove_call(self._out, call_id)

    def sweep(self, call_id: str) -> None:
        """Remove what killed writers of the call left."""
        with told(making_folder(self._out, checked_id(call_id))):
            sweep_call(self._out, call_id)

    def where(self, call_id: str, name: str) -> str:
        """The file's path."""
        calls = self._out / "calls"
        return str(calls / name if name.startswith(MAKING) else calls / call_id / name)

    def search(self, text: str) -> Iterator[tuple[str, str]]:
        """The files that hold the text; those beside the calls have no call id."""
        search = NameSearch(text)
        for name in _BESIDE:
            if (self._out / name).is_file() and self._holds(self._out / name, search):
                yield "", name
        for call_id, is_current in self._found():
            if is_current and search.is_in(call_id):
                yield call_id, ""
            root = (call_folder if is_current else making_folder)(self._out, call_id)
            for path in _walk(root):
                if self._holds(path, search):
                    yield call_id, str(path.relative_to(root if is_current else root.parent))

    def _path(self, call_id: str, name: str) -> Path:
        return current_folder(self._out, checked_id(call_id)) / name

    def _stepped_aside(self, call_id: str) -> bool:
        current = current_folder(self._out, call_id)
        return current.is_dir() and current != call_folder(self._out, call_id)

    def _found(self) -> Iterator[tuple[str, bool]]:
        """Call ids, each with whether it can be read (else it is what a killed writer left)."""
        calls = self._out / "calls"
        if not calls.is_dir():
            return
        with told(calls), os.scandir(calls) as entries:
            for entry in entries:
                if entry.name.startswith(MAKING):
                    yield entry.name.removeprefix(MAKING), False
                elif is_safe_call_id(entry.name) and entry.is_dir():
                    yield entry.name, True

    def _holds(self, path: Path, search: NameSearch) -> bool:
        """Whether the file's name or content holds the text; a file that went away meanwhile does not."""
        if search.is_in(path.name):
            return True
        with told(path), suppress(FileNotFoundError):
            return not is_sound(path.name) and search.is_in(path.read_bytes())
        return False


def _walk(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        yield from (Path(folder) / name for name in sorted(names))


@contextmanager
def told(path: Path) -> Iterator[None]:
    """OSError becomes StorageError, naming the path."""
    try:
        yield
    except OSError as error:
        raise storage_fault(error, path) from error
