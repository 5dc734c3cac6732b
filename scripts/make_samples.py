"""Makes data/samples/ from data/samples/scripts/*.yaml: recordings, reference transcripts, RTTM, labels, calls.csv.

Run by hand after a script was changed: `python scripts/make_samples.py`. Needs flite for the voices (Debian and
Ubuntu: `apt-get install flite`); the samples themselves are committed, so nobody who uses them needs it.
Same scripts, flite and PyAV: the same bytes. Noise is seeded by the call's id, and encoders run bit-exact.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import wave
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import yaml

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"
RATE = 16_000  # what flite's voices speak at; every call is put together at this rate
LOUDNESS_DB = -26.0  # each turn's level (RMS, full scale = 0), so that no party is louder than the other
SECONDS_A_WORD = 60 / 150  # in a call without voices: 150 words a minute
ENCODERS = {  # of a file's ending; G.711 is what telephone recorders write into wav files
    ".wav": "pcm_mulaw",
    ".mp3": "libmp3lame",
    ".m4a": "aac",
    ".ogg": "libopus",
    ".flac": "flac",
    ".webm": "libopus",
}
BIT_RATES = {".mp3": 56_000, ".m4a": 48_000, ".ogg": 44_000, ".webm": 32_000}
MANIFEST = (
    "recording", "call_id", "call_type", "started_at", "team", "rep", "manager", "customer", "channels", "transcript",
    "opportunity",
)  # fmt: skip


@dataclass(frozen=True)
class Spoken:
    """One turn in time: who, what, from when to when in seconds, and its samples (none without a voice)."""

    role: str
    text: str
    start: float
    end: float
    samples: np.ndarray


def main() -> int:
    """Make every call; 0 when all were made."""
    if shutil.which("flite") is None:
        print("make_samples: flite is missing. Install it (Debian, Ubuntu: apt-get install flite).", file=sys.stderr)
        return 1
    (SAMPLES / "reference").mkdir(exist_ok=True)
    labels, rows = {}, []
    for path in sorted((SAMPLES / "scripts").glob("*.yaml")):
        call = yaml.safe_load(path.read_text(encoding="utf-8"))
        spoken = speak(call)
        write_call(call, spoken)
        labels[call["call_id"]] = label(call, spoken)
        rows.append(manifest_row(call))
        print(f"{call['call_id']}: {len(spoken)} turns, {spoken[-1].end:.1f} s", file=sys.stderr)
    (SAMPLES / "labels.json").write_text(json.dumps(labels, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    with (SAMPLES / "calls.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, MANIFEST, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return 0


def speak(call: dict[str, Any]) -> list[Spoken]:
    """The call's turns in time. A turn starts `pause` seconds after everybody has finished, or `overlap` before."""
    voices = {one["role"]: one for one in call["participants"]}
    spoken: list[Spoken] = []
    floor = 0.0
    for turn in call["turns"]:
        start = round(floor + turn.get("pause", -turn.get("overlap", 0.0)), 3)
        role, text = turn["speaker"], turn["text"].strip()
        if any(one.role == role and one.end > start for one in spoken):
            raise SystemExit(f"{call['call_id']}: {role} overlaps with their own turn at {text!r}; shorten the overlap")
        if call["recording"]:
            samples = synthesize(text, voices[role]["voice"], voices[role]["stretch"])
            end = start + len(samples) / RATE
        else:
            samples = np.zeros(0)
            end = start + SECONDS_A_WORD * len(text.split())
        spoken.append(Spoken(role, text, start, round(end, 3), samples))
        floor = max(floor, end)
    return spoken


def synthesize(text: str, voice: str, stretch: float) -> np.ndarray:
    """The text spoken by a flite voice: float samples at RATE, without the silence around them."""
    with tempfile.TemporaryDirectory() as folder:
        said, heard = Path(folder) / "said.txt", Path(folder) / "heard.wav"
        said.write_text(text, encoding="utf-8")
        subprocess.run(
            ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-f", said, "-o", heard], check=True
        )
        with wave.open(str(heard)) as file:
            if file.getframerate() != RATE:
                raise SystemExit(f"flite's voice {voice} speaks at {file.getframerate()} Hz, not {RATE}; take another")
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    margin = RATE // 50  # 20 ms, so that no soft consonant is cut
    samples = samples[max(loud[0] - margin, 0) : loud[-1] + margin]
    return samples * 10 ** (LOUDNESS_DB / 20) / np.sqrt(np.mean(samples**2))


def write_call(call: dict[str, Any], spoken: list[Spoken]) -> None:
    """Write the recording with its references, or the transcript of a call that has no recording."""
    name = call["call_id"]
    names = {one["role"]: one["name"] for one in call["participants"]}
    cues = [f"{clock(one.start)} --> {clock(one.end)}\n<v {names[one.role]}>{one.text}\n" for one in spoken]
    folder = SAMPLES / "reference" if call["recording"] else SAMPLES
    (folder / f"{name}.vtt").write_text("WEBVTT\n\n" + "\n".join(cues), encoding="utf-8")
    if not call["recording"]:
        return
    channels = {one["role"]: one["channel"] for one in call["participants"]}
    lines = [
        f"SPEAKER {name} {channels[one.role]} {one.start:.3f} {one.end - one.start:.3f}"
        f" <NA> <NA> {one.role} <NA> <NA>\n"
        for one in spoken
    ]
    (SAMPLES / "reference" / f"{name}.rttm").write_text("".join(lines), encoding="utf-8")
    encode(mix(call, spoken), call["recording"])


def mix(call: dict[str, Any], spoken: list[Spoken]) -> np.ndarray:
    """The call as (channel, time) float samples at RATE: a party a channel, with the line's band and noise."""
    channels = {one["role"]: one["channel"] - 1 for one in call["participants"]}
    audio = np.zeros((len(channels), round((max(one.end for one in spoken) + 0.8) * RATE)))
    for one in spoken:
        first = round(one.start * RATE)
        audio[channels[one.role], first : first + len(one.samples)] += one.samples
    seed = int.from_bytes(hashlib.sha256(call["call_id"].encode()).digest()[:4], "big")
    audio += np.random.default_rng(seed).normal(0, 10 ** (call["recording"]["noise_db"] / 20), audio.shape)
    if "band" in call["recording"]:
        audio = band_limit(audio, *call["recording"]["band"])
    return audio


def band_limit(audio: np.ndarray, low: float, high: float) -> np.ndarray:
    """The audio with what lies below `low` and above `high` Hz faded out, as on a telephone."""
    frequencies = np.fft.rfftfreq(audio.shape[1], 1 / RATE)
    rise = np.clip((frequencies - 0.9 * low) / (0.1 * low), 0, 1)
    fall = np.clip((1.1 * high - frequencies) / (0.1 * high), 0, 1)
    return np.fft.irfft(np.fft.rfft(audio) * rise * fall, audio.shape[1])


def encode(audio: np.ndarray, recording: dict[str, Any]) -> None:
    """Write the audio as the recording's file, in the format of its ending."""
    path = SAMPLES / recording["file"]
    layout = {2: "stereo", 3: "3.0"}[len(audio)]
    with av.open(str(path), "w", options={"fflags": "bitexact"}) as container:
        stream = container.add_stream(ENCODERS[path.suffix], rate=recording["rate"], layout=layout)
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        if path.suffix in BIT_RATES:
            stream.bit_rate = BIT_RATES[path.suffix]
        resampler = av.AudioResampler(format=stream.format.name, layout=layout, rate=recording["rate"])
        pcm = np.clip(np.round(audio * 32768), -32768, 32767).astype(np.int16)
        for first in range(0, pcm.shape[1], RATE):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm[:, first : first + RATE]), "s16p", layout)
            frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        for ready in resampler.resample(None):
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))


def label(call: dict[str, Any], spoken: list[Spoken]) -> dict[str, Any]:
    """The call's entry in labels.json: type, levels, a reason for each, and the takeover or null."""
    takeover = call["takeover"] and {
        "takeover": True,
        "began_turn": call["takeover"]["turn"],
        "began_at": spoken[call["takeover"]["turn"]].start,
        "reason": call["takeover"]["reason"].strip(),
    }
    return {"call_type": call["call_type"], "levels": call["levels"], "reasons": call["reasons"], "takeover": takeover}


def manifest_row(call: dict[str, Any]) -> dict[str, str]:
    """The call's row of calls.csv."""
    names = {one["role"]: one["name"] for one in call["participants"]}
    row = {column: str(call.get(column, "")) for column in MANIFEST}
    row |= {role: names.get(role, "") for role in ("rep", "manager", "customer")}
    if not call["recording"]:
        return row | {"recording": "", "transcript": f"{call['call_id']}.vtt"}
    order = sorted(call["participants"], key=lambda one: one["channel"])
    return row | {"recording": call["recording"]["file"], "channels": ",".join(one["role"] for one in order)}


def clock(seconds: float) -> str:
    """Seconds as WebVTT writes them: 00:01:02.345."""
    minutes, thousandths = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{thousandths // 1000:02}.{thousandths % 1000:03}"


if __name__ == "__main__":
    raise SystemExit(main())
