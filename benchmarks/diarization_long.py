"""How do memory and time of telling voices apart grow with a call's length, with windows and without?

Run: python benchmarks/diarization_long.py. Writes benchmarks/results/diarization_long.json. pyannote's real pipeline
runs as its published configuration says (chunks of 10 s, a second apart; VBx clustering), with seeded numbers for two
people in the place of what its two networks say: a network's cost is the same for every chunk, while scores, embeddings
and clustering grow. So the seconds are those on top of the networks'. Every case has a process of its own; its memory
is the peak less what was taken after a call of 30 s. The embedding network's memory is measured for itself.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
import warnings
import wave
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.listen.media import RATE
from pipeline.listen.pyannote_diarizer import WINDOW, PyannoteDiarizer
from pipeline.torch_runtime import prepare

RESULTS = Path(__file__).resolve().parent / "results" / "diarization_long.json"
CASES = ((20, True), (40, True), (60, True), (60, False), (180, True), (120, False))  # minutes, in windows
BATCHES = (1, 8, 32)
DIMENSION, FRAMES = 256, 589  # of an embedding, and of a chunk


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--window", type=float, default=WINDOW)
    parser.add_argument("--batch", type=int)
    options = parser.parse_args()
    if options.batch:
        print(json.dumps(measure_batch(options.batch)))
    elif options.minutes:
        print(json.dumps(measure(options.minutes, options.window)))
    else:
        compare()


def compare() -> None:
    """Every case in a process of its own; the results so far are written after each."""
    rows: list[dict[str, Any]] = []
    batches: list[dict[str, Any]] = []
    RESULTS.parent.mkdir(parents=True, exist_ok=True)

    def write() -> None:
        results = {"machine": platform.machine(), "calls": rows, "batches": batches}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")

    for size in BATCHES:
        batches.append(row := ask("--batch", str(size)))
        print(
            f"embedding network, {size} chunks at once: {row['peak_mib']} MiB, {row['cpu_seconds']} s each", flush=True
        )
        write()
    print(f"{'minutes':>8} {'windows':>8} {'people':>7} {'peak MiB':>9} {'CPU s':>7}")
    for minutes, cut in CASES:
        rows.append(row := ask("--minutes", str(minutes), "--window", str(WINDOW if cut else 1e9)))
        shown = f"{row['minutes']:8g} {row['windows']:8} {row['people']:7} {row['peak_mib']:9} {row['cpu_seconds']:7}"
        print(shown, flush=True)
        write()


def ask(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, __file__, *arguments]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def measure(minutes: float, window: float) -> dict[str, object]:
    """Peak memory over that of a short call, and CPU seconds."""
    pipeline = seeded_pipeline()
    windows: list[float] = []

    def watched(file: dict[str, Any], **told: Any) -> Any:
        windows.append(file["waveform"].shape[1] / RATE)
        return pipeline(file, **told)

    diarizer = PyannoteDiarizer(watched, model_name="seeded", revision="0", seconds=1e9, window=window)
    with tempfile.TemporaryFile() as file:
        samples = call_on_disk(minutes, file)
        diarizer(samples[: 30 * RATE], speakers=(2, 2))
        before, began = peak_mib(), time.process_time()
        windows.clear()
        found = diarizer(samples, speakers=(2, 2))
    return {
        "minutes": minutes,
        "windows": len(windows),
        "longest_window": max(windows),
        "people": len({one.speaker for one in found}),
        "peak_mib": round(peak_mib() - before),
        "cpu_seconds": round(time.process_time() - began, 1),
    }


def measure_batch(size: int) -> dict[str, object]:
    """Peak memory of the published embedding network's kind on one batch, and CPU seconds a chunk."""
    prepare()
    warnings.simplefilter("ignore")
    import torch
    from pyannote.audio.models.embedding import WeSpeakerResNet34

    network = WeSpeakerResNet34().eval()
    with torch.inference_mode():
        network(torch.zeros(1, 1, RATE), torch.ones(1, 50))
        before, began = peak_mib(), time.process_time()
        network(torch.zeros(size, 1, 10 * RATE), torch.ones(size, 589))
    cpu = (time.process_time() - began) / size
    return {"batch": size, "peak_mib": round(peak_mib() - before), "cpu_seconds": round(cpu, 2)}


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def call_on_disk(minutes: float, file: Any) -> np.ndarray:
    """pyannote's phone call over and over, mapped from disk as a decoded recording is."""
    import importlib.util

    spec = importlib.util.find_spec("pyannote")
    assert spec is not None and spec.submodule_search_locations
    with wave.open(
        str(Path(next(iter(spec.submodule_search_locations))) / "audio" / "sample" / "sample.wav")
    ) as source:
        sound = np.frombuffer(source.readframes(source.getnframes()), "<i2").astype(np.float32) / 32768
    samples = np.memmap(file, dtype=np.float32, mode="w+", shape=round(minutes * 60 * RATE))
    for start in range(0, len(samples), len(sound)):
        samples[start : start + len(sound)] = sound[: len(samples) - start]
    return samples


class SeededVoices:
    """Two people who take turns, and their embeddings."""

    sample_rate, dimension, metric, min_num_samples = RATE, DIMENSION, "cosine", 400

    def __init__(self) -> None:
        self._draw = np.random.default_rng(0)
        self._people = self._draw.standard_normal((2, DIMENSION))

    def segment(self, chunks: Any) -> np.ndarray:
        """(batch, frames, voices): the first speaks until a random frame, then the second, with a little overlap."""
        scores = np.zeros((len(chunks), FRAMES, 3), np.float32)
        for row, change in zip(scores, self._draw.integers(0, FRAMES, len(chunks)), strict=True):
            row[: change + 20, 0] = row[change:, 1] = 1.0
        return scores

    def __call__(self, waveforms: Any, masks: Any) -> np.ndarray:
        """(batch, dimension): the first person's where the chunk begins with the voice, else the second's."""
        who = (masks[:, 0] == 0).numpy().astype(int)
        return self._people[who] + 0.5 * self._draw.standard_normal((len(who), DIMENSION))


def seeded_pipeline() -> Any:
    """The published pipeline's configuration with the tiny checkpoints of the tests."""
    prepare()
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "listen"))
    warnings.simplefilter("ignore")
    import conftest
    import torch
    from pyannote.audio import Pipeline

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        made = conftest.write_pyannote(Path(folder), chunk=10.0, step=0.1)
        pipeline = Pipeline.from_pretrained(made)
    pipeline._embedding = voices = SeededVoices()
    pipeline._segmentation.infer = voices.segment
    pipeline.segmentation_batch_size = pipeline.embedding_batch_size = 8
    return pipeline


if __name__ == "__main__":
    main()
