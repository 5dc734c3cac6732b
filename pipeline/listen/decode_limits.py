"""What the decoding process may use: limits that it sets for itself before it looks at a file, and can never raise.

Only limits that any user may set; a system without one of them goes without it.
"""

from __future__ import annotations

import contextlib


def limit_process(memory_bytes: int, cpu_seconds: int, output_bytes: int) -> None:
    """Bound this process's memory, computing time and output; no core dumps, no processes of its own.

    Nothing where the system has no limits.
    """
    _limit("AS", memory_bytes)
    _limit("CPU", cpu_seconds)
    _limit("FSIZE", output_bytes)
    _limit("CORE", 0)
    _limit("NPROC", 0)  # root is free of it


def open_no_more() -> None:
    """From here on this process can open nothing: no file, no socket, no program. What is open stays so."""
    _limit("NOFILE", 0)


def _limit(kind: str, value: int) -> None:
    """Lower one limit, never raise it; where the system does not have it, the others must do."""
    try:
        import resource
    except ImportError:  # Windows
        return
    number = getattr(resource, f"RLIMIT_{kind}", None)
    if number is None:
        return
    grace = int(kind == "CPU")  # at the soft limit it can be told from a crash, at the hard one it is killed
    hard = resource.getrlimit(number)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard - grace)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses some; the wall clock still holds
        resource.setrlimit(number, (value, value + grace))
