"""A folder of scored calls: OUT/calls/CALL_ID/. Files in, a complete folder or an error out, never half a call."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.archive.call_folder import Content, call_folder, replace_call
from pipeline.errors import OutputError, UsageError

__all__ = [
    "FAILURES",
    "INDEX",
    "Content",
    "call_folder",
    "check_folder",
    "check_writable",
    "scorecard_files",
    "stored_scorecards",
    "write_call",
    "write_file",
]

FAILURES = "failures.csv"
INDEX = "index.html"


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
    try:
        return replace_call(out, call_id, files)
    except OSError as error:
        raise OutputError(
            f"{call_folder(out, call_id)}: cannot be written ({error.strerror or error}). "
            "Check the free space and who may write there."
        ) from error
