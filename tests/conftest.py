"""What tests of several rooms share: the main job, run once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline import resources

SAMPLES = resources.ROOT / "data" / "samples"


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The main job's folder of calls: the samples, scored from their recordings as the README's first command does.

    It takes minutes, so test processes that run side by side share one: the first makes it, the others wait.
    """
    mine = tmp_path_factory.getbasetemp()
    shared = mine.parent if hasattr(request.config, "workerinput") else mine
    out, done = shared / "main-job", shared / "main-job-is-done"
    with FileLock(shared / "main-job.lock"):
        if not done.exists():
            _score_samples(out)
            done.touch()
    return out / "calls"


def _score_samples(out: Path) -> None:
    command = [sys.executable, "-m", "pipeline.cli", "score", SAMPLES, "--manifest", SAMPLES / "calls.csv"]
    done = subprocess.run([*command, "--out", out, "--engine", "sphinx"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Open " in done.stdout
