"""Opus packets in, float32 samples at 16 kHz out, by the libopus that PyAV's wheel brings along; imported by the child.

FFmpeg's own decoder gives 48 kHz only, which then has to be resampled: together that takes twice as long.
Where the library is not found, or for a stream that is no plain mono or stereo, FFmpeg's decoder does the work.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RATE = 16_000
_OPUS_CLOCK = 48_000  # Opus counts in this rate, whatever it is decoded at (RFC 7845)
_LONGEST_PACKET = RATE * 120 // 1000  # samples per channel (RFC 6716)
_SAMPLE_BYTES = 4
_HEAD = struct.Struct("<8sBBHIhB")  # RFC 7845: magic, version, channels, pre-skip, input rate, gain, mapping family
_SKIP = struct.Struct("<II")  # FFmpeg's side data: samples to drop at a packet's start and at its end
_LIBRARIES = ("av.libs/libopus-*", "av.libs/opus-*", "av/.dylibs/libopus.*")  # Linux, Windows, macOS


def decoder_for(head: bytes | None) -> OpusDecoder | None:
    """A decoder for the stream with this header, or None where FFmpeg's is to be used."""
    if head is None or len(head) < _HEAD.size:
        return None
    magic, _, channels, _, _, gain, family = _HEAD.unpack_from(head)
    library = _library()
    if magic != b"OpusHead" or family != 0 or gain != 0 or channels not in (1, 2) or library is None:
        return None
    return OpusDecoder(library, channels)


def _library() -> ctypes.CDLL | None:
    """The libopus that lies beside PyAV, or None."""
    import av

    packages = Path(av.__file__).parent.parent
    for pattern in _LIBRARIES:
        for path in sorted(packages.glob(pattern)):
            try:
                return ctypes.CDLL(str(path))
            except OSError:
                continue
    return None


class OpusDecoder:
    """Decodes one mono or stereo stream, packet by packet."""

    def __init__(self, library: ctypes.CDLL, channels: int) -> None:
        self._frame = channels * _SAMPLE_BYTES
        self._target = (ctypes.c_float * (_LONGEST_PACKET * channels))()
        self._samples = memoryview(self._target).cast("B")
        create, self._decode = library.opus_decoder_create, library.opus_decode_float
        create.restype, create.argtypes = ctypes.c_void_p, (ctypes.c_int32, ctypes.c_int, ctypes.c_void_p)
        self._decode.argtypes = (
            *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32),  # decoder, packet, its bytes
            *(ctypes.c_void_p, ctypes.c_int, ctypes.c_int),  # samples, their room per channel, no error correction
        )
        self._state = create(RATE, channels, None)
        if not self._state:
            raise MemoryError("no memory for an Opus decoder")

    def pieces(self, packets: Iterator[Any]) -> Iterator[memoryview | None]:
        """The samples of each packet, interleaved, valid until the next; None for a packet that cannot be decoded."""
        for packet in packets:
            if packet is None:
                yield None
            elif size := packet.buffer_size:
                count = self._decode(self._state, packet.buffer_ptr, size, self._target, _LONGEST_PACKET, 0)
                yield None if count < 0 else self._samples[self._wanted(packet, count)]

    def _wanted(self, packet: Any, count: int) -> slice:
        """The bytes of a packet's samples without those that the encoder padded the call with."""
        if not packet.has_sidedata("skip_samples"):
            return slice(count * self._frame)
        start, end = _SKIP.unpack_from(bytes(packet.get_sidedata("skip_samples")))
        first, last = min(count, _at_our_rate(start)), max(0, count - _at_our_rate(end))
        return slice(first * self._frame, max(first, last) * self._frame)


def _at_our_rate(samples: int) -> int:
    return round(samples * RATE / _OPUS_CLOCK)
