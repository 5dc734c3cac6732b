"""Decodes one recording to interleaved float32 PCM at 16 kHz on stdout; the report is one line of JSON on stderr.

Run by `media.decode` as a process of its own, under limits of memory, computing time and output, because media files
come from outside and decoders have had holes. The file comes on stdin, already open; once decoding begins the process
cannot open anything else. It imports av and the standard library only, so it starts fast.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from pipeline.listen.decode_limits import limit_process, open_no_more

RATE = 16_000
SAMPLE_BYTES = 4
LOWEST_RATE, HIGHEST_RATE = 4_000, 384_000  # Hz; the lowest and highest that recorders offer
_WRITE_AT_ONCE = 256 * 1024  # bytes

CODECS = (
    "pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_f64le,pcm_s16be,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav,"
    "mp3,mp3float,aac,alac,opus,libopus,vorbis,libvorbis,flac"
)
"""The decoders that may run: those of the containers that we take, and nothing with a history as a curiosity."""


class Refusal(Exception):
    """The recording is refused: `reason` is a key of `decode_process._refusal`, `detail` the value got."""

    def __init__(self, reason: str, detail: object = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def decode(request: dict[str, Any], out: BinaryIO) -> dict[str, Any]:
    """Write the PCM of the recording on stdin to `out`; returns the report. Raises Refusal or an av error."""
    import av

    # The file is open already: no path and no address is opened, whatever the file names
    options = {"fd": "0", "protocol_whitelist": "fd", "format_whitelist": request["demuxer"]}
    with av.open("fd:", format=request["demuxer"], options={**options, "codec_whitelist": CODECS}) as container:
        if not container.streams.audio:
            raise Refusal("no_audio")
        stream = container.streams.audio[0]
        codec = stream.codec_context
        _check_codec(codec, request)
        declared = _declared_seconds(container, stream)
        if declared is not None and declared > request["max_seconds"]:
            raise Refusal("seconds", round(declared, 1))
        codec.thread_count = 1
        channels, name, rate = codec.layout.nb_channels, codec.name, codec.sample_rate
        pieces = _pieces(container, stream, channels)
        open_no_more()
        samples, damaged = _write(pieces, out, SAMPLE_BYTES * channels, int(request["max_seconds"] * RATE))
        return {
            "samples": samples,
            "channels": channels,
            "codec": name,
            "sample_rate": rate,
            "declared": declared,
            "damaged": damaged,
            "tracks": len(container.streams.audio),
        }


def _check_codec(codec: Any, request: dict[str, Any]) -> None:
    """Refuse a codec, a number of channels or a sample rate that is not read."""
    if codec is None or codec.name not in CODECS.split(","):
        raise Refusal("codec", getattr(codec, "name", "unknown"))
    if not 1 <= codec.layout.nb_channels <= request["max_channels"]:
        raise Refusal("channels", codec.layout.nb_channels)
    _check_rate(codec.sample_rate)


def _check_rate(rate: int) -> None:
    """Refuse what is no sample rate of sound: at 1 Hz a small file is days long, at 1 GHz a filter takes gigabytes."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise Refusal("rate", rate)


def _write(pieces: Iterator[Any], out: BinaryIO, frame_bytes: int, most_samples: int) -> tuple[int, int]:
    """Write the pieces; returns how many samples per channel there were, and how many pieces were damaged (None)."""
    samples = damaged = 0
    for piece in pieces:
        if piece is None:
            damaged += 1
            continue
        out.write(piece)
        samples += len(piece) // frame_bytes
        if samples > most_samples:
            raise Refusal("seconds", None)
    out.flush()
    return samples, damaged


def _declared_seconds(container: Any, stream: Any) -> float | None:
    """The duration that the file states for its audio, in seconds, or None."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and len(container.streams) == 1:
        return float(container.duration / 1_000_000)
    return None


def _pieces(container: Any, stream: Any, channels: int) -> Iterator[Any]:
    """The recording as pieces of interleaved float32 at 16 kHz; None for each packet that cannot be decoded."""
    packets = _packets(container, stream)
    if stream.codec_context.name == "opus" and container.format.name.split(",")[0] in ("ogg", "matroska"):
        from pipeline.listen.decode_opus import decoder_for

        decoder = decoder_for(stream.codec_context.extradata)
        if decoder is not None:
            return decoder.pieces(packets)
    return _Resampled(channels).pieces(packets)


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """The stream's packets in order; None where the container is damaged, which ends it."""
    import av

    try:
        yield from container.demux(stream)
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:
        yield None  # the demuxer cannot go on: what is missing shows in the duration


class _Resampled:
    """Decodes with FFmpeg, and resamples to 16 kHz float32, every channel kept.

    Frames are gathered first: resampling them one by one costs as much again as decoding. Not to more than a quarter
    of a second: blocks over 128 KiB are fetched from the system and given back each time.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._shape: tuple[str, int] | None = None
        self._fifo: Any = None
        self._resampler: Any = None

    def pieces(self, packets: Iterator[Any]) -> Iterator[memoryview | None]:
        """The samples, interleaved, valid until the next; None for a packet that cannot be decoded."""
        import av

        for packet in packets:
            try:
                frames = [None] if packet is None else packet.decode()
            except av.error.MemoryError:
                raise
            except av.error.EOFError:
                break
            except av.error.FFmpegError:  # invalid data, and what decoders have errors of their own for
                frames = [None]
            for frame in frames:
                yield from (None,) if frame is None else self._add(frame)
        yield from self._drain(end=True)

    def _add(self, frame: Any) -> Iterator[memoryview]:
        import av

        if frame.layout.nb_channels != self._channels:
            raise Refusal("changing_channels", f"{self._channels} and {frame.layout.nb_channels}")
        shape = (frame.format.name, frame.sample_rate)
        if shape != self._shape:  # the first frame, or a file joined from parts
            _check_rate(frame.sample_rate)
            yield from self._drain(end=True)
            self._shape = shape
            self._fifo = av.AudioFifo()
            self._resampler = _resampler(frame)
        frame.pts = None  # gaps in the time stamps of damaged files are not our clock
        self._fifo.write(frame)
        if self._fifo.samples >= frame.sample_rate // 4:
            yield from self._drain()

    def _drain(self, end: bool = False) -> Iterator[memoryview]:
        import av

        if self._resampler is None:
            return
        if self._fifo.samples:
            self._resampler.push(self._fifo.read(self._fifo.samples))
        if end:
            self._resampler.push(None)
        more = True
        while more:
            try:
                frame = self._resampler.pull()
            except (av.error.BlockingIOError, av.error.EOFError):  # it wants more, or has given all
                return
            yield memoryview(frame.planes[0])[: frame.samples * self._channels * SAMPLE_BYTES]
            more = end  # else a frame in gives one frame out, and asking again would raise


def _resampler(frame: Any) -> Any:
    """FFmpeg's resampler for frames like this one; as av.AudioResampler makes it, but without threads of its own."""
    from av.filter import Graph

    graph = Graph()
    graph.threads = 1
    source = graph.add_abuffer(
        sample_rate=frame.sample_rate, format=frame.format.name, layout=frame.layout.name, time_base=frame.time_base
    )
    resample = graph.add("aresample", f"{RATE}:osf=flt")
    target = graph.add("abuffersink")
    source.link_to(resample)
    resample.link_to(target)
    graph.configure()
    return graph


def main(argument: str) -> int:
    """Decode what the argument (JSON) asks for; 0 with a report, 1 with the reason for a refusal."""
    gc.disable()  # a short life with few objects
    request = json.loads(argument)
    limit_process(request["memory_bytes"], request["cpu_seconds"], request["output_bytes"])
    import av  # outside the try: that it cannot be loaded is no fault of the file

    av.logging.set_level(None)
    try:
        with open(sys.stdout.fileno(), "wb", _WRITE_AT_ONCE, closefd=False) as out:
            report = decode(request, out)
    except Refusal as refusal:
        report = {"refused": refusal.reason, "detail": refusal.detail}
    except MemoryError:
        report = {"refused": "memory", "detail": ""}
    except Exception as error:  # av's own errors and its bindings': whatever it is, the parent has words for it
        reason = "space" if getattr(error, "errno", None) == errno.ENOSPC else "undecodable"
        report = {"refused": reason, "detail": f"{type(error).__name__}: {error.args[-1] if error.args else ''}"}
    sys.stderr.write(json.dumps(report) + "\n")
    return 1 if "refused" in report else 0


def run(argument: str) -> NoReturn:
    """Do the job and end the process; nothing is taken down in order, which would only cost time."""
    status = main(argument)
    sys.stderr.flush()
    os._exit(status)
