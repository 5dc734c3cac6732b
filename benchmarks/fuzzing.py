"""What becomes of damaged recordings? Each damaged copy is decoded as any recording is, in a process of its own.

Run: python benchmarks/fuzzing.py [--count 1000] [--workers 2] [--fork]. Writes benchmarks/results/fuzzing.json and ends
with 1 where an answer was neither samples nor a clear error. The seeds are fixed: the same count tries the same files.
With --fork the decoding processes are forked from one that has PyAV loaded, in place of starting Python anew each time:
four times as fast, the same code under the same limits.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.listen import decode_child, decode_process  # noqa: E402
from tests.listen.fuzzing import FORMATS, Outcome, damaged, make_files, outcome  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "fuzzing.json"
_AT_ONCE = 20  # files that a worker takes in one go

_files: dict[str, bytes] = {}
_at_start = 0.0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--count", type=int, default=1000, help="damaged copies of each format")
    options.add_argument("--workers", type=int, default=2, help="how many decode at once")
    options.add_argument("--formats", nargs="*", default=list(FORMATS), choices=list(FORMATS))
    options.add_argument("--fork", action="store_true", help="fork the decoding processes, which is faster")
    wanted = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare = (Path(folder), wanted.fork)
        with ProcessPoolExecutor(wanted.workers, initializer=start_worker, initargs=prepare) as pool:
            rows = {name: measure(Path(folder), name, wanted.count, pool) for name in wanted.formats}
    how = "forked" if wanted.fork else "started"
    RESULTS.write_text(
        json.dumps({"count": wanted.count, "processes": how, "formats": rows}, indent=1, ensure_ascii=False) + "\n"
    )
    return int(any(row["faults"] for row in rows.values()))


def measure(folder: Path, name: str, count: int, pool: ProcessPoolExecutor) -> dict[str, Any]:
    """One format's row."""
    answers = list(pool.map(tried, *zip(*((folder, name, n) for n in range(count)), strict=True), chunksize=_AT_ONCE))
    reasons = Counter(answer.reason for _, answer, _, _ in answers)
    row = {
        "tried": len(answers),
        "decoded": reasons.pop("decoded", 0),
        "refused": dict(sorted(reasons.items())),
        "faults": [f"{number}: {one[1].fault}" for number, one in enumerate(answers) if one[1].fault],
        "slowest_seconds": round(max(one[0] for one in answers), 2),
        "parent_peak_mib": round(max(one[2] for one in answers), 1),
        "parent_growth_mib": round(max(one[3] for one in answers), 1),
    }
    print(f"{name:18} {json.dumps(row, ensure_ascii=False)}", flush=True)
    return row


def start_worker(folder: Path, fork: bool) -> None:
    """Make the whole files, and decode one of each, before memory is looked at."""
    global _at_start
    own = folder / str(os.getpid())
    own.mkdir()
    _files.update(make_files(own))
    if fork:
        import av  # noqa: F401 - for the processes to come

        decode_process.subprocess.Popen = Forked  # type: ignore[misc,assignment]
    for path in sorted(own.iterdir()):
        outcome(path)
    _at_start = peak()


def tried(folder: Path, name: str, number: int) -> tuple[float, Outcome, float, float]:
    """Seconds, what became of a damaged copy, and the parent's peak of memory and its growth, in MiB."""
    path = folder / f"{number}-{FORMATS[name][0]}"
    path.write_bytes(damaged(_files, name, number))
    began = time.perf_counter()
    try:
        answer = outcome(path)
    except Exception as error:  # the very thing that must not happen: counted, and the rest is still tried
        answer = Outcome(f"raised {type(error).__name__}", f"{type(error).__name__}: {error}")
    seconds = time.perf_counter() - began
    path.unlink()
    return seconds, answer, peak(), peak() - _at_start


def peak() -> float:
    """The most resident memory of this process so far, in MiB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Forked:
    """What `decode_process` needs of subprocess.Popen, with a copy of this process for the child."""

    def __init__(self, command: list[str], *, stdin: Any, stdout: Any, stderr: int, env: dict[str, str]) -> None:
        said, says = os.pipe()
        self.returncode: int | None = None
        self._child = os.fork()
        if self._child == 0:
            for number, source in enumerate((stdin.fileno(), stdout.fileno(), says)):
                os.dup2(source, number)
            os.closerange(3, 256)
            sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
            decode_child.run(command[-1])
        os.close(says)
        self.stderr = os.fdopen(said, "rb")

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        self.stderr.close()
        self.wait()

    def poll(self) -> int | None:
        """The exit status, or None while the child runs."""
        return self.returncode if self.returncode is not None else self._waited(os.WNOHANG)

    def wait(self) -> int | None:
        """The exit status, once there is one."""
        return self.returncode if self.returncode is not None else self._waited(0)

    def kill(self) -> None:
        """End the child at once."""
        if self.returncode is None:
            os.kill(self._child, signal.SIGKILL)

    def _waited(self, how: int) -> int | None:
        child, status = os.waitpid(self._child, how)
        if child:
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


if __name__ == "__main__":
    raise SystemExit(main())
