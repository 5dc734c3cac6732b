"""What does orchestration cost, and does it stay flat? `python benchmarks/batch.py [orchestration memory unchanged
levels workers] [--calls N] [--objects N]`

Made-up one-minute calls of the fake engine, so that nothing but the batch itself is measured: planning, claims, ledger,
outputs, with local processes and through Prefect's temporary server. `workers` is the real engine on the samples'
recordings, one worker process against two. Every figure is of whole runs of `ridealong batch`, start included, unless
it says otherwise. Writes results/batch.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from pipeline.fakes import fake_bytes

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "data" / "samples"
RESULTS = HERE / "results" / "batch.json"
PARTS = ("orchestration", "memory", "unchanged", "levels", "workers")


class Tree:
    """The most memory that a process and all below it held at once, MiB of proportional set size, sampled."""

    def __init__(self, pid: int) -> None:
        self.peak = 0.0
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            self.peak = max(self.peak, self._now())

    def _now(self) -> float:
        total = 0
        try:
            for one in (self._root, *self._root.children(recursive=True)):
                total += one.memory_full_info().pss
        except psutil.Error:
            return 0.0
        return total / 2**20

    def stop(self) -> float:
        """The peak, MiB."""
        self._over.set()
        self._thread.join()
        return self.peak


def batch(source: Path, out: Path, *options: object) -> dict[str, object]:
    """What `ridealong batch` says of itself as JSON, with the seconds and the memory that its processes took."""
    command = [sys.executable, "-m", "pipeline.cli", "batch", source, "--out", out, "--json", *map(str, options)]
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    tree = Tree(child.pid)
    said, errors = child.communicate()
    seconds, memory = time.perf_counter() - began, tree.stop()
    if child.returncode != 0:
        sys.exit(f"the batch failed ({child.returncode}): {errors[-2000:]}")
    return {**json.loads(said.strip().splitlines()[-1]), "wall": seconds, "memory": memory}


def bucket(folder: Path, calls: int) -> Path:
    """A folder of that many made-up recordings of one minute, a thousand to a sub-folder."""
    for number in range(calls):
        path = folder / f"{number // 1000:03d}" / f"call-{number:06d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(fake_bytes(seconds=60, seed=number))
    return folder


def orchestration(place: Path, calls: int) -> dict[str, object]:
    """Calls a second with local processes and with Prefect, on the same bucket."""
    source = bucket(place / "calls", calls)
    rows: dict[str, object] = {"calls": calls}
    for runner in ("local", "prefect"):
        said = batch(source, place / runner, "--engine", "fake", "--runner", runner, "--workers", 2)
        rate = calls / float(said["wall"])
        rows[runner] = {"wall_s": round(said["wall"], 1), "calls_a_second": round(rate, 1)}
        rows[runner]["memory_mib"] = round(said["memory"])
        print(
            f"{runner}: {calls} calls in {said['wall']:.0f} s, {rate:.1f} a second, {said['memory']:.0f} MiB",
            flush=True,
        )
    overhead = rows["prefect"]["wall_s"] / rows["local"]["wall_s"]
    rows["prefect_over_local"] = round(overhead, 2)
    print(f"Prefect over a plain loop: {overhead:.2f} times the time (goal: 40 calls a second with Prefect)")
    return rows


def memory(place: Path, calls: int) -> dict[str, object]:
    """The most memory of a tenth of the calls against all of them."""
    rows: dict[str, object] = {}
    for runner in ("local", "prefect"):
        peaks = []
        for count in (calls // 10, calls):
            source = bucket(place / f"memory-{count}", count)
            said = batch(source, place / f"{runner}-{count}", "--engine", "fake", "--runner", runner, "--workers", 2)
            peaks.append(said["memory"])
        rows[runner] = {
            "tenth_mib": round(peaks[0]),
            "all_mib": round(peaks[1]),
            "ratio": round(peaks[1] / peaks[0], 3),
        }
        print(
            f"{runner}: {peaks[0]:.0f} MiB for {calls // 10}, {peaks[1]:.0f} MiB for {calls} calls (goal: within 15 %)"
        )
    return rows


def unchanged(place: Path, objects: int) -> dict[str, object]:
    """Seconds in which a second run finds nothing to do. The first one's ledger is made by scoring all."""
    source = bucket(place / "many", objects)
    batch(source, place / "many-out", "--engine", "fake", "--workers", 2)
    said = batch(source, place / "many-out", "--engine", "fake", "--workers", 2)
    print(f"unchanged: {objects} objects looked through in {said['wall']:.1f} s, {said['memory']:.0f} MiB (goal: 60 s)")
    return {"objects": objects, "wall_s": round(said["wall"], 1), "memory_mib": round(said["memory"])}


def levels(place: Path, calls: int) -> dict[str, object]:
    """Seconds to give stored calls new levels under another version of their rubric."""
    source = bucket(place / "levels", calls)
    batch(source, place / "levels-out", "--engine", "fake", "--workers", 2)
    text = (HERE.parent / "rubrics" / "discovery_call.yaml").read_text()
    changed = place / "discovery_call.yaml"
    version = next(line for line in text.splitlines() if line.startswith("version:"))
    changed.write_text(text.replace(version, 'version: "99.0"', 1))
    said = batch(source, place / "levels-out", "--engine", "fake", "--workers", 2, "--rubric", changed)
    print(f"levels: {calls} stored calls under a new rubric in {said['wall']:.1f} s (goal: 30 s)")
    return {"calls": calls, "wall_s": round(said["wall"], 1), "memory_mib": round(said["memory"])}


def workers(place: Path, copies: int = 3) -> dict[str, object]:
    """How many times faster two worker processes of the real engine are than one, alternating, start not counted."""
    source = place / "real"
    source.mkdir()
    recordings = [
        path for path in SAMPLES.iterdir() if path.suffix in {".wav", ".mp3", ".m4a", ".ogg", ".flac", ".webm"}
    ]
    for number in range(copies):
        for path in sorted(recordings):
            target = source / f"{path.stem}-{number}{path.suffix}"
            target.write_bytes(path.read_bytes() + b"\0" * number)  # the same content would be done once
    rows: dict[str, object] = {"recordings": copies * len(recordings)}
    for count in (1, 2):
        out = place / f"real-{count}"
        said = batch(source, out, "--engine", "sphinx", "--workers", count)
        rows[f"workers_{count}_s"] = round(float(said["seconds"]), 1)
        print(f"{count} worker(s): {said['seconds']:.0f} s", flush=True)
    rows["speedup"] = round(rows["workers_1_s"] / rows["workers_2_s"], 2)
    print(f"two workers over one: {rows['speedup']} times (goal: 1.7)")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=PARTS, choices=[*PARTS, []])
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--objects", type=int, default=100_000)
    chosen = parser.parse_args()
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for part in chosen.parts or PARTS:
        place = Path(tempfile.mkdtemp(prefix="ridealong-benchmark-"))
        os.environ["PREFECT_HOME"] = str(place / "prefect")
        try:
            size = {"unchanged": chosen.objects, "workers": 3}.get(part, chosen.calls)
            found[part] = {**globals()[part](place, size), "machine": f"{platform.machine()}, {os.cpu_count()} cores"}
        finally:
            shutil.rmtree(place, ignore_errors=True)
        RESULTS.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
