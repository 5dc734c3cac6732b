"""Makes tests/listen/audio/scenarios/ from its *.yaml: short recordings with a reference RTTM and VTT each.

Run by hand after a `.yaml` was changed: `python scripts/make_test_recordings.py`. Needs flite for English and espeak-ng
for other languages (Debian, Ubuntu: `apt-get install flite espeak-ng`); the recordings are committed, so whoever runs
the tests needs neither. Same scripts, voices and PyAV: the same bytes. What can be made out of these recordings or the
samples by arithmetic (bleed, fake stereo, a dead channel) is made by the tests: tests/listen/made_recordings.py.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import yaml
from make_samples import LOUDNESS_DB, RATE, Spoken, clock, synthesize

SCENARIOS = Path(__file__).resolve().parent.parent / "tests" / "listen" / "audio" / "scenarios"
OPUS_RATE = 48_000
BITS_A_CHANNEL = 16_000  # a second; at 9,000 Opus makes one channel of two
APART = {"mapping_family": "255"}  # channels in their order, and none coded by another; else they are places in a room
LAYOUTS = {2: "stereo", 3: "3.0", 5: "5.0"}
NOISE_DB = -65.0


def main() -> int:
    """Make every recording; 0 when all were made."""
    missing = [name for name in ("flite", "espeak-ng") if shutil.which(name) is None]
    if missing:
        names = " and ".join(missing)
        print(f"make_test_recordings: {names} missing (apt-get install {' '.join(missing)}).", file=sys.stderr)
        return 1
    for path in sorted(SCENARIOS.glob("*.yaml")):
        call = yaml.safe_load(path.read_text(encoding="utf-8"))
        spoken = speak(call)
        write_references(path.stem, call, spoken)
        encode(mix(path.stem, call, spoken), SCENARIOS / call["file"])
        print(f"{path.stem}: {len(spoken)} turns, {spoken[-1].end:.1f} s", file=sys.stderr)
    return 0


def speak(call: dict[str, Any]) -> list[Spoken]:
    """The turns in time. A turn starts `pause` seconds after everybody has finished, or `overlap` before."""
    people = {one["speaker"]: one for one in call["participants"]}
    spoken: list[Spoken] = []
    floor = 0.0
    for turn in call["turns"]:
        start = round(floor + turn.get("pause", -turn.get("overlap", 0.0)), 3)
        samples = voiced(turn["text"], people[turn["speaker"]], "language" in call)
        end = round(start + len(samples) / RATE, 3)
        spoken.append(Spoken(turn["speaker"], turn["text"], start, end, samples))
        floor = max(floor, end)
    return spoken


def voiced(text: str, person: dict[str, Any], foreign: bool) -> np.ndarray:
    """The text in the person's voice at RATE, without the silence around it."""
    if foreign:
        return foreign_voice(text, person["voice"])
    pitch, stretch = person.get("pitch", 1.0), person.get("stretch", 1.0)
    samples = synthesize(text, person["voice"], stretch * pitch)
    # played slower or faster than it was spoken: another pitch and another throat, at the pace asked for
    at = np.arange(0, len(samples) - 1, pitch)
    return np.interp(at, np.arange(len(samples)), samples)


def foreign_voice(text: str, voice: str) -> np.ndarray:
    """The text spoken by a voice of espeak-ng, at RATE and as loud as the others."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        subprocess.run(["espeak-ng", "-v", voice, "-s", "150", "-w", path, text], check=True)
        with wave.open(str(path)) as file:
            rate = file.getframerate()
            spoken = np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768
    spectrum = np.fft.rfft(spoken)
    count = round(len(spoken) * RATE / rate)
    samples = np.fft.irfft(spectrum[: count // 2 + 1], count) * count / len(spoken)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    margin = RATE // 50
    samples = samples[max(loud[0] - margin, 0) : loud[-1] + margin]
    return samples * 10 ** (LOUDNESS_DB / 20) / np.sqrt(np.mean(samples**2))


def write_references(name: str, call: dict[str, Any], spoken: list[Spoken]) -> None:
    """NAME.rttm, labelled as the script labels its speakers, and NAME.vtt with their names."""
    names = {one["speaker"]: one["name"] for one in call["participants"]}
    channels = {one["speaker"]: number for number, one in enumerate(call["participants"], start=1)}
    cues = [f"{clock(one.start)} --> {clock(one.end)}\n<v {names[one.role]}>{one.text}\n" for one in spoken]
    (SCENARIOS / f"{name}.vtt").write_text("WEBVTT\n\n" + "\n".join(cues), encoding="utf-8")
    lines = [
        f"SPEAKER {name} {channels[one.role]} {one.start:.3f} {one.end - one.start:.3f}"
        f" <NA> <NA> {one.role} <NA> <NA>\n"
        for one in spoken
    ]
    (SCENARIOS / f"{name}.rttm").write_text("".join(lines), encoding="utf-8")


def mix(name: str, call: dict[str, Any], spoken: list[Spoken]) -> np.ndarray:
    """(channel, time) float samples at RATE: a person a channel, and a little noise seeded by the name."""
    channels = {one["speaker"]: number for number, one in enumerate(call["participants"])}
    audio = np.zeros((len(channels), round((max(one.end for one in spoken) + 0.6) * RATE)))
    for one in spoken:
        first = round(one.start * RATE)
        audio[channels[one.role], first : first + len(one.samples)] += one.samples
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return audio + np.random.default_rng(seed).normal(0, 10 ** (NOISE_DB / 20), audio.shape)


def encode(audio: np.ndarray, path: Path) -> None:
    """Write the audio as Opus in WebM, bit-exact."""
    layout, options = LAYOUTS[len(audio)], APART if len(audio) > 2 else {}
    with av.open(str(path), "w", options={"fflags": "bitexact"}) as container:
        stream = container.add_stream("libopus", rate=OPUS_RATE, layout=layout, options=options)
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        stream.bit_rate = BITS_A_CHANNEL * len(audio)
        resampler = av.AudioResampler(format=stream.format.name, layout=layout, rate=OPUS_RATE)
        pcm = np.clip(np.round(audio * 32768), -32768, 32767).astype(np.int16)
        for first in range(0, pcm.shape[1], RATE):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm[:, first : first + RATE]), "s16p", layout)
            frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        for ready in resampler.resample(None):
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    raise SystemExit(main())
