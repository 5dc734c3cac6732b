"""Two folders change names in one step, where the system can do that: nobody ever sees neither of them."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

_HERE = -100  # AT_FDCWD: relative paths begin at the working folder
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2), RENAME_SWAP of renamex_np(2) on macOS
_NOT_OFFERED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}
"""What systems and file systems answer that cannot do it; network drives mostly."""


def exchange(one: Path, other: Path) -> bool:
    """Whether the two paths have changed places; False where system or file system offers no such step.

    Raises OSError where it is offered and fails.
    """
    swap = _swap()
    if swap is None:
        return False
    ends = os.fsencode(one), os.fsencode(other)
    failed = swap(*ends, _EXCHANGE) if sys.platform == "darwin" else swap(_HERE, ends[0], _HERE, ends[1], _EXCHANGE)
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in _NOT_OFFERED:
        return False
    raise OSError(code, os.strerror(code), str(one))


@lru_cache(maxsize=1)
def _swap() -> Any:
    """The C library's function; None where it has none."""
    if sys.platform not in ("linux", "darwin"):
        return None
    library = ctypes.CDLL(None, use_errno=True)
    return getattr(library, "renamex_np" if sys.platform == "darwin" else "renameat2", None)
