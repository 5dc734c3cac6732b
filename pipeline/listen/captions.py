"""A transcript file -> turns in file order. Each cue stays one turn, so turn 7 is the file's eighth cue.

Nothing is merged, reordered or rewritten: times that overlap or go back are kept and said. Two kinds of cue are
special, and said too: one without text is left out, one with several voices becomes a turn for each.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import TranscriptError
from pipeline.listen.captions_cue import Cue, Parsed, counted, fault
from pipeline.listen.captions_json import parse_json
from pipeline.listen.captions_srt import parse_srt
from pipeline.listen.captions_vtt import parse_vtt, write_vtt
from pipeline.records import Turn

__all__ = ["MAX_BYTES", "TRANSCRIPT_FORMATS", "UNKNOWN", "Imported", "read_transcript", "write_vtt"]

MAX_BYTES = 50 * 1024**2
"""The largest transcript file that is read; a day of speech is about 1 MB."""

TRANSCRIPT_FORMATS: dict[str, tuple[str, Callable[[Path, str], Parsed]]] = {
    ".vtt": ("vtt", parse_vtt),
    ".srt": ("srt", parse_srt),
    ".json": ("json", parse_json),
}
"""File suffix -> the format's name and its reader."""

UNKNOWN = "unknown"
"""The speaker of a cue that names none, in a file that names some."""

_ENCODINGS = (  # UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EXPORT = "Export it as WebVTT, SRT or JSON with speakers and save it as UTF-8."


@dataclass(frozen=True, slots=True)
class Imported:
    """A transcript as it was imported. `speakers` are in order of first speech; `duration` is the last end in
    seconds, None where no turn has times; `sha256` is of the file's bytes; `warnings` are sentences for people."""

    turns: tuple[Turn, ...]
    speakers: tuple[str, ...]
    duration: float | None
    sha256: str
    format: str
    warnings: tuple[str, ...] = ()


def read_transcript(path: Path) -> Imported:
    """The turns of a .vtt, .srt or .json transcript, in file order; their `words` are empty.

    Raises TranscriptError where the file is missing, empty, too large, not text, not in its format, or names nobody.
    """
    if path.suffix.lower() not in TRANSCRIPT_FORMATS:
        wrong = f"'{path.suffix}' is not a transcript format"
        raise fault(path, "", wrong, "a file named " + ", ".join(TRANSCRIPT_FORMATS), _EXPORT)
    name, parse = TRANSCRIPT_FORMATS[path.suffix.lower()]
    data = _bytes(path)
    parsed = parse(path, _decoded(path, data))
    cues = [cue for cue in parsed.cues if cue.text]
    if not cues:
        wrong = f"there is no cue with text among {len(parsed.cues)} cues"
        raise fault(path, "", wrong, "a transcript with at least one cue", _EXPORT)
    if not any(cue.speaker for cue in cues):
        wrong = f"none of the {len(cues)} cues names a speaker"
        allowed = "'<v Name>text' in WebVTT, 'Name: text' in WebVTT or SRT, a speaker key in JSON"
        raise fault(path, "", wrong, allowed, "Export the transcript with speakers' names, or score the recording.")
    turns = tuple(Turn(cue.speaker or UNKNOWN, cue.text, cue.start, cue.end) for cue in cues)
    ends = [time for turn in turns for time in (turn.start, turn.end) if time is not None]
    return Imported(
        turns=turns,
        speakers=tuple(dict.fromkeys(turn.speaker for turn in turns)),
        duration=max(ends, default=None),
        sha256=hashlib.sha256(data).hexdigest(),
        format=name,
        warnings=(*parsed.warnings, *_left_out(parsed.cues), *_nameless(cues), *_odd_times(cues)),
    )


def _bytes(path: Path) -> bytes:
    """The file's content, within the size limit."""
    try:
        if not path.is_file():
            wrong = "this is not a file" if path.exists() else "the file does not exist"
            raise fault(path, "", wrong, "a readable transcript file", "Check the path and its spelling.")
        size = path.stat().st_size
        if size > MAX_BYTES:
            wrong, allowed = f"the file has {size:,} bytes", f"at most {MAX_BYTES:,} bytes"
            raise fault(path, "", wrong, allowed, "Check that this is a transcript, and split it if it is.")
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise fault(path, "", f"cannot be read: {reason}", "a readable file", "Check its permissions.") from error
    if not data.strip():
        raise fault(path, "", "the file is empty", "a transcript with at least one cue", _EXPORT)
    return data


def _decoded(path: Path, data: bytes) -> str:
    """The text of the bytes: UTF-8, or what a byte order mark announces. Raises TranscriptError for anything else."""
    encoding = next((name for mark, name in _ENCODINGS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in data:
            raise _binary(path) from error
        line = data.count(b"\n", 0, error.start) + 1
        wrong = f"byte {error.start} is 0x{data[error.start]:02x}, which is not {encoding.upper()}"
        allowed = "text in UTF-8, or in UTF-16 with a byte order mark"
        raise fault(path, f"line {line}", wrong, allowed, "Save the file as UTF-8 in a text editor.") from error
    head = text[:4096]
    if sum(char < " " and not char.isspace() for char in head) * 10 > len(head):
        raise _binary(path)
    return text


def _binary(path: Path) -> TranscriptError:
    return fault(path, "", "this is a binary file, not text", "a .vtt, .srt or .json text file", _EXPORT)


def _left_out(cues: Sequence[Cue]) -> list[str]:
    places = [cue.place for cue in cues if not cue.text]
    return [f"{counted(len(places), 'cue', places[0])} without text: left out, and not counted"] if places else []


def _nameless(cues: Sequence[Cue]) -> list[str]:
    places = [cue.place for cue in cues if not cue.speaker]
    return [f"{counted(len(places), 'cue', places[0])} without a speaker: taken as '{UNKNOWN}'"] if places else []


def _odd_times(cues: Sequence[Cue]) -> list[str]:
    """Warnings about times that are kept as they are: missing in part, going back, or overlapping."""
    untimed = [cue.place for cue in cues if cue.start is None or cue.end is None]
    back, overlapping = [], []
    begun = ended = 0.0
    for cue in cues:
        if cue.start is None:
            continue
        if cue.start < begun:
            back.append(cue.place)
        elif cue.start < ended:
            overlapping.append(cue.place)
        begun, ended = cue.start, max(ended, cue.end if cue.end is not None else cue.start)
    warnings = []
    if len(untimed) == len(cues):
        warnings.append("no cue has times: nothing that needs them is measured")
    elif untimed:
        warnings.append(f"{counted(len(untimed), 'cue', untimed[0])} without a start or an end time")
    if back:
        warnings.append(f"{counted(len(back), 'cue', back[0])} starting before the cue above: kept in file order")
    if overlapping:
        warnings.append(f"{counted(len(overlapping), 'cue', overlapping[0])} starting before an earlier one ends: kept")
    return warnings
