"""WebVTT: text -> cues, and turns -> text. What `write_vtt` writes reads back as the same turns.

Read are voice tags with classes, several voices in a cue, identifiers, settings, NOTE, STYLE and REGION blocks,
entities, the `Name: text` labels of meeting software, and the cues of JSON that Teams gives to programs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.listen.captions_cue import Cue, Parsed, fault, format_clock, language_code, plain, shown
from pipeline.listen.captions_scan import ARROW, END_ESTIMATED, ESTIMATED, scan, split_lines
from pipeline.listen.captions_voices import attribute
from pipeline.records import Call, Turn

WORDS_PER_MINUTE = 150
"""The pace at which times are estimated for turns that have none: an ordinary speaking rate."""

ONE_TURN_A_CUE = "NOTE Each cue is one turn."
"""Says so in a file of ours whose cues do not count from 0."""

_HEADER = re.compile(r"WEBVTT(?:[ \t].*)?")
_OWN_IDENTIFIER = re.compile(r"([0-9]+)(?: \((?:time|end) estimated\))?")
_LANGUAGE = re.compile(r"(?:NOTE )?language: ?([A-Za-z-]{2,12})", re.IGNORECASE)


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
    voiced, more = attribute(cues, entities=True) if (spoken := _from_json(cues)) is None else (spoken, [])
    return Parsed(
        tuple(voiced),
        (*warnings, *more),
        pieces=not _is_own(cues) and ONE_TURN_A_CUE not in lines,
        format="vtt",
        language=_language(lines),
    )


def _is_own(cues: Sequence[Cue]) -> bool:
    """Whether `write_vtt` wrote these cues: a voice tag in each, and identifiers that are numbers counted from 0."""
    last = -1
    for cue in cues:
        match = _OWN_IDENTIFIER.fullmatch(cue.identifier or "")
        number = int(match[1][:9]) if match else -1
        if number <= last or (last < 0 and number != 0) or not cue.text.startswith("<v "):
            return False
        last = number
    return True


def _from_json(cues: Sequence[Cue]) -> list[Cue] | None:
    """The cues of a file in which each is a JSON object {speakerName, spokenText}; None for any other file."""
    if not cues or not all(cue.text.startswith("{") for cue in cues):
        return None
    found = []
    for cue in cues:
        try:
            said = json.loads(cue.text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(said, dict) or not isinstance(said.get("spokenText"), str):
            return None
        name = said.get("speakerName")
        speaker = plain(name) or None if isinstance(name, str) else None
        found.append(replace(cue, text=plain(said["spokenText"]), speaker=speaker))
    return found


def _language(lines: Sequence[str]) -> str | None:
    """The language that the header or a NOTE names, as recognisers do at the top of a file."""
    named = (match for line in lines[:20] if (match := _LANGUAGE.fullmatch(line.strip())))
    return next((language_code(match[1]) for match in named), None)


def write_vtt(turns: Call | Sequence[Turn], names: Mapping[str, str | None] | None = None) -> str:
    """A WebVTT file with one cue a turn, each with the speaker's voice tag and the turn's index as its identifier.

    `names` gives the name to write for a speaker label; a call's participants are the default, and two speakers of
    one name are told apart by their labels. Turns without times get times at 150 words a minute from the turn before,
    and those without an end an end in the same way, which the file says in a NOTE and in the cue's identifier. Turns
    without text are left out.
    """
    said, names = _turns_and_names(turns, names)
    voices = _voices(said, names)
    cues = [
        f"{index}{mark}\n{format_clock(start)} --> {format_clock(end)}\n"
        f"<v {_escaped(voices[said[index].speaker])}>{_escaped(plain(said[index].text))}</v>\n"
        for index, mark, start, end in _timed(said)
        if plain(said[index].text)
    ]
    estimated = sum(cue.split("\n", 1)[0].endswith("estimated)") for cue in cues)
    notes = [f"NOTE Times of {estimated} of {len(cues)} cues are estimated at {WORDS_PER_MINUTE} words a minute.\n"]
    own = [f"{ONE_TURN_A_CUE}\n"] if cues and not cues[0].startswith(("0\n", "0 ")) else []
    return "\n".join(["WEBVTT\n", *own, *(notes if estimated else []), *cues])


def _timed(turns: Sequence[Turn]) -> Iterator[tuple[int, str, float, float]]:
    """Index, mark of an estimate, start and end of each turn; an estimated end is not after a start that follows it."""
    clock = 0.0
    for index, turn in enumerate(turns):
        start = clock if turn.start is None else turn.start
        end = max(start, turn.end) if turn.end is not None else start + len(turn.text.split()) * 60 / WORDS_PER_MINUTE
        mark = ""
        if turn.start is None:
            mark = f" {ESTIMATED}"
        elif turn.end is None:
            mark = f" {END_ESTIMATED}"
            following = turns[index + 1].start if index + 1 < len(turns) else None
            end = min(end, following) if following is not None and following >= start else end
        clock = end
        yield index, mark, start, end


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
