"""How fast are recordings decoded? Three-minute two-channel calls in each format, the child's start included.

Run: python benchmarks/decoding.py. Writes benchmarks/results/decoding.json. Speech-like sound (a committed recording,
repeated) is written in each format once; each file is decoded once to warm the disk and then `REPEATS` times.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
import wave
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from pipeline.listen.media import RATE, decode

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "tests" / "listen" / "audio" / "two_channels.flac"
RESULTS = ROOT / "benchmarks" / "results" / "decoding.json"
SECONDS = 180
REPEATS = 7
FORMATS = {
    "wav, 8 kHz": ("call.wav", ["-ar", "8000"]),
    "wav, 48 kHz": ("wide.wav", ["-ar", "48000"]),
    "mp3, 44.1 kHz": ("call.mp3", ["-ar", "44100", "-b:a", "64k"]),
    "m4a, 44.1 kHz": ("call.m4a", ["-ar", "44100", "-b:a", "64k"]),
    "opus, 48 kHz": ("call.opus", ["-ar", "48000", "-c:a", "libopus", "-b:a", "32k"]),
    "vorbis, 44.1 kHz": ("call.ogg", ["-ar", "44100", "-c:a", "libvorbis"]),
    "webm, 48 kHz": ("call.webm", ["-ar", "48000", "-c:a", "libopus", "-b:a", "32k"]),
    "flac, 16 kHz": ("call.flac", ["-ar", "16000", "-sample_fmt", "s16"]),
    "flac, 48 kHz": ("wide.flac", ["-ar", "48000", "-sample_fmt", "s16"]),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(name, file) for name, file in make_calls(Path(folder))]
    total = {"machine": platform.machine(), "cpus": os.cpu_count(), "seconds": SECONDS, "repeats": REPEATS}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({**total, "formats": rows}, indent=1) + "\n")
    print(f"{'format':18} {'median':>8} {'slowest':>8}   times real time; load {os.getloadavg()[0]:.1f}")
    for row in rows:
        print(f"{row['format']:18} {row['times_real_time']:8.0f} {row['slowest_times_real_time']:8.0f}")


def make_calls(folder: Path) -> list[tuple[str, Path]]:
    """The call in every format."""
    samples = np.array(decode(SOURCE).samples)
    samples = np.tile(samples, (1, SECONDS * RATE // samples.shape[1] + 1))[:, : SECONDS * RATE]
    raw = folder / "raw.wav"
    with wave.open(str(raw), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples.T * 32767).astype("<i2").tobytes())
    calls = []
    for name, (file, options) in FORMATS.items():
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", raw, *options, folder / file]
        subprocess.run(command, check=True)
        calls.append((name, folder / file))
    return calls


def measure(name: str, file: Path) -> dict[str, object]:
    """The speed on one file as a multiple of real time."""
    decode(file)
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        duration = decode(file).duration
        times.append(duration / (time.perf_counter() - began))
    return {
        "format": name,
        "bytes": file.stat().st_size,
        "times_real_time": round(statistics.median(times)),
        "slowest_times_real_time": round(min(times)),
    }


if __name__ == "__main__":
    main()
