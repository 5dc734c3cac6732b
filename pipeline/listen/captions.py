"""A transcript file -> turns in file order, and what else the file tells: language, confidence, sides.

A cue is a turn, or a piece of one in the formats that cut turns into captions (captions_join.py has the rule). Nothing
is reordered or rewritten: times that overlap or go back are kept and said. Two kinds of cue are special, and said too:
one without text is left out, one with several voices becomes a turn for each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import TranscriptError
from pipeline.listen.captions_cue import UNKNOWN, Cue, Parsed, counted, fault
from pipeline.listen.captions_join import join_pieces, speech_in
from pipeline.listen.captions_json import parse_json, parse_json_lines
from pipeline.listen.captions_look import encoding_of, looks_like_transcript
from pipeline.listen.captions_srt import parse_srt
from pipeline.listen.captions_text import parse_text
from pipeline.listen.captions_vtt import parse_vtt, write_vtt
from pipeline.listen.captions_words import mean_confidence
from pipeline.records import Side, SpeechSegment, Turn

__all__ = [
    "MAX_BYTES",
    "TRANSCRIPT_FORMATS",
    "UNKNOWN",
    "Imported",
    "looks_like_transcript",
    "read_transcript",
    "write_vtt",
]

MAX_BYTES = 50 * 1024**2
"""The largest transcript file that is read; a day of speech is about 1 MB."""

TRANSCRIPT_FORMATS: dict[str, tuple[str, Callable[[Path, str], Parsed]]] = {
    ".vtt": ("vtt", parse_vtt),
    ".srt": ("srt", parse_srt),
    ".json": ("json", parse_json),
    ".jsonl": ("jsonl", parse_json_lines),
    ".txt": ("txt", parse_text),
}
"""File suffix -> the format's name and its reader. What the content shows goes before the suffix's name."""

_EXPORT = "Export it as WebVTT, SRT, JSON or text with speakers and save it as UTF-8."


@dataclass(frozen=True, slots=True)
class Imported:
    """A transcript as it was imported. `speakers` are in order of first speech; `duration` is the last time in seconds,
    None where no turn has times; `sha256` is of the file's bytes; `warnings` are sentences for people.

    `format` is vtt, srt, json, jsonl, txt, "whisper json" or "gong json". `language` is an ISO 639-1 code and
    `word_confidence` the recogniser's mean confidence in its words (0-1), None where the file has none. `sides` are
    (speaker, side) of those whose side the file tells. `speech` says who speaks when by the file's cues, where
    turns were joined from several; it is empty where the turns' own times say it.
    """

    turns: tuple[Turn, ...]
    speakers: tuple[str, ...]
    duration: float | None
    sha256: str
    format: str
    warnings: tuple[str, ...] = ()
    language: str | None = None
    word_confidence: float | None = None
    sides: tuple[tuple[str, Side], ...] = ()
    speech: tuple[SpeechSegment, ...] = ()


def read_transcript(path: Path) -> Imported:
    """The turns of a transcript, in file order. Their `words` are those of a recogniser's JSON, else empty.

    Raises TranscriptError where the file is missing, empty, too large, not text, not in its format, or names nobody.
    """
    if path.suffix.lower() not in TRANSCRIPT_FORMATS:
        wrong = f"'{path.suffix}' is not a transcript format"
        raise fault(path, "", wrong, "a file named " + ", ".join(TRANSCRIPT_FORMATS), _EXPORT)
    name, parse = TRANSCRIPT_FORMATS[path.suffix.lower()]
    data = _bytes(path)
    parsed = parse(path, _decoded(path, data))
    cues = _spoken(path, parsed)
    joined = join_pieces(cues) if parsed.pieces else cues
    turns = tuple(Turn(cue.speaker or UNKNOWN, cue.text, cue.start, cue.end, cue.words) for cue in joined)
    times = [time for turn in turns for time in (turn.start, turn.end) if time is not None]
    return Imported(
        turns=turns,
        speakers=tuple(dict.fromkeys(turn.speaker for turn in turns)),
        duration=max(times, default=None),
        sha256=hashlib.sha256(data).hexdigest(),
        format=parsed.format or name,
        warnings=(*parsed.warnings, *_left_out(parsed.cues), *_nameless(cues), *_odd_times(cues)),
        language=parsed.language,
        word_confidence=mean_confidence(cues),
        sides=parsed.sides,
        speech=speech_in(cues) if len(joined) < len(cues) else (),
    )


def _spoken(path: Path, parsed: Parsed) -> list[Cue]:
    """The cues with text. Raises TranscriptError where there is none, or none that names a speaker."""
    cues = [cue for cue in parsed.cues if cue.text]
    if not cues:
        wrong = f"there is no cue with text among {len(parsed.cues)} cues"
        raise fault(path, "", wrong, "a transcript with at least one cue", _EXPORT)
    if not any(cue.speaker for cue in cues):
        wrong = f"none of the {len(cues)} cues names a speaker"
        allowed = "'<v Name>text' in WebVTT, 'Name: text' in WebVTT or SRT, a speaker key in JSON"
        raise fault(path, "", wrong, allowed, "Export the transcript with speakers' names, or score the recording.")
    return cues


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
    encoding = encoding_of(data)
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
    return fault(path, "", "this is a binary file, not text", "text, such as a .vtt, .srt or .txt file", _EXPORT)


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
    if all(cue.start is None and cue.end is None for cue in cues):
        warnings.append("no cue has times: nothing that needs them is measured")
    elif all(cue.end is None for cue in cues):
        warnings.append("the file tells when turns start and not when they end: talk is counted in words")
    elif untimed:
        warnings.append(f"{counted(len(untimed), 'cue', untimed[0])} without a start or an end time")
    if back:
        warnings.append(f"{counted(len(back), 'cue', back[0])} starting before the cue above: kept in file order")
    if overlapping:
        warnings.append(f"{counted(len(overlapping), 'cue', overlapping[0])} starting before an earlier one ends: kept")
    return warnings
