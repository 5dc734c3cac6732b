"""What this machine offers to worker processes: cores, memory and a GPU, within the limits of a container."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

import psutil

from pipeline.settings import ListenSettings

__all__ = ["cores", "free_memory", "uses_gpu"]

_NVIDIA = Path("/proc/driver/nvidia/version")
_CGROUP = Path("/sys/fs/cgroup")
"""Where Linux shows a container its own limits; source: https://docs.kernel.org/admin-guide/cgroup-v2.html, and for the
older names https://docs.kernel.org/admin-guide/cgroup-v1/."""
_MEMORY = ("memory.max", "memory/memory.limit_in_bytes")


def cores(limits: Path = _CGROUP) -> int:
    """The cores that this process may use, at least 1: not those that others have, nor more than its share of time."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = _share(limits)
    return count if quota <= 0 or period <= 0 else max(1, min(count, math.ceil(quota / period)))


def free_memory(limits: Path = _CGROUP) -> int:
    """Bytes of memory that this process may still take: what is free, and no more than its container may have."""
    allowed = [int(one) for name in _MEMORY if (one := _text(limits / name)).isdigit()]
    return min([psutil.virtual_memory().available, *allowed])


def uses_gpu(settings: ListenSettings) -> bool:
    """Whether the engine would run on this machine's GPU; torch is not asked, since the driver does without it."""
    if settings.engine in ("sphinx", "fake"):
        return False
    return settings.device == "cuda" or (settings.device == "auto" and _NVIDIA.exists())


def _share(limits: Path) -> tuple[int, int]:
    """Microseconds of processor time that are allowed in each period of so many; (0, 0) without a limit."""
    told = _text(limits / "cpu.max").split()
    told = told or [_text(limits / "cpu" / f"cpu.cfs_{name}_us") for name in ("quota", "period")]
    with suppress(ValueError):
        quota, period = map(int, told)
        return quota, period
    return 0, 0  # "max", or no such files


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        return ""
