"""A folder of scored calls: OUT/calls/CALL_ID/. Files in, a complete folder or an error out, never half a call."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import OutputError, UsageError

FAILURES = "failures.csv"
INDEX = "index.html"

Content = str | bytes | Callable[[Path], object]
"""Text, bytes, or a function that writes the file at the path it is given."""


def check_writable(out: Path) -> None:
    """Raise UsageError unless calls can be written to `out`, which is created where it is missing."""
    check_folder(out / "calls", out)


def check_folder(folder: Path, out: Path | None = None) -> None:
    """Raise UsageError, naming `out`, unless files can be made in `folder`, which is created where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        named = out or folder
        raise UsageError(
            f"{named}: cannot be written to ({error.strerror}). Name another folder with --out, or allow writing."
        ) from error


def call_folder(out: Path, call_id: str) -> Path:
    """Where the files of a call lie."""
    return out / "calls" / call_id


def stored_scorecards(out: Path) -> list[dict[str, Any]]:
    """The scorecards that lie in the folder, in their public format, by call id."""
    files = sorted((out / "calls").glob("*/scorecard.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def scorecard_files(out: Path) -> list[Path]:
    """The scorecards' files in the folder, sorted; those of a folder that somebody put together count as well."""
    patterns = ("calls/*/scorecard.json", "*/scorecard.json", "*.json")
    return next((files for pattern in patterns if (files := sorted(out.glob(pattern)))), [])


def write_file(path: Path, text: str) -> None:
    """Write one file whole or not at all. Raises OutputError."""
    making = path.with_name(f".making-{path.name}")
    try:
        making.write_text(text, encoding="utf-8")
        making.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}). Check the free space and who may write there."
        ) from error


def write_call(out: Path, call_id: str, files: Mapping[str, Content]) -> Path:
    """The folder of the call, holding exactly `files`; an earlier version of it is replaced in one step.

    Raises OutputError where the disk is full or the folder cannot be written; then the earlier version is still there.
    """
    target = call_folder(out, call_id)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
        try:
            for name, content in files.items():
                _write(making / name, content)
            making.chmod(0o777 & ~_umask())
            _replace(making, target)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    except OSError as error:
        raise OutputError(
            f"{target}: cannot be written ({error.strerror or error}). Check the free space and who may write there."
        ) from error
    return target


def _write(path: Path, content: Content) -> None:
    if isinstance(content, str):
        path.write_bytes(content.encode("utf-8"))
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)


def _replace(making: Path, target: Path) -> None:
    """Put the finished folder in its place; a folder cannot be renamed over a full one, so the old one steps aside."""
    if not target.exists():
        making.rename(target)
        return
    aside = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent)) / "old"
    target.rename(aside)
    try:
        making.rename(target)
    except OSError:
        aside.rename(target)
        raise
    finally:
        shutil.rmtree(aside.parent, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
