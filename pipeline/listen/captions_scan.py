"""Lines of a WebVTT or SubRip file -> cues with their times and raw text: the block structure, no tags or names.

The two formats differ in two points. WebVTT has NOTE, STYLE and REGION blocks, and a blank line ends a cue's text. In
SubRip only the next time line ends it, so text after a blank line is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.listen.captions_cue import Cue, check_times, counted, fault, parse_clock, shown

ARROW = "-->"
ESTIMATED = "(time estimated)"
"""Ends the identifier of a cue whose times `write_vtt` had to estimate; they are not read back as measured."""
END_ESTIMATED = "(end estimated)"
"""The same of a cue of which only the start is known."""

_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?")
_TIME_LINE = re.compile(r"\s*(\S+)\s*-->\s*(\S+)(?:\s.*)?")
_MEANT_AS_TIMES = re.compile(r"\s*-?[0-9]{1,4}:[0-9]{2}[0-9:.,]*\s*(?:-+>|[-–—→>]|to\b)\s*-?[0-9]+:[0-9]")
_CLOCKS = "HH:MM:SS.mmm or MM:SS.mmm on both sides of '-->', with minutes and seconds up to 59"


@dataclass(slots=True)
class _Scan:
    """A walk over the lines; `at` is the index of the next line to look at."""

    path: Path
    lines: list[str]
    webvtt: bool
    at: int = 0


def split_lines(text: str) -> list[str]:
    """The lines of a caption file. Only CR, LF and CRLF end one: U+2028 and its like are text."""
    return re.split(r"\r\n|\n|\r", text)


def scan(path: Path, lines: list[str], *, first: int, webvtt: bool) -> tuple[list[Cue], list[str]]:
    """The cues in file order, their text with its line ends and tags, and warnings about lines that are no cue."""
    walk = _Scan(path, lines, webvtt, first)
    cues: list[Cue] = []
    orphans: list[str] = []
    going_on: dict[int, list[str]] = {}  # SubRip: cue -> its text below blank lines
    estimated = untimed = 0
    while walk.at < len(lines):
        if not lines[walk.at].strip():
            walk.at += 1
        elif webvtt and _BLOCK.fullmatch(lines[walk.at]):
            _skip_block(walk)
        elif (timed := _time_line(walk)) is not None:
            cue = _cue(walk, timed)
            cues.append(cue)
            estimated += cue.end is None
            untimed += cue.start is None
        else:
            place = _place(walk.at)
            text = _orphan(walk)
            if webvtt or not cues:
                orphans.append(place)
            else:
                going_on.setdefault(len(cues) - 1, []).append(text)
    for index, texts in going_on.items():
        cues[index] = replace(cues[index], text="\n".join([cues[index].text, *texts]))
    warnings = []
    if orphans:
        warnings.append(f"{counted(len(orphans), 'block', orphans[0])} without a time line: left out")
    if estimated:
        what = "times: read as cues without times" if untimed else "ends: read as cues with a start alone"
        warnings.append(f"{estimated} of {len(cues)} cues carry estimated {what}")
    return cues, warnings


def _place(index: int) -> str:
    return f"line {index + 1}"


def _skip_block(walk: _Scan) -> None:
    while walk.at < len(walk.lines) and walk.lines[walk.at].strip():
        walk.at += 1


def _time_line(walk: _Scan) -> int | None:
    """The index of the time line of the block that starts here: its first line, or the second after an identifier."""
    for index in (walk.at, walk.at + 1):
        if index < len(walk.lines) and ARROW in walk.lines[index]:
            return index
        if index < len(walk.lines) and _MEANT_AS_TIMES.match(walk.lines[index]):
            raise _unreadable(walk, index)
    return None


def _unreadable(walk: _Scan, index: int) -> Exception:
    wrong = f"the time line {shown(walk.lines[index])} cannot be read"
    return fault(walk.path, _place(index), wrong, _CLOCKS, "Correct the line, or export the transcript again.")


def _cue(walk: _Scan, timed: int) -> Cue:
    """The cue whose time line is `timed`, without the times that are marked as estimated; moves past its text."""
    match = _TIME_LINE.fullmatch(walk.lines[timed])
    start = parse_clock(match[1]) if match else None
    end = parse_clock(match[2]) if match else None
    if start is None or end is None:
        raise _unreadable(walk, timed)
    place = _place(timed)
    check_times(walk.path, place, start, end)
    identifier = walk.lines[walk.at].strip() if timed > walk.at else None
    walk.at = timed + 1
    text = _text(walk)
    measured_start = None if (identifier or "").endswith(ESTIMATED) else start
    measured_end = None if (identifier or "").endswith((ESTIMATED, END_ESTIMATED)) else end
    return Cue(place, text, measured_start, measured_end, identifier=identifier)


def _text(walk: _Scan) -> str:
    """The cue text from here on; it ends at an empty line, or where the next cue starts without one between."""
    begin = walk.at
    while walk.at < len(walk.lines) and walk.lines[walk.at] != "":
        if is_time_line(walk.lines[walk.at]):
            if walk.at > begin and _is_identifier(walk.lines, walk.at - 1, begin):
                walk.at -= 1
            break
        if _MEANT_AS_TIMES.match(walk.lines[walk.at]):
            raise _unreadable(walk, walk.at)
        walk.at += 1
    return "\n".join(walk.lines[begin : walk.at])


def is_time_line(line: str) -> bool:
    """Whether the line holds the times of a cue, as both formats write them."""
    match = _TIME_LINE.fullmatch(line) if ARROW in line else None
    return match is not None and parse_clock(match[1]) is not None and parse_clock(match[2]) is not None


def _is_identifier(lines: list[str], index: int, begin: int) -> bool:
    """Whether the line before a time line numbers that cue: a bare number, or a line after one of only spaces."""
    return lines[index].strip().isdecimal() or (index > begin and not lines[index - 1].strip())


def _orphan(walk: _Scan) -> str:
    """The lines from here to the next empty line or cue, which belong to no time line; moves past them."""
    begin = walk.at
    while walk.at < len(walk.lines) and walk.lines[walk.at].strip() and (walk.at == begin or _time_line(walk) is None):
        walk.at += 1
    return "\n".join(walk.lines[begin : walk.at])
