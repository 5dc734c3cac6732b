"""How fast are recordings decoded? Two-channel calls of 3 and 30 minutes, the child's start included.

Run: python benchmarks/decoding.py. Writes benchmarks/results/decoding.json. Speech-like sound (a committed recording,
repeated) is written in each format once; each file is decoded once to warm the disk and then several times.
Two figures a file: by the clock, which counts what else the machine does, and by the computing time of both processes,
which is what the clock shows on an idle machine, and what a batch of calls costs.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from pipeline.listen.media import RATE, decode

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "tests" / "listen" / "audio" / "two_channels.flac"
RESULTS = ROOT / "benchmarks" / "results" / "decoding.json"
GOAL = 500
SECONDS = 180
LONGER = 10  # times the short call
REPEATS = {SECONDS: 9, SECONDS * LONGER: 3}
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
WITH_GOAL = ("wav, 8 kHz", "mp3, 44.1 kHz", "m4a, 44.1 kHz", "opus, 48 kHz", "webm, 48 kHz")


def main() -> None:
    print(f"{'format':18} {'minutes':>7} {'clock':>6} {'slowest':>8} {'computing':>10} {'goal':>5}   times real time")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, seconds, file in make_calls(Path(folder)):
            rows.append(row := measure(name, seconds, file))
            print(
                f"{name:18} {seconds // 60:7} {row['times_real_time']:6} {row['slowest_times_real_time']:8} "
                f"{row['times_real_time_computing']:10} {row['goal'] or '–':>5}",
                flush=True,
            )
    load = round(os.getloadavg()[0], 1)
    total = {"machine": platform.machine(), "cpus": os.cpu_count(), "load": load, "goal": GOAL}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({**total, "formats": rows}, indent=1) + "\n")
    print(f"load {load} on {os.cpu_count()} cores: above 1 a core the clock shows other work too")


def make_calls(folder: Path) -> Iterator[tuple[str, int, Path]]:
    """The call in every format, with its seconds; the longer one only where there is a goal."""
    samples = decode(SOURCE).samples
    samples = np.tile(samples, (1, SECONDS * RATE // samples.shape[1] + 1))[:, : SECONDS * RATE]
    raw = folder / "raw.wav"
    with wave.open(str(raw), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples.T * 32767).astype("<i2").tobytes())
    for name, (file, options) in FORMATS.items():
        yield name, SECONDS, ffmpeg("-i", raw, *options, folder / file)
        if name in WITH_GOAL:
            again = ("-stream_loop", str(LONGER - 1), "-i", folder / file, "-c", "copy")
            yield name, SECONDS * LONGER, ffmpeg(*again, folder / f"long-{file}")


def ffmpeg(*arguments: str | Path) -> Path:
    """Run ffmpeg; the last argument, a file, is what it makes."""
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments], check=True)
    return Path(arguments[-1])


def measure(name: str, seconds: int, file: Path) -> dict[str, object]:
    """The speed on one file as a multiple of real time."""
    decode(file)
    by_clock, by_computing = [], []
    for _ in range(REPEATS[seconds]):
        began, computed = time.perf_counter(), computing()
        duration = decode(file).duration
        by_clock.append(duration / (time.perf_counter() - began))
        by_computing.append(duration / (computing() - computed))
    return {
        "format": name,
        "seconds": seconds,
        "bytes": file.stat().st_size,
        "times_real_time": round(statistics.median(by_clock)),
        "slowest_times_real_time": round(min(by_clock)),
        "times_real_time_computing": round(statistics.median(by_computing)),
        "goal": GOAL if name in WITH_GOAL else None,
    }


def computing() -> float:
    """Seconds of computing so far, of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
