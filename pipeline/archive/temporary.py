"""Folders for files on their way: recordings, manifests and scorecards name people, so none of them may outlive a
process that was killed. A folder carries the machine and the process it belongs to; the next process that needs one,
and every forgetting, removes those of processes that are gone.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psutil

__all__ = ["sweep_temporary", "temporary_files_in", "temporary_folder"]


@contextmanager
def temporary_folder(inside: Path | None = None) -> Iterator[Path]:
    """A folder of this process, below the system's for temporary files or another; it goes with all that is in it.
    Raises OSError where it cannot be made."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_prefix()}{os.getpid()}-", dir=inside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def temporary_files_in(folder: str | None) -> Iterator[None]:
    """Meanwhile, whatever in this process makes a temporary file without saying where, libraries too, makes it in the
    folder; in the system's for None, and on a machine that does not have it. Several threads may do so for one folder.
    """
    before = tempfile.tempdir
    if folder is not None and Path(folder).is_dir():
        tempfile.tempdir = folder
    try:
        yield
    finally:
        if folder is not None and tempfile.tempdir == folder:
            tempfile.tempdir = None if before == folder else before


def sweep_temporary() -> None:
    """Remove the folders of this machine's processes that are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_prefix()}*"):
        pid = folder.name.removeprefix(_prefix()).partition("-")[0]
        if pid.isdigit() and not _is_at_work(int(pid), folder):
            shutil.rmtree(folder, ignore_errors=True)


@cache
def _prefix() -> str:
    """Containers may share the folder for temporary files, but not the numbers of processes."""
    return f"ridealong-{hashlib.sha256(platform.node().encode()).hexdigest()[:8]}-"


def _is_at_work(pid: int, folder: Path) -> bool:
    """Whether the process lives, and is not another one that was given the same number later."""
    try:
        return psutil.Process(pid).create_time() <= folder.stat().st_ctime + 1
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False
