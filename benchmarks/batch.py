"""What does orchestration cost, and does it stay flat? `python benchmarks/batch.py [orchestration unchanged workers]`

Made-up one-minute calls of the fake engine, so that nothing but the batch itself is measured: planning, claims, ledger,
outputs, with local processes and through Prefect's temporary server. `workers` is the real engine on copies of a
sample's recording, one worker process against two. Every figure is of whole runs of `ridealong batch`, start included,
unless it says otherwise. Writes results/batch.json.
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
from typing import Any

import psutil

from pipeline.archive.buckets import open_bucket
from pipeline.archive.ledger import open_ledger
from pipeline.archive.recordings import Done
from pipeline.archive.scores import open_scores
from pipeline.batch.places import default_ledger
from pipeline.batch.plan import make_plan
from pipeline.batch.versions import rules_of
from pipeline.fakes import fake_bytes
from pipeline.settings import ListenSettings

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "data" / "samples"
RESULTS = HERE / "results" / "batch.json"
PARTS = ("orchestration", "unchanged", "workers")
Row = dict[str, Any]


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


def batch(source: Path, out: Path, *options: object) -> Row:
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


def orchestration(place: Path, calls: int) -> Row:
    """Calls a second with local processes and with Prefect on the same bucket, and the most memory that a tenth of the
    calls and all of them take."""
    row: Row = {"calls": calls}
    for runner in ("local", "prefect"):
        found = {}
        for count in (calls // 10, calls):
            source = bucket(place / f"calls-{count}", count)
            said = batch(source, place / f"{runner}-{count}", "--engine", "fake", "--runner", runner, "--workers", 2)
            found[count] = said
            print(f"{runner}: {count} calls in {said['wall']:.0f} s, {said['memory']:.0f} MiB at most", flush=True)
        row[runner] = {
            "wall_s": round(found[calls]["wall"], 1),
            "calls_a_second": round(calls / found[calls]["wall"], 1),
            "memory_mib": round(found[calls]["memory"]),
            "memory_ratio": round(found[calls]["memory"] / found[calls // 10]["memory"], 3),
        }
        if runner == "local":  # before Prefect, whose temporary server writes on for a while
            row["levels"] = levels(place, place / f"calls-{calls}", place / f"local-{calls}", calls)
        print(f"{runner}: {row[runner]} (goals: 40 a second with Prefect, memory within 15 % of a tenth's)", flush=True)
    row["prefect_over_local"] = round(row["prefect"]["wall_s"] / row["local"]["wall_s"], 2)
    print(f"Prefect over a plain loop: {row['prefect_over_local']} times the time")
    return row


def levels(place: Path, source: Path, out: Path, calls: int) -> Row:
    """Seconds to give stored calls new levels under another version of their rubric."""
    text = (HERE.parent / "rubrics" / "discovery_call.yaml").read_text()
    changed = place / "discovery_call.yaml"
    version = next(line for line in text.splitlines() if line.startswith("version:"))
    changed.write_text(text.replace(version, 'version: "99.0"', 1))
    said = batch(source, out, "--engine", "fake", "--workers", 2, "--rubric", changed)
    print(f"levels: {calls} stored calls under a new rubric in {said['wall']:.1f} s (goal: 30 s)", flush=True)
    return {"calls": calls, "wall_s": round(said["wall"], 1), "memory_mib": round(said["memory"])}


def unchanged(place: Path, objects: int) -> Row:
    """Seconds in which a run finds nothing to do. The ledger is told that all is done; nothing was listened to."""
    source, out = bucket(place / "many", objects), place / "many-out"
    settings = ListenSettings(engine="fake")
    (out / "calls").mkdir(parents=True)
    with open_ledger(default_ledger(out)) as book:
        book.serve(open_scores(out).url)
        place_ = open_bucket(source)
        rules = rules_of(settings)
        make_plan(place_, book, rules, out=out)
        run = book.begin({})
        while claimed := book.claim(run, place_.url, 1000, rules.plan):
            book.start_many([one.id for one in claimed], run)
            book.finish_many(
                run, {one.id: Done(one.etag.rjust(64, "0"), one.wanted, {}, 60.0, 0.01, "cpu") for one in claimed}
            )
        book.end(run)
    said = batch(source, out, "--engine", "fake", "--workers", 2)
    if said["plan"]["unchanged"] != objects:
        sys.exit(f"the ledger was not taken as it is: {said['plan']}")
    print(f"unchanged: {objects} objects looked through in {said['wall']:.1f} s, {said['memory']:.0f} MiB (goal: 60 s)")
    return {"objects": objects, "wall_s": round(said["wall"], 1), "memory_mib": round(said["memory"])}


def workers(place: Path, copies: int) -> Row:
    """How many times faster two workers of the real engine are than one; loading is counted, planning is not."""
    source = place / "real"
    source.mkdir()
    recording = (SAMPLES / "routes-discovery.wav").read_bytes()
    for number in range(copies):
        (source / f"routes-{number}.wav").write_bytes(recording + b"\0" * number)  # equal content would be done once
    rows: Row = {"recordings": copies}
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
            size = {"unchanged": chosen.objects, "workers": 4}.get(part, chosen.calls)
            found[part] = {**globals()[part](place, size), "machine": f"{platform.machine()}, {os.cpu_count()} cores"}
        finally:
            shutil.rmtree(place, ignore_errors=True)
        RESULTS.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
