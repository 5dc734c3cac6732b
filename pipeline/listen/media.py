"""A recording file in, its samples out: every channel for itself, float32 at 16 kHz, in a temporary file.

Decoding is done by `decode_child` in a process under limits; here its request is made and its report is put in words.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from pipeline.errors import MediaError
from pipeline.listen import containers
from pipeline.listen.audio import RATE as RATE
from pipeline.listen.audio import Audio as Audio
from pipeline.listen.audio import PcmFile
from pipeline.listen.audio import Samples as Samples
from pipeline.listen.decode_child import SAMPLE_BYTES
from pipeline.settings import MediaLimits

DEFAULT_LIMITS = MediaLimits()
_CHILD = Path(__file__).with_name("decode_child.py")
_STARTING_SECONDS = 60  # on top of the computing time: start, disk, and other jobs on the machine
_SHORT_BY = 0.5  # seconds that a whole file may lack: encoders pad and trim their first and last frames
_SILENT_PEAK = 2 / 32768  # dither of a 16-bit file
_HASH_BLOCK = 4 * 1024**2
_CONVERT = f"Export the recording again as {containers.ALLOWED_NAMES}."


def decode(path: Path, limits: MediaLimits = DEFAULT_LIMITS) -> Audio:
    """The recording's samples. Raises MediaError for whatever is no whole, sounding recording within the limits."""
    head = _read_head(path, limits)
    container = containers.sniff(head)
    if container is None:
        remedy = "Name the recording itself." if "playlist" in containers.describe_other(head) else _CONVERT
        raise MediaError(f"{path}: is {containers.describe_other(head)}, not a recording that can be read. {remedy}")
    if container is containers.OGG and not containers.ogg_is_complete(path):
        raise MediaError(f"{path}: is cut off: the end of its Ogg stream is missing. Fetch or export the file again.")
    missing = containers.wav_seconds_missing(head, path.stat().st_size) if container is containers.WAV else 0.0
    if missing > _SHORT_BY:
        raise MediaError(f"{path}: is cut off: its last {missing:.1f} s are missing. Fetch or export the file again.")
    with contextlib.ExitStack() as unless_taken:
        file = unless_taken.enter_context(tempfile.TemporaryFile(prefix="ridealong-"))
        report, digest = _run_child(path, container, limits, file)
        _check_whole(path, container, report)
        pcm = PcmFile(file, int(report["channels"]))
        _check_sounding(path, pcm)
        unless_taken.pop_all()  # from here on the recording closes it
    return Audio(
        pcm=pcm,
        path=path,
        sha256=digest,
        container=container.name,
        codec=report["codec"],
        sample_rate=report["sample_rate"],
        warnings=_warnings(report),
    )


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


def _run_child(
    path: Path, container: containers.Container, limits: MediaLimits, pcm: IO[bytes]
) -> tuple[dict[str, Any], str]:
    """The child's report and the file's hash, which is taken while the child decodes."""
    request = {
        "path": str(path.resolve()),
        "demuxer": container.demuxer,
        "max_seconds": limits.max_seconds,
        "max_channels": limits.max_channels,
        "memory_bytes": limits.memory_bytes,
        "cpu_seconds": limits.cpu_seconds,
        "output_bytes": int((limits.max_seconds + 2) * RATE) * SAMPLE_BYTES * limits.max_channels,
    }
    command = [sys.executable, "-P", str(_CHILD), json.dumps(request)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=pcm, stderr=subprocess.PIPE, env=environment
    ) as child:
        try:
            digest = _sha256(path, child)
            _, errors = child.communicate(timeout=limits.cpu_seconds + _STARTING_SECONDS)
        except subprocess.TimeoutExpired:
            raise MediaError(
                f"{path}: decoding was stopped after {limits.cpu_seconds + _STARTING_SECONDS} seconds. {_CONVERT}"
            ) from None
        finally:
            child.kill()
    return _read_report(path, child.returncode, errors, limits), digest


def _sha256(path: Path, child: subprocess.Popen[bytes]) -> str:
    """The file's hash; given up, as nobody will want it, once the child has refused the file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while (block := file.read(_HASH_BLOCK)) and not child.poll():
            digest.update(block)
    return digest.hexdigest()


def _read_report(path: Path, status: int, errors: bytes, limits: MediaLimits) -> dict[str, Any]:
    """The child's report; raises MediaError with what it refused or what stopped it."""
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    try:
        report = json.loads(lines[-1]) if lines else {}
    except ValueError:
        report = {}
    if status == 0 and "samples" in report:
        return dict(report)
    if "refused" in report:
        raise MediaError(f"{path}: {_refusal(report['refused'], report['detail'], limits)}")
    if status == -getattr(signal, "SIGXCPU", 24):
        raise MediaError(f"{path}: decoding took over the limit of {limits.cpu_seconds} s of computing. {_CONVERT}")
    if status == -getattr(signal, "SIGXFSZ", 25):
        raise MediaError(f"{path}: {_refusal('seconds', None, limits)}")
    said = f": {lines[-1]}" if lines else ""
    raise MediaError(f"{path}: the decoder stopped (status {status}{said}). The file may be damaged. {_CONVERT}")


def _refusal(reason: str, detail: Any, limits: MediaLimits) -> str:
    """A child's refusal as a sentence: what is wrong, the value got, the value allowed, the remedy."""
    hours = f"{limits.max_seconds / 3600:g} hours"
    length = "more" if detail is None or reason != "seconds" else f"{detail / 3600:.1f} hours"
    sentences = {
        "no_audio": f"has no audio track. {_CONVERT}",
        "codec": f"its audio is coded as {detail}, which is not read. {_CONVERT}",
        "channels": f"has {detail} channels; at most {limits.max_channels} are read. Export the channels of the "
        "people on the call.",
        "seconds": f"is too long: {length}, where at most {hours} are read. Split it into calls.",
        "changing_channels": f"changes its number of channels midway ({detail}). {_CONVERT}",
        "memory": f"decoding it needs over the limit of {limits.memory_bytes / 1024**3:g} GiB of memory. {_CONVERT}",
        "space": f"its samples do not fit on the disk of {tempfile.gettempdir()}. Free space there, or set TMPDIR.",
        "undecodable": f"cannot be decoded: it is damaged, cut off or no audio ({detail}). {_CONVERT}",
    }
    return sentences[reason]


def _check_whole(path: Path, container: containers.Container, report: dict[str, Any]) -> None:
    """Raise MediaError where nothing was decoded, or less than the file says it holds."""
    seconds, declared = report["samples"] / RATE, report["declared"]
    if report["samples"] == 0:
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
            raise MediaError(f"{path}: holds samples that are not numbers. {_CONVERT}")
        peak = max(peak, high, -low)
    if peak <= _SILENT_PEAK:
        raise MediaError(f"{path}: is silent on every channel. Check what was recorded, and export it again.")


def _warnings(report: dict[str, Any]) -> tuple[str, ...]:
    found = []
    if report["damaged"]:
        found.append(f"{report['damaged']} pieces of the recording are damaged and were skipped.")
    if report["tracks"] > 1:
        found.append(f"The file has {report['tracks']} audio tracks; only the first was listened to.")
    return tuple(found)
