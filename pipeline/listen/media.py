"""A recording file in, its samples out: every channel for itself, float32 at 16 kHz, in a temporary file.

Decoding is done in a process under limits (`decode_process`); here the file is looked at before and the samples after.
"""

from __future__ import annotations

import contextlib
import math
import tempfile
from pathlib import Path

from pipeline.errors import MediaError
from pipeline.listen import containers
from pipeline.listen.audio import RATE as RATE
from pipeline.listen.audio import Audio as Audio
from pipeline.listen.audio import PcmFile
from pipeline.listen.audio import Samples as Samples
from pipeline.listen.decode_process import CONVERT, Report, run_child
from pipeline.settings import MediaLimits

DEFAULT_LIMITS = MediaLimits()
_SHORT_BY = 0.5  # seconds that a whole file may lack: encoders pad and trim their first and last frames
_SILENT_PEAK = 2 / 32768  # dither of a 16-bit file


def decode(path: Path, limits: MediaLimits = DEFAULT_LIMITS) -> Audio:
    """The recording's samples. Raises MediaError for whatever is no whole, sounding recording within the limits."""
    head = _read_head(path, limits)
    container = containers.sniff(head)
    if container is None:
        remedy = "Name the recording itself." if "playlist" in containers.describe_other(head) else CONVERT
        raise MediaError(f"{path}: is {containers.describe_other(head)}, not a recording that can be read. {remedy}")
    if container is containers.OGG and not containers.ogg_is_complete(path):
        raise MediaError(f"{path}: is cut off: the end of its Ogg stream is missing. Fetch or export the file again.")
    missing = containers.wav_seconds_missing(head, path.stat().st_size) if container is containers.WAV else 0.0
    if missing > _SHORT_BY:
        raise MediaError(f"{path}: is cut off: its last {missing:.1f} s are missing. Fetch or export the file again.")
    try:
        return _decoded(path, container, limits)
    except OSError as error:
        raise MediaError(
            f"{path}: decoding could not be done ({error.strerror}). Check that the file is still there, and that "
            f"{tempfile.gettempdir()} can be written to."
        ) from error


def _decoded(path: Path, container: containers.Container, limits: MediaLimits) -> Audio:
    """The recording, decoded by the child and checked."""
    with contextlib.ExitStack() as unless_taken:
        file = unless_taken.enter_context(tempfile.TemporaryFile(prefix="ridealong-"))
        report, digest = run_child(path, container, limits, file)
        _check_whole(path, container, report)
        pcm = PcmFile(file, report.channels)
        _check_sounding(path, pcm)
        unless_taken.pop_all()  # from here on the recording closes it
    return Audio(pcm, path, digest, container.name, report.codec, report.sample_rate, _warnings(report))


def _read_head(path: Path, limits: MediaLimits) -> bytes:
    """The file's first bytes, after the checks that need no decoding."""
    if path.is_dir():
        raise MediaError(f"{path}: is a folder, not a recording. Name a file in it.")
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise MediaError(f"{path}: is not a regular file. Copy the recording to a file first.")
        with path.open("rb") as file:
            head = file.read(containers.HEAD_BYTES)
    except FileNotFoundError:
        raise MediaError(f"{path}: there is no such file. Check the path, and the `recording` column if any.") from None
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror}). Check that you may read this file.") from error
    if size == 0:
        raise MediaError(f"{path}: is empty (0 bytes). Fetch or export the file again.")
    if size > limits.max_bytes:
        raise MediaError(
            f"{path}: is {size:,} bytes, over the limit of {limits.max_bytes:,}. Compress it (opus at 32 kbit/s is "
            "enough for speech) or split it."
        )
    return head


def _check_whole(path: Path, container: containers.Container, report: Report) -> None:
    """Raise MediaError where nothing was decoded, or less than the file says it holds."""
    seconds, declared = report.samples / RATE, report.declared
    if report.samples == 0:
        raise MediaError(f"{path}: holds no audio: its length is 0 seconds. Fetch or export the file again.")
    if container.declares_duration and declared is not None and seconds < declared - _SHORT_BY - declared / 1000:
        raise MediaError(
            f"{path}: is cut off: it says {declared:.1f} s but {seconds:.1f} s could be read. Fetch or export it again."
        )


def _check_sounding(path: Path, pcm: PcmFile) -> None:
    """Raise MediaError where every channel is digital silence, or samples are not numbers."""
    peak = 0.0
    for _, frames in pcm.read(0, pcm.length):
        low, high = float(frames.min()), float(frames.max())  # either is NaN where a sample is
        if not (math.isfinite(low) and math.isfinite(high)):
            raise MediaError(f"{path}: holds samples that are not numbers. {CONVERT}")
        peak = max(peak, high, -low)
    if peak <= _SILENT_PEAK:
        raise MediaError(f"{path}: is silent on every channel. Check what was recorded, and export it again.")


def _warnings(report: Report) -> tuple[str, ...]:
    found = []
    if report.damaged:
        found.append(f"{report.damaged} pieces of the recording are damaged and were skipped.")
    if report.tracks > 1:
        found.append(f"The file has {report.tracks} audio tracks; only the first was listened to.")
    return tuple(found)
