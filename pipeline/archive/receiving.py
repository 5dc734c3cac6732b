"""Bytes from a store to a file, piece by piece: whole, no more than allowed, and with their SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from pipeline.archive.faults import fault, storage_fault
from pipeline.errors import StorageError

PIECE = 1 << 20
"""Bytes taken at a time."""


def receive(pieces: Iterable[bytes], path: Path, *, size: int, max_bytes: int, where: str) -> str:
    """Write `pieces`, which are to be `size` bytes, to `path`; their SHA-256 in hex.

    Raises StorageError, and leaves no file: `refused` over `max_bytes`, `unreachable` where they end early,
    and what the disk says of `path` itself.
    """
    check_size(size, max_bytes, where)
    try:
        return _receive(pieces, path, size, where)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise storage_fault(error, path) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def check_size(size: int, max_bytes: int, where: str) -> None:
    """Raise StorageError `refused` where an object is larger than is taken."""
    if size > max_bytes:
        raise fault(where, f"has {size:,} bytes; at most {max_bytes:,} are taken", "refused", "Split the recording.")


def _receive(pieces: Iterable[bytes], path: Path, size: int, where: str) -> str:
    digest, count = hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in pieces:
            count += len(piece)
            if count > size:
                break
            digest.update(piece)
            file.write(piece)
    if count != size:
        raise _broken_off(count, size, where)
    return digest.hexdigest()


def whole(pieces: Iterable[bytes], *, size: int, where: str) -> bytes:
    """The pieces in one. Raises StorageError `unreachable` where they are not `size` bytes."""
    content = b"".join(pieces)
    if len(content) != size:
        raise _broken_off(len(content), size, where)
    return content


def _broken_off(count: int, size: int, where: str) -> StorageError:
    return fault(where, f"the answer broke off: {count:,} of {size:,} bytes came", "unreachable")
