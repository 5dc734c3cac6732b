"""WebVTT: text -> cues, and turns -> text. What `write_vtt` writes reads back as the same turns.

Read are voice tags with classes, several voices in a cue, identifiers, settings, NOTE, STYLE and REGION blocks,
entities, and the `Name: text` labels of meeting software.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.listen.captions_cue import Parsed, fault, format_clock, plain, shown
from pipeline.listen.captions_scan import ARROW, ESTIMATED, scan, split_lines
from pipeline.listen.captions_voices import attribute
from pipeline.records import Call, Turn

WORDS_PER_MINUTE = 150
"""The pace at which times are estimated for turns that have none: an ordinary speaking rate."""

_HEADER = re.compile(r"WEBVTT(?:[ \t].*)?")


def parse_vtt(path: Path, text: str) -> Parsed:
    """The cues of a WebVTT file; raises TranscriptError where it has no WEBVTT header or a time line is broken."""
    lines = split_lines(text)
    if _HEADER.fullmatch(lines[0]) is None:
        wrong = f"the first line is {shown(lines[0])}, not a WebVTT header"
        remedy = "Put WEBVTT on a line of its own above the first cue, or give the file the suffix of its real format."
        raise fault(path, "line 1", wrong, "WEBVTT as the first six characters", remedy)
    first = 1  # the header goes on to the first empty line, or to a cue that follows without one
    while first < len(lines) and lines[first] and ARROW not in lines[first]:
        first += 1
    cues, warnings = scan(path, lines, first=first, webvtt=True)
    voiced, more = attribute(cues, entities=True)
    return Parsed(tuple(voiced), (*warnings, *more))


def write_vtt(turns: Call | Sequence[Turn], names: Mapping[str, str | None] | None = None) -> str:
    """A WebVTT file with one cue a turn, each with the speaker's voice tag and the turn's index as its identifier.

    `names` gives the name to write for a speaker label; a call's participants are the default, and two speakers of
    one name are told apart by their labels. Turns without times get times at 150 words a minute from the turn before,
    which the file says in a NOTE and in the cue's identifier. Turns without text are left out.
    """
    said, names = _turns_and_names(turns, names)
    voices = _voices(said, names)
    clock = 0.0
    cues: list[str] = []
    estimated = 0
    for index, turn in enumerate(said):
        text = plain(turn.text)
        start = clock if turn.start is None else turn.start
        spoken = len(text.split()) * 60 / WORDS_PER_MINUTE
        end = max(start, turn.end) if turn.end is not None else start + spoken
        clock = end
        if not text:
            continue
        is_estimated = turn.start is None or turn.end is None
        estimated += is_estimated
        mark = f" {ESTIMATED}" if is_estimated else ""
        voice = _escaped(voices[turn.speaker])
        cues.append(f"{index}{mark}\n{format_clock(start)} --> {format_clock(end)}\n<v {voice}>{_escaped(text)}</v>\n")
    note = f"NOTE Times of {estimated} of {len(cues)} cues are estimated at {WORDS_PER_MINUTE} words a minute.\n"
    return "\n".join(["WEBVTT\n", *([note] if estimated else []), *cues])


def _turns_and_names(
    turns: Call | Sequence[Turn], names: Mapping[str, str | None] | None
) -> tuple[Sequence[Turn], Mapping[str, str | None]]:
    if isinstance(turns, Call):
        return turns.turns, {one.speaker: one.name for one in turns.participants} if names is None else names
    return turns, names or {}


def _voices(turns: Sequence[Turn], names: Mapping[str, str | None]) -> dict[str, str]:
    """Speaker label -> the name to write, a different one for each label."""
    labels = list(dict.fromkeys(turn.speaker for turn in turns))
    wanted = {label: plain(names.get(label) or "") or plain(label) or "unknown" for label in labels}
    taken = list(wanted.values())
    return {
        label: name if taken.count(name) == 1 or name == label else f"{name} ({plain(label)})"
        for label, name in wanted.items()
    }


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
