"""Whole batches for tests: fake recordings that count how often they were listened to, and `ridealong batch` on them in
a process of its own, in an environment of its own."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from pipeline.fakes import fake_bytes

TIMES = ["first_seen", "claimed_at", "started_at", "finished_at", "wall_seconds"]
"""Columns of the ledger that differ from run to run."""
BOOKS = ["id", "run", "claim", "generation", "claimed_generation", "attempts", "interruptions"]
"""Columns that tell how a result came about, and not what it is."""


@dataclass
class Site:
    """A source, a place for scorecards, a folder for temporary files and the log of what was listened to."""

    root: Path
    source: str = ""
    out: str = ""
    options: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.source = self.source or str(self.root / "source")
        self.out = self.out or str(self.root / "out")
        for folder in ("source", "tmp", "home"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)

    @property
    def log(self) -> Path:
        return self.root / "listened.log"

    @property
    def listened(self) -> Counter[str]:
        """Call id -> how often it was listened to."""
        return Counter(self.log.read_text(encoding="utf-8").split("\n")[:-1] if self.log.exists() else ())

    def fake(self, **values) -> bytes:
        return fake_bytes(log=str(self.log), **values)

    def fakes(self, count: int, **values) -> None:
        for number in range(count):
            path = Path(self.source) / f"call-{number:03}.wav"
            path.write_bytes(self.fake(seed=number, **values))

    def start(self, *options: str) -> subprocess.Popen[str]:
        """The batch in a process group of its own."""
        command = [sys.executable, "-m", "pipeline.cli", "batch", self.source, "--out", self.out, "--engine", "fake"]
        command += [*self.options, *options, "--json"]
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
        own = {"HOME": str(self.root / "home"), "TMPDIR": str(self.root / "tmp"), "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            command,
            cwd=Path(__file__).parents[2],
            env={**kept, **own, **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *options: str) -> dict:
        """What the batch says at its end; it must not fail."""
        done = ended(self.start(*options))
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout.splitlines()[-1])

    @property
    def ledger(self) -> Path:
        return Path(self.out) / "ledger.db"

    def rows(self, *without: str) -> list[dict]:
        """The recordings in the ledger, by key, without these columns."""
        connection = sqlite3.connect(self.ledger)
        try:
            connection.row_factory = sqlite3.Row
            found = [dict(row) for row in connection.execute("SELECT * FROM recordings ORDER BY key")]
        finally:
            connection.close()
        return [{name: value for name, value in row.items() if name not in without} for row in found]

    def files(self) -> dict[str, bytes]:
        """All that there is of the calls, by path."""
        calls = Path(self.out) / "calls"
        return {str(path.relative_to(calls)): path.read_bytes() for path in calls.rglob("*") if path.is_file()}

    def leftovers(self) -> list[str]:
        """What should not be there once nothing runs: temporary files, unfinished calls, processes."""
        unfinished = [str(path) for path in Path(self.out).glob("calls/.*")]
        return unfinished + [str(path) for path in (self.root / "tmp").iterdir()] + list(map(str, self.processes()))

    def processes(self) -> list[psutil.Process]:
        """Processes of these batches that still run, workers too."""
        mine = f"TMPDIR={self.root / 'tmp'}"
        found = []
        for process in psutil.process_iter():
            try:
                if (
                    process.status() != psutil.STATUS_ZOMBIE
                    and mine in Path(f"/proc/{process.pid}/environ").read_text()
                ):
                    found.append(process)
            except (OSError, psutil.Error):
                continue
        return found


@dataclass
class Ended:
    returncode: int
    stdout: str
    stderr: str


def ended(process: subprocess.Popen[str], seconds: float = 120) -> Ended:
    """The process's end; one that does not end is killed with its group, and the test fails."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"the batch did not end within {seconds} s\n{err}{out}") from None
    return Ended(process.returncode, out, err)
