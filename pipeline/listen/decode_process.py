"""Runs `decode_child` on one recording, under limits, and puts what it reports in words.

The child is not trusted: it gets no environment and no files but the recording and its output, it cannot keep the
parent waiting or fill its memory, and its report is checked.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any

from pipeline.errors import MediaError
from pipeline.listen import containers
from pipeline.listen.decode_child import HIGHEST_RATE, LOWEST_RATE, RATE, SAMPLE_BYTES
from pipeline.settings import MediaLimits

CONVERT = f"Export the recording again as {containers.ALLOWED_NAMES}."

_START = "import sys; sys.path += sys.argv[1:3]; from pipeline.listen.decode_child import run; run(sys.argv[3])"
_NEEDS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")  # so that Python's own libraries are found
_STARTING_SECONDS = 60  # on top of the computing time: start, disk, and other jobs on the machine
_LONGEST_REPORT = 64 * 1024  # bytes
_LONGEST_QUOTE = 200  # characters of what the child said that a message repeats
_HASH_BLOCK = 4 * 1024**2


@dataclass(frozen=True, slots=True)
class Report:
    """What the child says of the samples that it wrote: how many per channel, of how many channels.

    `codec` and `sample_rate` are the file's own, `declared` its length in seconds as it says itself (None: it does
    not), `damaged` counts the pieces that could not be decoded, `tracks` the audio tracks.
    """

    samples: int
    channels: int
    codec: str
    sample_rate: int
    declared: float | None
    damaged: int
    tracks: int


def run_child(path: Path, container: containers.Container, limits: MediaLimits, pcm: IO[bytes]) -> tuple[Report, str]:
    """The child's report on what it wrote to `pcm`, and the file's hash, which is taken while the child decodes.

    Raises MediaError where the recording is refused or the child is stopped.
    """
    request = {
        "demuxer": container.demuxer,
        "max_seconds": limits.max_seconds,
        "max_channels": limits.max_channels,
        "memory_bytes": limits.memory_bytes,
        "cpu_seconds": limits.cpu_seconds,
        "output_bytes": int((limits.max_seconds + 2) * RATE) * SAMPLE_BYTES * limits.max_channels,
    }
    command = [*child_command(), json.dumps(request)]
    most_seconds = limits.cpu_seconds + _STARTING_SECONDS
    environment = {name: os.environ[name] for name in _NEEDS if name in os.environ}  # no tokens, no passwords
    with (
        path.open("rb") as recording,
        subprocess.Popen(command, stdin=recording, stdout=pcm, stderr=subprocess.PIPE, env=environment) as child,
        _Deadline(child, most_seconds) as deadline,
    ):
        digest = _sha256(path, child)
        errors = _said(child)
    if deadline.passed:
        raise MediaError(f"{path}: decoding was stopped after {most_seconds} seconds. {CONVERT}")
    report = _read_report(path, child.returncode, errors, limits)
    if report.samples * report.channels * SAMPLE_BYTES != os.fstat(pcm.fileno()).st_size:
        raise MediaError(f"{path}: the decoder's report and its samples differ. The file may be damaged. {CONVERT}")
    return report, digest


def child_command() -> list[str]:
    """Python without site, user folders and its environment variables: it finds this package and PyAV, and starts fast.

    Raises ImportError where PyAV is not installed.
    """
    av = importlib.util.find_spec("av")
    if av is None or av.origin is None:
        raise ImportError("PyAV is not installed, which decodes recordings. Install ridealong again.")
    package, packages = Path(__file__).resolve().parents[2], Path(av.origin).parents[1]
    return [sys.executable, "-I", "-S", "-c", _START, str(package), str(packages)]


class _Deadline:
    """Kills the child when it takes too long, and when the block is left by an exception."""

    def __init__(self, child: subprocess.Popen[bytes], seconds: float) -> None:
        self.passed = False
        self._child = child
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is not None:
            self._child.kill()
        self._child.wait()
        self._timer.cancel()

    def _pass(self) -> None:
        self.passed = True
        self._child.kill()


def _said(child: subprocess.Popen[bytes]) -> bytes:
    """What the child wrote on stderr, up to a report's length: one that says more than that is no decoder of ours."""
    if child.stderr is None:
        return b""
    said = child.stderr.read(_LONGEST_REPORT)
    if len(said) == _LONGEST_REPORT:
        child.kill()
    return said


def _sha256(path: Path, child: subprocess.Popen[bytes]) -> str:
    """The file's hash; given up, as nobody will want it, once the child has refused the file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while (block := file.read(_HASH_BLOCK)) and not child.poll():
            digest.update(block)
    return digest.hexdigest()


def _read_report(path: Path, status: int, errors: bytes, limits: MediaLimits) -> Report:
    """The child's report; raises MediaError with what it refused or what stopped it."""
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    said = _as_object(lines[-1]) if lines else {}
    if status == 0 and (report := _as_report(said, limits)) is not None:
        return report
    refused = _refusal(str(said.get("refused")), said.get("detail"), limits)
    if refused is not None:
        raise MediaError(f"{path}: {refused}")
    if status == -getattr(signal, "SIGXCPU", 24):
        raise MediaError(f"{path}: decoding took over the limit of {limits.cpu_seconds} s of computing. {CONVERT}")
    if status == -getattr(signal, "SIGXFSZ", 25):
        raise MediaError(f"{path}: {_refusal('seconds', None, limits)}")
    quote = f": {_quoted(lines[-1])}" if lines else ""
    raise MediaError(f"{path}: the decoder stopped (status {status}{quote}). The file may be damaged. {CONVERT}")


def _as_object(line: str) -> dict[str, Any]:
    """The JSON object in a line; an empty one where there is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _as_report(said: dict[str, Any], limits: MediaLimits) -> Report | None:
    """A report with every field of its type and within the limits, or None."""
    counts = ("samples", "channels", "sample_rate", "damaged", "tracks")
    if set(said) != {field.name for field in fields(Report)} or not isinstance(said["codec"], str):
        return None
    if not all(type(said[name]) is int and said[name] >= 0 for name in counts):
        return None
    if not (said["declared"] is None or isinstance(said["declared"], float | int)):
        return None
    return Report(**said) if 1 <= said["channels"] <= limits.max_channels else None


def _refusal(reason: str, detail: Any, limits: MediaLimits) -> str | None:
    """A child's refusal as a sentence: what is wrong, the value got, the value allowed, the remedy.

    None where it is no refusal that the child knows.
    """
    most = f"where at most {limits.max_seconds / 3600:g} hours are read"
    length = f"{detail / 3600:.1f} hours" if isinstance(detail, float | int) else "more"
    detail = _quoted(str(detail))
    sentences = {
        "no_audio": f"has no audio track. {CONVERT}",
        "codec": f"its audio is coded as {detail}, which is not read. {CONVERT}",
        "channels": f"has {detail} channels; at most {limits.max_channels} are read. Export the channels of the "
        "people on the call.",
        "rate": f"has {detail} samples a second; {LOWEST_RATE:,} to {HIGHEST_RATE:,} are read. {CONVERT}",
        "seconds": f"is too long: {length}, {most}. Split it into calls.",
        "changing_channels": f"changes its number of channels midway ({detail}). {CONVERT}",
        "memory": f"decoding it needs over the limit of {limits.memory_bytes / 1024**3:g} GiB of memory. {CONVERT}",
        "space": f"its samples do not fit on the disk of {tempfile.gettempdir()}. Free space there, or set TMPDIR.",
        "undecodable": f"cannot be decoded: it is damaged, cut off or no audio ({detail}). {CONVERT}",
    }
    return sentences.get(reason)


def _quoted(text: str) -> str:
    """What the child said, printable and short."""
    shown = "".join(one if one.isprintable() else "?" for one in text)
    return shown if len(shown) <= _LONGEST_QUOTE else shown[:_LONGEST_QUOTE] + "…"
