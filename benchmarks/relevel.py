"""How many stored scorecards a second are levelled by another rubric, on one core? Prints and writes the rate.

    python benchmarks/relevel.py

The transcripts of the samples are scored once and their scorecards copied to a thousand calls; those are levelled by a
rubric with other thresholds three times. The median rate counts, with reading, writing and the bridge.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from pipeline.assess.rubric import Rubric, rubric_for
from pipeline.relevel import relevel_folder
from pipeline.score import score_call

ROOT = Path(__file__).resolve().parent.parent
CALLS, RUNS, GOAL = 1000, 3, 300


def main() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as made:
        scores = stored(Path(made))
        rates = []
        for run in range(RUNS):
            started = time.perf_counter()
            bridge = relevel_folder(scores, Path(made) / f"new-{run}", stricter())
            rates.append(bridge.calls / (time.perf_counter() - started))
    rate = round(statistics.median(rates))
    print(f"{rate} scorecards a second on one core (goal: {GOAL}; runs: {', '.join(f'{one:.0f}' for one in rates)})")
    results = ROOT / "benchmarks" / "results" / "relevel.json"
    answer = {"calls": CALLS, "a_second": rate, "runs": [round(one) for one in rates], "goal": GOAL}
    results.write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {results.relative_to(ROOT)}", file=sys.stderr)


def stored(folder: Path) -> Path:
    """A folder of scorecards: those of the samples' transcripts, over and over."""
    for transcript in sorted((ROOT / "data" / "samples" / "reference").glob("*.vtt")):
        score_call(transcript, out=folder / "samples")
    files = sorted((folder / "samples" / "calls").glob("*/scorecard.json"))
    for number in range(CALLS):
        call = folder / "scores" / "calls" / f"call-{number:04d}"
        call.mkdir(parents=True)
        shutil.copy(files[number % len(files)], call)
    return folder / "scores"


def stricter() -> Rubric:
    rubric = rubric_for("demo")
    return replace(
        rubric, version="2", behaviours=tuple(replace(b, thresholds=(0.5, 0.6, 0.7)) for b in rubric.behaviours)
    )


if __name__ == "__main__":
    main()
