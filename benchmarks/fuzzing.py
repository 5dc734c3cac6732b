"""What becomes of damaged recordings? Each damaged copy is decoded as any recording is, in a process of its own.

Run: python benchmarks/fuzzing.py [--count 1000] [--workers 2]. Writes benchmarks/results/fuzzing.json and ends with 1
where an answer was neither samples nor a clear error. The seeds are fixed: the same count tries the same files.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.listen.fuzzing import FORMATS, Outcome, damaged, make_files, outcome  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "fuzzing.json"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--count", type=int, default=1000, help="damaged copies of each format")
    options.add_argument("--workers", type=int, default=2, help="how many are decoded at once")
    options.add_argument("--formats", nargs="*", default=list(FORMATS), choices=list(FORMATS))
    wanted = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(wanted.workers) as pool:
        files = make_files(Path(folder))
        list(pool.map(lambda number: tried(files, Path(folder), "wav", number), range(wanted.workers)))  # warm-up
        before = peak()
        rows = {name: measure(files, Path(folder), name, wanted.count, pool) for name in wanted.formats}
    total = {"count": wanted.count, "parent_peak_mib": round(peak()), "parent_growth_mib": round(peak() - before, 1)}
    RESULTS.write_text(json.dumps({**total, "formats": rows}, indent=1, ensure_ascii=False) + "\n")
    print(f"parent: {total['parent_peak_mib']} MiB at most, {total['parent_growth_mib']} MiB more than at the start")
    return int(any(row["faults"] for row in rows.values()))


def measure(
    files: dict[str, bytes], folder: Path, name: str, count: int, pool: ThreadPoolExecutor
) -> dict[str, object]:
    """One format's row."""
    answers = list(pool.map(lambda number: tried(files, folder, name, number), range(count)))
    reasons = Counter(answer.reason for _, answer in answers)
    row = {
        "tried": len(answers),
        "decoded": reasons.pop("decoded", 0),
        "refused": dict(sorted(reasons.items())),
        "faults": [f"{number}: {answer.fault}" for number, (_, answer) in enumerate(answers) if answer.fault],
        "slowest_seconds": round(max(seconds for seconds, _ in answers), 2),
    }
    print(f"{name:18} {json.dumps(row, ensure_ascii=False)}", flush=True)
    return row


def tried(files: dict[str, bytes], folder: Path, name: str, number: int) -> tuple[float, Outcome]:
    """Seconds, and what became of a damaged copy."""
    path = folder / f"{number}-{FORMATS[name][0]}"
    path.write_bytes(damaged(files, name, number))
    began = time.perf_counter()
    try:
        answer = outcome(path)
    except Exception as error:  # the very thing that must not happen: counted, and the rest is still tried
        answer = Outcome(f"raised {type(error).__name__}", f"{type(error).__name__}: {error}")
    seconds = time.perf_counter() - began
    path.unlink()
    return seconds, answer


def peak() -> float:
    """The most resident memory of this process so far, in MiB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    raise SystemExit(main())
