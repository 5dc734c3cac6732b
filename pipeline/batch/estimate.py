"""How many hours of audio a plan holds and how long it takes: sizes and measured speeds in, seconds out.

What the ledger has measured goes before what is usual; nothing is promised about time where nothing was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import splitext

from pipeline.archive.ledger import Speeds
from pipeline.archive.recordings import Need

__all__ = ["USUAL_BYTES", "bytes_of_a_second", "seconds_of_work"]

USUAL_BYTES: dict[str, float] = {
    ".wav": 32_000,  # 16 bits at 8 kHz in stereo, as telephone systems export, or at 16 kHz in mono
    ".flac": 18_000,  # the same, packed
    ".mp3": 8_000,  # 64 kbit/s
    ".m4a": 8_000,
    ".ogg": 6_000,
    ".opus": 4_000,  # 32 kbit/s
    ".webm": 6_000,
    ".mp4": 60_000,  # with the picture of a video meeting
}
"""Bytes of a second of a recording by suffix, where none was measured: rough, from the usual bit rates of speech."""
_OTHER = 8_000.0


def bytes_of_a_second(key: str, measured: Mapping[str, float]) -> float:
    """How large a second of such a recording is: as measured in this ledger, else as usual."""
    suffix = splitext(key)[1].lower()
    return measured.get(suffix) or USUAL_BYTES.get(suffix, _OTHER)


def seconds_of_work(counts: Mapping[Need, int], audio_seconds: float, speeds: Speeds) -> tuple[float, tuple[Need, ...]]:
    """Seconds of one worker for so many recordings of each need, and the needs for which nothing was measured.

    Listening goes by the seconds of audio where these are known, all else by the number of recordings; of several
    devices, that counts on which most was done.
    """
    total = 0.0
    unmeasured: list[Need] = []
    for need, count in counts.items():
        measured = max((one for one in speeds.work if one.need == need), key=lambda one: one.recordings, default=None)
        if not count:
            continue
        if measured is None or not measured.recordings:
            unmeasured.append(need)
        elif need == "listen" and measured.audio_seconds > 0:
            total += audio_seconds * measured.wall_seconds / measured.audio_seconds
        else:
            total += count * measured.wall_seconds / measured.recordings
    return total, tuple(unmeasured)
