"""RTTM, the standard text form of who speaks when: speech segments <-> lines of ten fields.

    SPEAKER uri 1 start duration <NA> <NA> speaker <NA> <NA>

Times have three decimals. Fields cannot hold whitespace, so in the uri and in speaker labels it is written as `_`, and
read back as `_`; two labels that would then be equal ("Ann Lee", "Ann_Lee") stay apart by a number at the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import TranscriptError
from pipeline.records import SpeechSegment

_LINE = "SPEAKER uri 1 start duration <NA> <NA> speaker <NA> <NA>"


def write_rttm(segments: Iterable[SpeechSegment], uri: str) -> str:
    """RTTM of the segments, sorted by start. Segments shorter than half a millisecond leave no line.

    Raises ValueError for a segment that ends before it starts, or starts before 0.
    """
    timed = [(*_milliseconds(segment), segment.speaker) for segment in segments]
    labels = _labels(sorted({speaker for _, _, speaker in timed}))
    lines = [
        f"SPEAKER {_field(uri)} 1 {start / 1000:.3f} {(end - start) / 1000:.3f} <NA> <NA> {labels[speaker]} <NA> <NA>\n"
        for start, end, speaker in sorted(timed)
        if end > start
    ]
    return "".join(lines)


def read_rttm(path: Path, uri: str | None = None) -> tuple[SpeechSegment, ...]:
    """The SPEAKER lines of an RTTM file as segments, sorted by start; other line types and comments are skipped.

    `uri` picks the lines of one recording; without it the file may hold one recording only. Raises TranscriptError.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TranscriptError(f"{path}: cannot be read: {error.strerror}. Check the path and permissions.") from error
    except UnicodeDecodeError as error:
        raise TranscriptError(f"{path}: this is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    segments: list[SpeechSegment] = []
    uris: dict[str, None] = {}
    wanted = None if uri is None else _field(uri)
    for number, line in enumerate(text.split("\n"), start=1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":
            continue
        segment = _segment(path, number, fields)
        if wanted is None or fields[1] == wanted:
            segments.append(segment)
        uris[fields[1]] = None
    if wanted is None and len(uris) > 1:
        names = ", ".join(uris)
        raise TranscriptError(f"{path}: lines of {len(uris)} recordings ({names}). Say which one by its uri.")
    if not segments:
        of = "" if uri is None else f" of '{wanted}'"
        raise TranscriptError(f"{path}: no SPEAKER line{of}. Each line reads: {_LINE}")
    return tuple(sorted(segments, key=lambda segment: (segment.start, segment.end, segment.speaker)))


def _milliseconds(segment: SpeechSegment) -> tuple[int, int]:
    if not (math.isfinite(segment.end) and 0 <= segment.start <= segment.end):
        raise ValueError(f"{segment}: a segment starts at 0 or later, and ends after it starts")
    return round(segment.start * 1000), round(segment.end * 1000)


def _field(text: str) -> str:
    """The text as one RTTM field: whitespace as `_`, and never empty."""
    return "_".join(text.split()) or "unknown"


def _labels(speakers: Iterable[str]) -> dict[str, str]:
    """Speaker -> a field of its own. A label that needs no change keeps its own name."""
    labels = {speaker: speaker for speaker in speakers if _field(speaker) == speaker}
    for speaker in speakers:
        if speaker in labels:
            continue
        field, number = _field(speaker), 1
        while field in labels.values():
            number += 1
            field = f"{_field(speaker)}_{number}"
        labels[speaker] = field
    return labels


def _segment(path: Path, number: int, fields: list[str]) -> SpeechSegment:
    """One SPEAKER line as a segment. The last field may be missing, as in files made before 2009."""
    if len(fields) not in (9, 10):
        raise TranscriptError(f"{path}, line {number}: {len(fields)} fields, where 9 or 10 are allowed: {_LINE}")
    try:
        start, duration = float(fields[3]), float(fields[4])
    except ValueError:
        start = duration = math.nan
    if not (math.isfinite(start + duration) and start >= 0 and duration >= 0):
        got = f"start {fields[3]!r}, duration {fields[4]!r}"
        raise TranscriptError(f"{path}, line {number}: {got}; allowed are seconds of 0 or more. Correct the line.")
    return SpeechSegment(fields[7], start, round(start + duration, 6))
