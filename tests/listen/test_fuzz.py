"""Damaged recordings of every format: samples or a clear error, nothing else, and the parent does not grow.

A seeded sample; `benchmarks/fuzzing.py` runs a thousand of each.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.listen.fuzzing import FORMATS, damaged, make_files, outcome

COPIES = 10
_MOST_GROWTH = 32 * 1024**2  # bytes of resident memory


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return make_files(tmp_path_factory.mktemp("whole"))


def test_the_whole_files_are_decoded(files: dict[str, bytes], tmp_path: Path) -> None:
    for name in FORMATS:
        path = tmp_path / FORMATS[name][0]
        path.write_bytes(files[name])
        assert outcome(path).reason == "decoded", name


def test_the_same_seed_gives_the_same_damage(files: dict[str, bytes]) -> None:
    for name in FORMATS:
        copies = [damaged(files, name, number) for number in range(50)]
        assert copies == [damaged(files, name, number) for number in range(50)]
        assert len(set(copies)) > 40


@pytest.mark.slow
def test_damaged_files_give_samples_or_a_clear_error(files: dict[str, bytes], tmp_path: Path) -> None:
    def tried(case: tuple[str, int]) -> str:
        name, number = case
        path = tmp_path / f"{number}-{FORMATS[name][0]}"
        path.write_bytes(damaged(files, name, number))
        fault = outcome(path).fault
        path.unlink()
        return f"{name} {number}: {fault}" if fault else ""

    tried(("mp3", 0))
    before = _resident()
    cases = [(name, number) for name in FORMATS for number in range(COPIES)]
    with ThreadPoolExecutor(2) as pool:
        assert [fault for fault in pool.map(tried, cases) if fault] == []
    if before is not None:
        assert (_resident() or 0) - before < _MOST_GROWTH


def _resident() -> int | None:
    """Resident memory of this process in bytes, or None where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    import resource

    return pages * resource.getpagesize()
