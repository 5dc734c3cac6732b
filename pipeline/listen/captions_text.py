"""Text transcripts (.txt), as Otter, Rev, Zoom and people write them: text -> cues, each a header and the lines below.

Most give only when somebody starts. No end is made up from that: talk is then counted in words, and pauses and the
length of turns are not measured. Lines above the first speaker and a footer are left out, which is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.listen.captions_cue import Cue, Parsed, check_times, counted, fault, plain
from pipeline.listen.captions_headers import Header, headers_of, is_only_a_time, on_one_line
from pipeline.listen.captions_json import parse_json
from pipeline.listen.captions_scan import is_time_line, split_lines
from pipeline.listen.captions_srt import parse_srt
from pipeline.listen.captions_vtt import parse_vtt

TIME_OF_DAY = 6 * 3600.0
"""Seconds from which a first time is taken for a time of day: no recording that is read is that long."""

_FOOTER = re.compile(
    r"(?:transcri(?:bed|ption|pt)|recorded|generated|exported|powered) (?:by|with|from|ended)\b"
    r"|this (?:editable )?(?:transcript|transcription) (?:was|is)\b|meeting ended after\b",
    re.IGNORECASE,
)
_FOOTER_LINES = 4
_ALLOWED = (
    "'Name  00:01:02' or 'Name (00:01:02):' above the words, '[00:01:02] Name: words', or 'Name: words' throughout"
)
_REMEDY = "Export it with speakers' names, or put a name before what each says."


def parse_text(path: Path, text: str) -> Parsed:
    """The cues of a text transcript; WebVTT, SubRip and JSON in a file named .txt are read as what they are.

    Raises TranscriptError where no speakers can be told in it.
    """
    lines = split_lines(text)
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("WEBVTT"):
        return parse_vtt(path, text)
    if first.lstrip().startswith(("{", "[{")) or first.strip() == "[":
        return parse_json(path, text)
    if any(is_time_line(line) for line in lines[:20]):
        return parse_srt(path, text)
    lines = on_one_line(lines)
    headers = headers_of(lines)
    if not headers:
        raise fault(path, "", "no speakers can be told in this text", _ALLOWED, _REMEDY)
    return _parsed(path, lines, headers)


def is_transcript(text: str) -> bool:
    """Whether a text, or the beginning of one, reads like a transcript with speakers."""
    lines = split_lines(text)
    return (
        text.startswith("WEBVTT")
        or any(is_time_line(line) for line in lines[:20])
        or bool(headers_of(on_one_line(lines)))
    )


@dataclass(slots=True)
class _Left:
    """The places of the lines that are no speech."""

    above: list[str] = field(default_factory=list)
    footer: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)

    def warnings(self) -> list[str]:
        kinds = (
            (self.above, "above the first speaker"),
            (self.footer, "of a footer"),
            (self.times, "with nothing but a time"),
        )
        return [f"{counted(len(places), 'line', places[0])} {what}: left out" for places, what in kinds if places]


def _parsed(path: Path, lines: Sequence[str], headers: Mapping[int, Header]) -> Parsed:
    left = _Left()
    footer = _footer_lines(lines, max(headers))
    opened: list[tuple[str, Header, list[str]]] = []  # where it stands, its header, its lines of text
    for index, line in enumerate(lines):
        place = f"line {index + 1}"
        if index in headers:
            opened.append((place, headers[index], [headers[index].text]))
        elif index in footer:
            left.footer.append(place)
        elif line.strip() and not opened:
            left.above.append(place)
        elif is_only_a_time(line):
            left.times.append(place)
        elif line.strip():
            opened[-1][2].append(plain(line))
    cues, warnings = _from_the_first(
        [Cue(place, plain(" ".join(said)), one.start, one.end, one.name) for place, one, said in opened]
    )
    for cue in cues:
        check_times(path, cue.place, cue.start, cue.end)
    return Parsed(tuple(cues), (*left.warnings(), *warnings), pieces=True, format="txt")


def _footer_lines(lines: Sequence[str], last_header: int) -> set[int]:
    """The lines at the end, below the last header, that a service adds about itself."""
    below = [index for index in range(last_header + 1, len(lines)) if lines[index].strip()]
    return {index for index in below[-_FOOTER_LINES:] if _FOOTER.match(lines[index].strip())}


def _from_the_first(cues: Sequence[Cue]) -> tuple[list[Cue], list[str]]:
    """The cues with times of day counted from the first one, which is said; any other times as they are."""
    first = min((cue.start for cue in cues if cue.start is not None), default=0.0)
    if first < TIME_OF_DAY:
        return list(cues), []
    moved = [
        replace(
            cue,
            start=None if cue.start is None else round(cue.start - first, 3),
            end=None if cue.end is None else round(cue.end - first, 3),
        )
        for cue in cues
    ]
    return moved, ["the times are times of day: counted from the first one"]
