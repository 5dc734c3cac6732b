"""What every transcript format shares: the cue, plain text, clock times, and the wording of a fault.

A cue is one timed entry of a transcript file, before it becomes a turn.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import TranscriptError
from pipeline.records import Side, Word

UNKNOWN = "unknown"
"""The speaker of a cue that names none, in a file that names some."""

MAX_SECONDS = 48 * 3600.0
"""Times above this are refused: no call is that long, but milliseconds taken for seconds soon are."""

_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-5][0-9])(?:[.,]([0-9]{1,9}))?")
_LANGUAGES = {  # as one recogniser's web service writes them
    "english": "en",
    "german": "de",
    "french": "fr",
    "spanish": "es",
    "italian": "it",
    "portuguese": "pt",
    "dutch": "nl",
    "polish": "pl",
    "swedish": "sv",
    "japanese": "ja",
    "korean": "ko",
    "chinese": "zh",
}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Cue:
    """One entry of a transcript file. `place` says where it is ("line 12"), `speaker` None where none is given.

    `words` are its words with times, empty where the file has none. `confidence` is the recogniser's own, 0-1.
    `identifier` is the line that WebVTT and SubRip allow above the times. `goes_on` is for an entry that the file
    itself puts into one turn with the entry before.
    """

    place: str
    text: str
    start: float | None
    end: float | None
    speaker: str | None = None
    words: tuple[Word, ...] = ()
    confidence: float | None = None
    identifier: str | None = None
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a format reader makes of a file: its cues in file order, and sentences for people.

    `pieces` is for a format that cuts turns into several cues, `format` the format's name where the file's suffix does
    not tell it. `language` is an ISO 639-1 code. `sides` are (speaker, side) where the file tells them.
    """

    cues: tuple[Cue, ...]
    warnings: tuple[str, ...] = ()
    pieces: bool = False
    format: str | None = None
    language: str | None = None
    sides: tuple[tuple[str, Side], ...] = ()


def plain(text: str) -> str:
    """The text with control characters removed and each run of whitespace as one space; nothing else is changed.

    Half a surrogate pair, which JSON can smuggle in and no file can hold, becomes U+FFFD.
    """
    return " ".join(_SURROGATE.sub("\ufffd", _CONTROL.sub("", text)).split())


def parse_clock(text: str) -> float | None:
    """Seconds of "MM:SS.mmm" or "HH:MM:SS.mmm" (point or comma, the fraction optional); None if it is not one."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups()
    if int(minutes) > 59:
        return None
    scale: int = 10 ** len(fraction or "")
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return (whole * scale + int(fraction or 0)) / scale  # one division, so 1.100 reads as exactly 1.1


def format_clock(seconds: float) -> str:
    """Seconds as "HH:MM:SS.mmm"."""
    rest, milliseconds = divmod(round(seconds * 1000), 1000)
    rest, second = divmod(rest, 60)
    hour, minute = divmod(rest, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}.{milliseconds:03d}"


def language_code(name: object) -> str | None:
    """The ISO 639-1 code of "en", "en-US" or "English"; None for anything else."""
    if not isinstance(name, str):
        return None
    code = re.split(r"[-_]", name.strip().lower())[0]
    return _LANGUAGES.get(code, code if re.fullmatch(r"[a-z]{2}", code) else None)


def check_times(path: Path, place: str, start: float | None, end: float | None) -> None:
    """Raise TranscriptError for a time that no recording has: negative, not finite, too late, or end before start."""
    for name, value in (("start", start), ("end", end)):
        if value is not None and not (math.isfinite(value) and 0 <= value <= MAX_SECONDS):
            allowed = f"0 to {MAX_SECONDS:.0f} seconds (48 hours)"
            remedy = "Give the time in seconds (not milliseconds) from the start of the recording."
            raise fault(path, place, f"the {name} time {value!r} is out of range", allowed, remedy)
    if start is not None and end is not None and end < start:
        wrong = f"the end {end:.3f} s is before the start {start:.3f} s"
        raise fault(path, place, wrong, "an end at or after the start", "Correct the times of this cue.")


def fault(path: Path, place: str, wrong: str, allowed: str, remedy: str) -> TranscriptError:
    """The error for one fault of a transcript file; `place` may be empty where the whole file is meant."""
    where = f"{path}, {place}" if place else f"{path}"
    return TranscriptError(f"{where}: {wrong}. Allowed: {allowed}. {remedy}")


def shown(value: object, width: int = 60) -> str:
    """The value as it stands in the file, quoted and cut to a readable length."""
    text = repr(value)
    return text if len(text) <= width else f"{text[:width]}…"


def counted(count: int, thing: str, first: str) -> str:
    """ "3 cues (the first at line 12)": the subject of a warning that sums up many places."""
    return f"{count} {thing}{'s' if count != 1 else ''} ({'the first ' if count != 1 else ''}at {first})"
