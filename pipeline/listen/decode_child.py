"""Decodes one recording to interleaved float32 PCM at 16 kHz on stdout; the report is one line of JSON on stderr.

Run by `media.decode` as a process of its own, under limits of memory, computing time and output, because media files
come from outside and decoders have had holes. It imports av and the standard library only, so it starts fast.
"""

from __future__ import annotations

import contextlib
import errno
import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

RATE = 16_000
SAMPLE_BYTES = 4

CODECS = (
    "pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_f64le,pcm_s16be,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav,"
    "mp3,mp3float,aac,alac,opus,libopus,vorbis,libvorbis,flac"
)
"""The decoders that may run: those of the containers that we take, and nothing with a history as a curiosity."""


class Refusal(Exception):
    """The recording is refused: `reason` is a key of `media.REASONS`, `detail` the value got."""

    def __init__(self, reason: str, detail: object = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def decode(request: dict[str, Any], out: BinaryIO) -> dict[str, Any]:
    """Write the PCM of the request's recording to `out`; returns the report. Raises Refusal or an av error."""
    import av

    options = {"protocol_whitelist": "file", "format_whitelist": request["demuxer"], "codec_whitelist": CODECS}
    with av.open(request["path"], format=request["demuxer"], options=options) as container:
        if not container.streams.audio:
            raise Refusal("no_audio")
        stream = container.streams.audio[0]
        codec = stream.codec_context
        if codec is None or codec.name not in CODECS.split(","):
            raise Refusal("codec", getattr(codec, "name", "unknown"))
        channels = codec.layout.nb_channels
        if channels > request["max_channels"]:
            raise Refusal("channels", channels)
        declared = _declared_seconds(container, stream)
        if declared is not None and declared > request["max_seconds"]:
            raise Refusal("seconds", round(declared, 1))
        codec.thread_count = 1
        writer = _Writer(out, channels, int(request["max_seconds"] * RATE))
        damaged = 0
        for frame in _frames(container, stream):
            if frame is None:
                damaged += 1
            else:
                writer.add(frame)
        writer.finish()
        return {
            "samples": writer.samples,
            "channels": channels,
            "codec": codec.name,
            "sample_rate": codec.sample_rate,
            "declared": declared,
            "damaged": damaged,
            "tracks": len(container.streams.audio),
        }


def _declared_seconds(container: Any, stream: Any) -> float | None:
    """The duration that the file states for its audio, in seconds, or None."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and len(container.streams) == 1:
        return float(container.duration / 1_000_000)
    return None


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """The stream's frames in order; None for each packet that cannot be decoded."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.InvalidDataError:
            yield None
            return  # the demuxer cannot go on: what is missing shows in the duration
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.InvalidDataError:
            yield None


class _Writer:
    """Resamples frames to 16 kHz float32, every channel kept, and writes them interleaved.

    Frames are gathered to about a second first: resampling them one by one costs as much again as decoding.
    """

    def __init__(self, out: BinaryIO, channels: int, most_samples: int) -> None:
        self.samples = 0
        self._out = out
        self._channels = channels
        self._most = most_samples
        self._shape: tuple[str, int] | None = None
        self._fifo: Any = None
        self._resampler: Any = None

    def add(self, frame: Any) -> None:
        import av

        if frame.layout.nb_channels != self._channels:
            raise Refusal("changing_channels", f"{self._channels} and {frame.layout.nb_channels}")
        shape = (frame.format.name, frame.sample_rate)
        if shape != self._shape:  # the first frame, or a file joined from parts
            self._drain(end=True)
            self._shape = shape
            self._fifo = av.AudioFifo()
            self._resampler = av.AudioResampler(format="flt", layout=frame.layout, rate=RATE)
        frame.pts = None  # gaps in the time stamps of damaged files are not our clock
        self._fifo.write(frame)
        if self._fifo.samples >= frame.sample_rate:
            self._drain()

    def finish(self) -> None:
        self._drain(end=True)
        self._out.flush()

    def _drain(self, end: bool = False) -> None:
        if self._resampler is None:
            return
        waiting = self._fifo.read(self._fifo.samples) if self._fifo.samples else None
        frames = self._resampler.resample(waiting) if waiting is not None else []
        if end:
            frames = [*frames, *self._resampler.resample(None)]
        for frame in frames:
            self._out.write(memoryview(frame.planes[0])[: frame.samples * self._channels * SAMPLE_BYTES])
            self.samples += frame.samples
        if self.samples > self._most:
            raise Refusal("seconds", None)


def limit_process(memory_bytes: int, cpu_seconds: int, output_bytes: int) -> None:
    """Bound this process's memory, computing time and output; no core dumps. Nothing where the system has no limits."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, output_bytes),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, value in wanted:
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard - (kind == resource.RLIMIT_CPU))
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some; the wall clock still holds
            resource.setrlimit(kind, (value, value + (kind == resource.RLIMIT_CPU)))  # at the soft one it can be told


def main() -> int:
    """Decode what the one argument (JSON) asks for; exit 0 with a report, 1 with the reason for a refusal."""
    request = json.loads(sys.argv[1])
    limit_process(request["memory_bytes"], request["cpu_seconds"], request["output_bytes"])
    try:
        import av

        av.logging.set_level(None)
        report = decode(request, sys.stdout.buffer)
    except Refusal as refusal:
        report = {"refused": refusal.reason, "detail": refusal.detail}
    except MemoryError:
        report = {"refused": "memory", "detail": ""}
    except (OSError, ValueError, EOFError, RuntimeError) as error:  # av's errors derive from these
        reason = "space" if getattr(error, "errno", None) == errno.ENOSPC else "undecodable"
        report = {"refused": reason, "detail": f"{type(error).__name__}: {error.args[-1] if error.args else ''}"}
    sys.stderr.write(json.dumps(report) + "\n")
    return 1 if "refused" in report else 0


if __name__ == "__main__":
    raise SystemExit(main())
