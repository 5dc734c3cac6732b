"""Sound for people to play: stretches cut out of a call, and the whole call as one small file for a page's player.

pydub cuts and exports; its encoder is the ffmpeg that travels with imageio-ffmpeg, so no system package is needed.
The same samples give the same bytes: the encoder writes no dates and no version.
"""

from __future__ import annotations

import subprocess
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import OutputError
from pipeline.listen.media import RATE, Audio, Samples

_BIT_RATE = "32k"  # mono speech; 14 MB an hour
_SAME_BYTES = ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
_SEEKABLE = ["-write_xing", "0", "-id3v2_version", "0"]  # constant bit rate: a player finds a second by counting bytes
_FULL_SCALE = 0.98


def cut(audio: Audio, start: float, end: float, path: Path) -> Path:
    """Write the stretch from `start` to `end` seconds, all channels mixed, to `path`; its suffix names the format.

    Times outside the recording are brought into it. Raises OutputError where the file cannot be written.
    """
    first, last = (round(min(max(0.0, at), audio.duration) * RATE) for at in (start, end))
    if last <= first:
        raise OutputError(
            f"{path}: a clip from {start} s to {end} s holds nothing; the call has {audio.duration:.1f} s."
        )
    pcm = _mixed(audio.window(first, last), _gain(audio))
    segment = _segment_class()(data=pcm, sample_width=2, frame_rate=RATE, channels=1)
    kind = path.suffix.lstrip(".").lower() or "mp3"
    try:
        handle = segment.export(path, format=kind, bitrate=_BIT_RATE if kind == "mp3" else None, parameters=_SAME_BYTES)
        handle.close()
    except (OSError, RuntimeError, ValueError, _encoding_error()) as error:
        raise OutputError(f"{path}: the clip cannot be written ({error}). Check the folder and the suffix.") from error
    return path


def write_playback(audio: Audio, path: Path) -> Path:
    """Write the whole call, all channels mixed, as a small mp3 that a page's player can jump about in.

    Raises OutputError where the file cannot be written.
    """
    command = [_ffmpeg(), "-v", "error", "-nostdin", "-y", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0"]
    command += [*_SAME_BYTES, *_SEEKABLE, "-c:a", "libmp3lame", "-b:a", _BIT_RATE, "-compression_level", "7"]
    gain = _gain(audio)
    try:
        with path.open("wb") as target:
            encoder = subprocess.Popen(
                [*command, "-f", "mp3", "pipe:1"], stdin=subprocess.PIPE, stdout=target, stderr=subprocess.PIPE
            )
            _feed(encoder, audio, gain)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}). Check the folder and free space.") from error
    if encoder.returncode != 0:
        raise OutputError(f"{path}: the encoder stopped (status {encoder.returncode}). Check free space.")
    return path


def _feed(encoder: subprocess.Popen[bytes], audio: Audio, gain: float) -> None:
    """Give the encoder the mixed call piece by piece, and wait for it."""
    with encoder:
        if encoder.stdin is None or encoder.stderr is None:
            raise OSError("the encoder has no input")
        try:
            for _, samples in audio.blocks():
                encoder.stdin.write(_mixed(samples, gain))
        except BrokenPipeError:
            encoder.wait()  # it has ended early; its status says so
        else:
            encoder.stdin.close()
            encoder.stderr.read()


def _gain(audio: Audio) -> float:
    """What the sum of the channels is multiplied with so that it never clips; at most 1."""
    peak = 0.0
    for _, samples in audio.blocks():
        peak = max(peak, float(np.abs(samples.sum(axis=0)).max()))
    return min(1.0, _FULL_SCALE / peak) if peak > 0 else 1.0


def _mixed(samples: Samples, gain: float) -> bytes:
    """(channels, samples) as mono int16; people on a call seldom talk at once, so channels are summed, not averaged."""
    return np.asarray(samples.sum(axis=0) * (gain * 32767), np.float32).round().astype("<i2").tobytes()


@lru_cache(maxsize=1)
def _ffmpeg() -> str:
    """The path of the ffmpeg binary."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _encoding_error() -> type[Exception]:
    """What pydub raises where the encoder fails; it derives from Exception alone."""
    from pydub.exceptions import CouldntEncodeError

    return CouldntEncodeError  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def _segment_class() -> Any:
    """pydub's AudioSegment with its converter set."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a system ffmpeg, and imports audioop, which 3.13 drops
        from pydub import AudioSegment
    AudioSegment.converter = _ffmpeg()
    return AudioSegment
