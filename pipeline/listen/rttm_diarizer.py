"""Who speaks when out of an RTTM file: people or another tool told the voices apart, and are believed.

Labels stay as they are in the file: a role or a name in them is read by `roles`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pipeline.errors import ListeningError, TranscriptError
from pipeline.listen.media import RATE, Samples
from pipeline.listen.rttm import read_rttm
from pipeline.listen.speech import Stretch
from pipeline.records import SpeechSegment

_BEYOND = 1.0  # seconds by which lines may pass the recording's end: tools round, and pad their last stretch


class RttmDiarizer:
    """The stretches of one RTTM file. `recording` is the file that is listened to: where the RTTM file holds lines of
    several recordings, those that bear its name, with or without the ending, are read.

    Raises TranscriptError for a file that cannot be read, or holds several recordings of which none is this one.
    """

    trust: Literal["high", "low"] = "high"
    warnings: tuple[str, ...] = ()

    def __init__(self, path: Path, recording: Path | None = None) -> None:
        self.name = f"RTTM file {path.name}"
        self._path = path
        self._segments = _read(path, recording)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        self.models: tuple[tuple[str, str], ...] = (("rttm", f"sha256:{digest}"),)

    def __call__(
        self,
        samples: Samples,
        *,
        speakers: tuple[int, int] | None = None,
        stretches: Sequence[Stretch] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[SpeechSegment, ...]:
        """The file's stretches, by start, clipped to the recording.

        Raises ListeningError where they pass its end by more than a second: then they are another recording's.
        """
        duration = len(samples) / RATE
        last = max(segment.end for segment in self._segments)
        if last > duration + _BEYOND:
            raise ListeningError(
                f"{self._path}: its last line ends at {last:.1f} s, but the recording is {duration:.1f} s long. Name "
                "the RTTM file of this recording in the manifest's `rttm` column."
            )
        clipped = (SpeechSegment(one.speaker, one.start, min(one.end, duration)) for one in self._segments)
        found = tuple(one for one in clipped if one.end > one.start)
        if progress is not None:
            progress(1, 1)
        return found


def _read(path: Path, recording: Path | None) -> tuple[SpeechSegment, ...]:
    """The lines of the recording, or of the only recording that the file knows under whatever name."""
    uris = _uris(path)
    if recording is None or len(uris) < 2:
        return read_rttm(path)
    for name in (recording.stem, recording.name):
        if "_".join(name.split()) in uris:  # as RTTM writes whitespace
            return read_rttm(path, name)
    raise TranscriptError(
        f"{path}: holds lines of {len(uris)} recordings ({', '.join(uris)}), and none is named '{recording.stem}'. "
        "Name the lines in their second field like the recording, or give a file with the lines of this one alone."
    )


def _uris(path: Path) -> tuple[str, ...]:
    """The recordings that the file names, in its order; what is wrong with a line is told by `read_rttm`."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return ()
    fields = [line.decode("utf-8", "replace").split() for line in lines]
    return tuple(dict.fromkeys(one[1] for one in fields if len(one) > 1 and one[0] == "SPEAKER"))
