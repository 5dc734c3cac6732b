"""Recordings of every format that is taken, and damaged copies of them: the same seed gives the same bytes.

Used by `test_fuzz.py` for a sample and by `benchmarks/fuzzing.py` for a thousand of each.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from pipeline.errors import MediaError
from pipeline.listen.media import decode
from pipeline.settings import MediaLimits

FORMATS = {
    "wav": ("a.wav", ["-c:a", "pcm_s16le"]),
    "wav, float": ("f.wav", ["-c:a", "pcm_f32le"]),
    "wav, mu-law": ("u.wav", ["-c:a", "pcm_mulaw", "-ar", "8000"]),
    "wav, ADPCM": ("d.wav", ["-c:a", "adpcm_ms"]),
    "mp3": ("a.mp3", ["-c:a", "libmp3lame", "-b:a", "48k"]),
    "m4a": ("a.m4a", ["-c:a", "aac", "-b:a", "48k"]),
    "m4a, ALAC": ("l.m4a", ["-c:a", "alac"]),
    "mp4, index first": ("a.mp4", ["-c:a", "aac", "-b:a", "48k", "-movflags", "+faststart"]),
    "aac": ("a.aac", ["-c:a", "aac", "-b:a", "48k"]),
    "ogg, opus": ("a.opus", ["-c:a", "libopus", "-b:a", "24k"]),
    "ogg, vorbis": ("a.ogg", ["-c:a", "libvorbis"]),
    "flac": ("a.flac", ["-c:a", "flac"]),
    "webm": ("a.webm", ["-c:a", "libopus", "-b:a", "24k"]),
    "mkv": ("a.mkv", ["-c:a", "aac", "-b:a", "48k"]),
}
LIMITS = MediaLimits(max_seconds=3600, memory_bytes=1024**3, cpu_seconds=20)
_HEADER = 600  # bytes at the start that are damaged more often than the rest
_MOST_BYTES = 512 * 1024  # repeated repetition would make them long, not worse
_EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
_REMEDIES = re.compile(r"\b(Export|Fetch|Split|Check|Name|Copy|Compress|Free)\b")

REASONS = {
    "is cut off": "cut off",
    "cannot be decoded": "undecodable",
    "of no known audio format": "format not known",
    "is silent": "silent",
    "0 seconds": "no length",
    "no audio track": "no audio track",
    "is not read": "codec not read",
    "channels": "channels",
    "samples a second": "sample rate",
    "too long": "too long",
    "not numbers": "not numbers",
    "GiB of memory": "over the memory limit",
    "s of computing": "over the computing limit",
    "decoding was stopped": "over the time limit",
    "(status -": "child crashed",
    "the decoder stopped": "child failed",
    " is a": "another kind of file",
    "is empty": "empty",
}
"""What a refusal says, by a part of its text; the first that fits counts."""


@dataclass(frozen=True)
class Outcome:
    """What became of a damaged file; `fault` says what is wrong with the answer itself, if anything."""

    reason: str
    fault: str = ""


def make_files(folder: Path, seconds: float = 1.0) -> dict[str, bytes]:
    """A recording of two tones in every format."""
    made = {}
    for name, (file, options) in FORMATS.items():
        path = folder / file
        source = f"sine=330:d={seconds}:r=16000[a];sine=550:d={seconds}:r=16000[b];[a][b]amerge=2"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-filter_complex", source, "-ar", "16000"]
        subprocess.run([*command, "-bitexact", *options, path], check=True)
        made[name] = path.read_bytes()
    return made


def damaged(files: dict[str, bytes], name: str, number: int) -> bytes:
    """Copy `number` of a format's file with one to four kinds of damage."""
    draw = random.Random(f"{name} {number}")
    content = files[name]
    for _ in range(draw.choice((1, 1, 2, 4))):
        if content:
            content = draw.choice(_DAMAGES)(draw, content, files)[:_MOST_BYTES]
    return content


def outcome(path: Path) -> Outcome:
    """What decoding the file ends in. Anything but samples or a MediaError goes through."""
    try:
        audio = decode(path, LIMITS)
    except MediaError as error:
        text = str(error)
        reason = next((reason for part, reason in REASONS.items() if part in text.removeprefix(f"{path}: ")), "other")
        clear = text.startswith(f"{path}: ") and text.endswith(".") and _REMEDIES.search(text) and len(text) < 1000
        return Outcome(reason, "" if clear else f"not a clear error: {text}")
    right = audio.length > 0 and 1 <= audio.channels <= LIMITS.max_channels and audio.duration <= LIMITS.max_seconds
    return Outcome("decoded", "" if right else f"{audio.channels} channels of {audio.length} samples")


# --- kinds of damage ------------------------------------------------------------------------------

Damage = Callable[[random.Random, bytes, dict[str, bytes]], bytes]


def _place(draw: random.Random, content: bytes) -> int:
    """Anywhere in the content, and in its header every other time."""
    return draw.randrange(min(len(content), _HEADER) if draw.random() < 0.5 else len(content))


def _flip_bits(draw: random.Random, content: bytes, _: dict[str, bytes]) -> bytes:
    changed = bytearray(content)
    for _flip in range(draw.choice((1, 2, 8, 64))):
        changed[_place(draw, content)] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _cut(draw: random.Random, content: bytes, _: dict[str, bytes]) -> bytes:
    return content[: _place(draw, content)]


def _overwrite(draw: random.Random, content: bytes, _: dict[str, bytes]) -> bytes:
    """A run of zeros, of ones or of noise."""
    at, size = _place(draw, content), draw.choice((4, 32, 512, 8192))
    run = draw.choice((bytes(size), b"\xff" * size, draw.randbytes(size)))
    return content[:at] + run[: len(content) - at] + content[at + size :]


def _write_extreme(draw: random.Random, content: bytes, _: dict[str, bytes]) -> bytes:
    """A number that programs trip over, where a length or a count may be."""
    at, size = _place(draw, content), draw.choice((1, 2, 3, 4, 8))
    number = draw.choice(_EXTREMES) % 256**size
    return content[:at] + number.to_bytes(size, draw.choice(("little", "big"))) + content[at + size :]


def _repeat(draw: random.Random, content: bytes, _: dict[str, bytes]) -> bytes:
    first, last = sorted((_place(draw, content), _place(draw, content)))
    return content[:last] + content[first:last] * draw.choice((1, 1, 3, 20)) + content[last:]


def _take_out(draw: random.Random, content: bytes, _: dict[str, bytes]) -> bytes:
    first, last = sorted((_place(draw, content), _place(draw, content)))
    return content[:first] + content[last:]


def _splice(draw: random.Random, content: bytes, files: dict[str, bytes]) -> bytes:
    """The beginning of this file and the end of another, or all of it in the middle."""
    other = files[draw.choice(sorted(files))]
    at = _place(draw, content)
    return draw.choice((content[:at] + other[_place(draw, other) :], content[:at] + other + content[at:]))


_DAMAGES: tuple[Damage, ...] = (
    _flip_bits,
    _cut,
    _overwrite,
    _write_extreme,
    _write_extreme,
    _repeat,
    _take_out,
    _splice,
)
