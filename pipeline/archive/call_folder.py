"""A call's folder, OUT/calls/CALL_ID: replaced in one step, and nothing of it left behind by a writer that was killed.

Whatever is on its way lies in OUT/calls/.making-CALL_ID/, a folder for each writer: what was left there is found by the
call's id, without looking through all calls. Everything here raises OSError.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

from pipeline.archive.exchange import exchange

Content = str | bytes | Callable[[Path], object]
"""Text, bytes, or a function that writes the file at the path it is given."""

MAKING = ".making-"
_ASIDE = "old-"  # the version before, where two folders cannot change places in one step
_TRASH = "trash-"


def call_folder(out: Path, call_id: str) -> Path:
    """Where the files of a call lie."""
    return out / "calls" / call_id


def making_folder(out: Path, call_id: str) -> Path:
    """Where the files of a call lie while they are made, and what a killed writer left."""
    return out / "calls" / f"{MAKING}{call_id}"


def current_folder(out: Path, call_id: str) -> Path:
    """Where the files of a call can be read: its folder, or the version that stepped aside for a writer that died."""
    target = call_folder(out, call_id)
    return target if target.is_dir() else next(iter(_aside(out, call_id)), target)


def replace_call(out: Path, call_id: str, files: Mapping[str, Content], keep: Collection[str] = ()) -> Path:
    """The folder of the call, holding exactly `files` and those of the stored ones that `keep` names, in one step.

    What cannot be kept since it is not stored is passed over. After an error the earlier version is still there.
    """
    target, parent = call_folder(out, call_id), making_folder(out, call_id)
    sweep_call(out, call_id)
    making = _new_folder(parent)
    try:
        for name in sorted(set(keep) - set(files)):
            _keep(target / name, making / name)
        for name, content in files.items():
            write_content(making / name, content)
        making.chmod(0o777 & ~_umask())
        _replace(making, target)
    finally:
        with suppress(OSError):  # what cannot be removed now is swept by the next writer
            _delete(making)
            parent.rmdir()
    return target


def sweep_call(out: Path, call_id: str) -> bool:
    """Remove what killed writers of the call left, and put back a version that stepped aside; whether there was any."""
    parent, target = making_folder(out, call_id), call_folder(out, call_id)
    if not parent.is_dir():
        return False
    aside = _aside(out, call_id)
    if aside and not target.exists():
        aside[0].rename(target)
    for left in sorted(parent.iterdir()):
        _discard(left, parent)
    parent.rmdir()
    return True


def remove_call(out: Path, call_id: str) -> bool:
    """Remove all that lies there of a call, unfinished versions too; whether there was anything."""
    target, parent = call_folder(out, call_id), making_folder(out, call_id)
    swept = sweep_call(out, call_id)
    if not os.path.lexists(target):
        return swept
    parent.mkdir(exist_ok=True)
    _discard(target, parent)
    parent.rmdir()
    return True


def write_content(path: Path, content: Content) -> None:
    """Write a file's content to the path."""
    if isinstance(content, str):
        path.write_bytes(content.encode("utf-8"))
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)


def _aside(out: Path, call_id: str) -> list[Path]:
    return sorted(making_folder(out, call_id).glob(f"{_ASIDE}*"))


def _new_folder(parent: Path) -> Path:
    """A new folder below `parent`, which another writer of the same call may be about to remove."""
    for _ in range(20):
        parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            return Path(tempfile.mkdtemp(dir=parent))
    return Path(tempfile.mkdtemp(dir=parent))


def _keep(stored: Path, path: Path) -> None:
    """The stored file under a second name; as a copy where the file system has no hard links."""
    if not stored.is_file():
        return
    try:
        os.link(stored, path)
    except OSError:
        shutil.copy2(stored, path)


def _replace(making: Path, target: Path) -> None:
    """Put the finished folder in its place; a folder cannot be renamed over a full one."""
    if not os.path.lexists(target):
        making.rename(target)
    elif not exchange(making, target):
        aside = making.with_name(f"{_ASIDE}{making.name}")
        target.rename(aside)
        try:
            making.rename(target)
        except OSError:
            aside.rename(target)
            raise
        with suppress(OSError):
            _delete(aside)


def _discard(path: Path, parent: Path) -> None:
    """Remove a folder or file. It gets another name first, so that a writer that lives after all cannot put a folder in
    place that is being emptied."""
    trash = parent / f"{_TRASH}{secrets.token_hex(4)}"
    path.rename(trash)
    _delete(trash)


def _delete(path: Path) -> None:
    """Remove a folder, or what somebody put in a folder's place; a link is not followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
