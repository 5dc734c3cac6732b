"""Does the whole job cost more than a tenth on top of the engine? `python benchmarks/whole_job.py [--repeats N]`

Side by side in one run, alternating, on the samples' own recordings with the embedded engine: the engine alone on the
channels that the whole job hands it, against `ridealong score` as a process of its own, start and loading included.
Writes results/whole_job.json.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "data" / "samples"
RECORDINGS = sorted(
    path for path in SAMPLES.iterdir() if path.suffix in {".wav", ".mp3", ".m4a", ".ogg", ".flac", ".webm"}
)

ENGINE = """
import sys, time
from pathlib import Path
from pipeline.listen import recording
from pipeline.listen.sphinx import SphinxTranscriber

class Timed(SphinxTranscriber):
    spent = 0.0
    def __call__(self, *args, **kwargs):
        began = time.perf_counter()
        try:
            return super().__call__(*args, **kwargs)
        finally:
            Timed.spent += time.perf_counter() - began

engine = Timed()
seconds = sum(recording.hear(Path(path), transcriber=engine).duration for path in sys.argv[1:])
print(Timed.spent, seconds)
"""


def engine_alone() -> tuple[float, float]:
    """(seconds inside the engine, seconds of audio) over all recordings, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", ENGINE, *RECORDINGS], check=True, capture_output=True, text=True)
    spent, audio = map(float, done.stdout.split())
    return spent, audio


def whole_job() -> float:
    """Wall seconds of `ridealong score` on the same recordings."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "pipeline.cli", "score", *RECORDINGS, "--manifest", SAMPLES / "calls.csv"]
        began = time.perf_counter()
        subprocess.run([*command, "--out", out, "--engine", "sphinx"], check=True, capture_output=True)
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    rows = []
    for number in range(repeats):
        alone, audio = engine_alone()
        whole = whole_job()
        rows.append({"engine_s": round(alone, 2), "whole_s": round(whole, 2), "ratio": round(whole / alone, 3)})
        print(f"run {number + 1}: engine {alone:.1f} s, whole job {whole:.1f} s, ratio {whole / alone:.3f}", flush=True)
    ratio = statistics.median(row["ratio"] for row in rows)
    print(f"median ratio {ratio:.3f} over {repeats} runs, {audio / 60:.1f} minutes of audio (goal: under 1.1)")
    result = {"audio_s": round(audio, 1), "runs": rows, "median_ratio": ratio, "machine": platform.machine()}
    (HERE / "results" / "whole_job.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
