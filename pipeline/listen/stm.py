"""STM, the text form of references in speech evaluation (NIST sclite): timed lines of who said what -> turns.

    file channel speaker start end <labels> text

The labels may be missing. Of alternatives `{ one / another / @ }` the first counts, and `@` is no word.
"""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.errors import TranscriptError
from pipeline.listen.captions_cue import check_times, fault, plain, shown
from pipeline.records import Turn

_LINE = "file channel speaker start end <labels> text"
_IGNORED = "IGNORE_TIME_SEGMENT_IN_SCORING"
_ALTERNATIVES = re.compile(r"\{([^{}/]*)(?:/[^{}]*)?\}")
_REMEDY = f"Each line reads: {_LINE}"


def read_stm(path: Path, uri: str | None = None) -> tuple[Turn, ...]:
    """The lines of an STM file as turns, sorted by start; comments (`;;`) and lines without words are left out.

    `uri` picks the lines of one recording, the first field; without it the file may hold one recording only. Raises
    TranscriptError, also for stretches that are marked as not to be scored: these cannot be left out on both sides.
    """
    turns: list[Turn] = []
    files: dict[str, None] = {}
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith(";;"):
            continue
        file, turn = _turn(path, f"line {number}", line)
        if uri is None or file == uri:
            files[file] = None
            turns += [turn] if turn.text else []
    if len(files) > 1:
        raise TranscriptError(
            f"{path}: lines of {len(files)} recordings ({', '.join(files)}). Keep those of one recording in a file."
        )
    if not turns:
        of = "" if uri is None else f" of '{uri}'"
        raise TranscriptError(f"{path}: no line with words{of}. {_REMEDY}")
    return tuple(sorted(turns, key=lambda turn: (turn.start or 0.0, turn.end or 0.0, turn.speaker)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TranscriptError(f"{path}: cannot be read: {error.strerror}. Check the path and permissions.") from error
    except UnicodeDecodeError as error:
        raise TranscriptError(f"{path}: this is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error


def _turn(path: Path, place: str, line: str) -> tuple[str, Turn]:
    """The recording's name and the turn of one line; its text is empty where nothing was said."""
    fields = line.split(maxsplit=5)
    if len(fields) < 5:
        raise fault(path, place, f"{len(fields)} fields", "5 fields and the text", _REMEDY)
    file, _, speaker, *times = fields[:5]
    start, end = (_time(path, place, name, value) for name, value in zip(("start", "end"), times, strict=True))
    check_times(path, place, start, end)
    said = fields[5] if len(fields) == 6 else ""
    if said.startswith("<") and ">" in said:  # <o,f0,male>: the line's labels
        said = said.partition(">")[2]
    if said.strip().upper() == _IGNORED:
        wrong = f"the stretch is marked {_IGNORED.lower()}"
        remedy = "Write down what is said there, or cut it out of the recording."
        raise fault(path, place, wrong, "a reference of the whole call", remedy)
    return file, Turn(speaker, _words(said), start, end)


def _time(path: Path, place: str, name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise fault(path, place, f"the {name} time {shown(value)} is not a number", "seconds", _REMEDY) from error


def _words(said: str) -> str:
    """The words of a line, of alternatives the first."""
    while (simpler := _ALTERNATIVES.sub(r" \1 ", said)) != said:  # alternatives may lie in one another
        said = simpler
    return plain(" ".join(word for word in said.split() if word != "@"))
