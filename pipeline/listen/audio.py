"""A decoded recording on disk, read piece by piece: its memory is what is asked for, however long the call is.

The samples lie interleaved in a temporary file without a name, which goes when nobody holds the recording any more.
Nothing is mapped: pages of a mapped file count as memory of the process that touches them.
"""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from pipeline.listen.decode_child import RATE as RATE

Samples = NDArray[np.float32]

# Float and not int16, at twice the disk: lossy decoders and resampling go beyond full scale, where int16 would clip,
# and quiet channels (bleed is measured at -60 dB) keep their digits.
_SAMPLE = np.dtype(np.float32)
_AT_ONCE = 2**18  # samples of all channels together that one read takes: 1 MiB


@dataclass(frozen=True)
class Audio:
    """A decoded recording: `length` samples per channel at 16 kHz, full scale at 1, float32.

    `sample_rate` and `codec` are the file's own. `warnings` are sentences for people. Several threads may read at once.
    """

    pcm: PcmFile
    path: Path
    sha256: str
    container: str
    codec: str
    sample_rate: int
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, samples: Samples, path: Path = Path("samples")) -> Audio:
        """A recording of (channels, samples), or of one channel's samples, that is in memory."""
        samples = np.atleast_2d(samples)  # (channels, samples)
        pcm = PcmFile(tempfile.TemporaryFile(prefix="ridealong-"), len(samples))  # noqa: SIM115
        for first in range(0, samples.shape[1], _AT_ONCE):
            pcm.append(samples[:, first : first + _AT_ONCE])
        return cls(pcm, path, sha256="", container="", codec="pcm_f32le", sample_rate=RATE)

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return self.pcm.channels

    @property
    def length(self) -> int:
        """Samples per channel."""
        return self.pcm.length

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.length / RATE

    def window(self, first: int, last: int) -> Samples:
        """The samples from `first` up to `last` as (channels, n) in memory; limits are brought into the recording."""
        first, last = self._inside(first, last)
        found = np.empty((self.channels, last - first), np.float32)
        for at, frames in self.pcm.read(first, last):
            found[:, at - first : at - first + len(frames)] = frames.T
        return found

    def channel(self, index: int, first: int = 0, last: int | None = None) -> Samples:
        """One channel's samples from `first` up to `last` (its end), in memory; limits are brought into the recording.

        Raises IndexError where there is no such channel.
        """
        if not 0 <= index < self.channels:
            raise IndexError(f"{self.path}: there is no channel {index}; there are {self.channels}, counted from 0.")
        first, last = self._inside(first, last)
        found = np.empty(last - first, np.float32)
        for at, frames in self.pcm.read(first, last):
            found[at - first : at - first + len(frames)] = frames[:, index]
        return found

    def blocks(self, seconds: float = 60) -> Iterator[tuple[int, Samples]]:
        """The whole recording in pieces of so many seconds: each piece's first sample, and (channels, n)."""
        step = max(1, round(seconds * RATE))
        for first in range(0, self.length, step):
            yield first, self.window(first, first + step)

    @property
    def samples(self) -> Samples:
        """All of it in memory, as (channels, samples): for short recordings only."""
        return self.window(0, self.length)

    def _inside(self, first: int, last: int | None) -> tuple[int, int]:
        first = min(max(0, first), self.length)
        return first, min(max(first, self.length if last is None else last), self.length)


class PcmFile:
    """Interleaved float32 samples in an open file, which is closed with this object."""

    def __init__(self, file: IO[bytes], channels: int) -> None:
        self.channels = channels
        self.length = os.fstat(file.fileno()).st_size // (_SAMPLE.itemsize * channels)
        self._file = file
        self._reading = threading.Lock()
        weakref.finalize(self, file.close)

    def append(self, samples: Samples) -> None:
        """Add (channels, samples) at the end."""
        self._file.seek(0, os.SEEK_END)
        self._file.write(np.ascontiguousarray(samples.T, _SAMPLE).tobytes())
        self._file.flush()
        self.length += samples.shape[1]

    def read(self, first: int, last: int) -> Iterator[tuple[int, Samples]]:
        """The samples from `first` to `last` in small pieces: each piece's first sample, and (n, channels)."""
        frame = _SAMPLE.itemsize * self.channels
        step = max(1, _AT_ONCE // self.channels)
        for at in range(first, last, step):
            wanted = min(step, last - at)
            content = self._bytes_at(at * frame, wanted * frame)
            yield at, np.frombuffer(content, _SAMPLE).reshape(wanted, self.channels)

    def _bytes_at(self, offset: int, size: int) -> bytes:
        if hasattr(os, "pread"):  # leaves the file's position alone: threads don't wait for one another
            return os.pread(self._file.fileno(), size, offset)
        with self._reading:  # Windows
            self._file.seek(offset)
            return self._file.read(size)
