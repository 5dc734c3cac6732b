"""A worker process: gone when its driver is, deaf to Ctrl-C, with as many threads as it may have, the same results."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipeline import resources
from pipeline.listen.transcribe import choose_engine
from pipeline.settings import ListenSettings

SAMPLE = resources.ROOT / "data" / "samples" / "reference" / "hotel-demo.vtt"
CUES = 9  # of the sample: its opening is enough to be judged
DRIVER = """
import multiprocessing, os, sys, time
from pipeline.batch.work import start_worker
from pipeline.settings import ListenSettings

def worker(pipe):
    start_worker(ListenSettings(threads=1))
    assert "numpy" not in sys.modules  # it would have read the variables before they were set
    pipe.send((os.getpid(), os.environ["OMP_NUM_THREADS"]))
    time.sleep(600)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    context.Process(target=worker, args=(theirs,), daemon=True).start()
    print(*ours.recv(), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def driver(tmp_path: Path):
    """A process with one worker, the worker, and how many threads the worker was given."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER, encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as process:
        try:
            pid, threads = process.stdout.readline().split()
            yield process, psutil.Process(int(pid)), int(threads)
        finally:
            process.kill()


def is_gone(process: psutil.Process, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_worker_ends_with_a_driver_that_is_killed(driver) -> None:
    process, worker, threads = driver
    assert threads == 1
    assert not is_gone(worker, 0.2)
    process.kill()
    assert is_gone(worker, 5)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal for one process")
def test_worker_does_not_hear_an_interrupt(driver) -> None:
    _, worker, _ = driver
    os.kill(worker.pid, signal.SIGINT)
    assert not is_gone(worker, 0.5)


def test_worker_gives_the_embedded_engine_its_threads() -> None:
    engine, _ = choose_engine(ListenSettings(engine="sphinx", threads=1))
    try:
        assert len(engine._workers) == 1
    finally:
        engine.close()


def test_worker_gives_the_same_scorecard_with_one_thread_as_with_two(tmp_path) -> None:
    code = (
        "import sys; from pipeline.batch.work import start_worker; from pipeline.settings import ListenSettings; "
        "start_worker(ListenSettings(threads=int(sys.argv[1]))); from pipeline.score import score_call; "
        "score_call(sys.argv[2], out=sys.argv[3]); import torch; print(torch.get_num_threads())"
    )
    call = tmp_path / "opening.vtt"
    call.write_text("\n\n".join(SAMPLE.read_text(encoding="utf-8").split("\n\n")[:CUES]), encoding="utf-8")
    for threads in ("1", "2"):
        command = [sys.executable, "-c", code, threads, str(call), str(tmp_path / threads)]
        assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == threads
    one, two = (tmp_path / threads / "calls" / "opening" for threads in ("1", "2"))
    for name in ("call.json", "findings.json", "scorecard.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
