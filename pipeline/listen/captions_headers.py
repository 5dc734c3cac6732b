"""Lines of a text transcript -> where a turn begins, who speaks, and when: "Ann Lee  0:03" and its relatives.

Headers are told by their shape. One that also fits a sentence ("See you Monday 10:30") counts only in a file that has
none of the clear ones, and a name must be written like one or come again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.listen.captions_cue import plain
from pipeline.listen.captions_voices import label_of, like_a_name, names_among

LONGEST = 160
"""Characters of a line that are looked at: names of 60 and two times fit easily."""

_TIME = r"(?:[0-9]{1,2}:)?[0-9]{1,3}:[0-5][0-9](?:[.,][0-9]{1,3})?"
_SPAN = rf"(?P<start>{_TIME})(?: ?(?:-->|[-–—→]) ?(?P<end>{_TIME}))?"
_NAME = r"(?P<name>[^\s\[(:：][^\t:：]{0,59}?)"
_CLEAR = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_NAME}(?: {{2,}}| ?\t) *[(\[]?{_SPAN}[)\]]? *:?$",  # Ann Lee  0:03
        rf"{_NAME} ?:? ?[(\[]{_SPAN}[)\]](?: ?[:：]| ?$)",  # Ann Lee (00:01:02): text
        rf"{_NAME} ?[:：] ?[(\[]{_SPAN}[)\]]",  # Ann Lee: [00:01:02] text
        rf"\[(?P<name>[^\]]{{1,60}})\] {{1,4}}{_SPAN}$",  # [Ann Lee] 14:03:02
        # 00:01:02 Ann Lee: text
        rf"[(\[]?{_SPAN}[)\]]? {{0,4}}[-–—|]? ?(?:\[(?P<inner>[^\]]{{1,60}})\]|{_NAME}) ?[:：](?: |$)",
        rf"{_SPAN}\t{_NAME}(?:\t|$)",
        rf"[(\[]{_SPAN}[)\]] {{1,4}}(?:[-–—|] )?(?:\[(?P<inner>[^\]]{{1,60}})\]|{_NAME})$",  # [00:01:02] Ann Lee
    )
)
_UNCLEAR = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_NAME} ?[,|–—-]? {_SPAN}$",  # Ann Lee 0:03
        rf"{_SPAN} [|–—-]? ?{_NAME}$",  # 0:03 Ann Lee
        rf"{_NAME} [(\[]{_SPAN}[)\]] ",  # Ann Lee [0:03] text
    )
)
_ONLY_TIME = re.compile(rf"[(\[]?{_SPAN}[)\]]?")
_NO_NAMES = frozenset(
    ("debug", "error", "fatal", "info", "note", "notes", "todo", "trace", "warn", "warning", "http", "https")
)


@dataclass(frozen=True, slots=True)
class Header:
    """Where a turn begins: the speaker, the times in seconds (None where not given) and the text on the same line."""

    name: str
    start: float | None
    end: float | None
    text: str


def headers_of(lines: Sequence[str]) -> Mapping[int, Header]:
    """Line index -> the header there; empty for a text in which speakers cannot be told."""
    for patterns in (_CLEAR, _UNCLEAR):
        found = {index: header for index, line in enumerate(lines) if (header := _timed(line, patterns)) is not None}
        found = _with_real_names(found, strict=patterns is _UNCLEAR)
        if len(found) >= 2:
            return found
    return _labelled(lines)


def on_one_line(lines: Sequence[str]) -> list[str]:
    """The lines, with a time below a name put behind the name and its own line left empty, where a file does that
    throughout: twice at least, each below an empty line."""
    pairs = [
        index
        for index in range(len(lines) - 1)
        if (index == 0 or not lines[index - 1].strip())
        and _is_a_name(lines[index])
        and is_only_a_time(lines[index + 1])
    ]
    made = list(lines)
    for index in pairs if len(pairs) > 1 else ():
        made[index], made[index + 1] = f"{lines[index].strip()}  {lines[index + 1].strip()}", ""
    return made


def _is_a_name(line: str) -> bool:
    return bool(line.strip()) and len(line) <= 60 and _name(line) == line.strip() and like_a_name(line)


def is_only_a_time(line: str) -> bool:
    """Whether the line holds nothing but a time, as minutes pass in some exports."""
    return len(line) <= LONGEST and _ONLY_TIME.fullmatch(line.strip()) is not None


def _timed(line: str, patterns: Sequence[re.Pattern[str]]) -> Header | None:
    line = line.strip().replace("\u00a0", " ")
    if not line:
        return None
    head = line if len(line) <= LONGEST else f"{line[:LONGEST]}\0"  # the end of a head that is cut is no end of line
    for pattern in patterns:
        match = pattern.match(head)
        if match is None:
            continue
        name = _name(match["name"] or (match["inner"] if "inner" in pattern.groupindex else "") or "")
        if name:
            start, end = (None if match[key] is None else _seconds(match[key]) for key in ("start", "end"))
            return Header(name, start, end, plain(line[match.end() :].lstrip(" :：*_")))
    return None


def _name(text: str) -> str:
    """The name without the brackets and marks that some exports put round it; empty where it cannot be one."""
    name = plain(text).strip("*_#>•|-–— []")
    return name if any(char.isalpha() for char in name) and not name.endswith((".", ",", ";", "!", "?")) else ""


def _seconds(clock: str) -> float:
    """Seconds of "MM:SS", "H:MM:SS" or "MMM:SS", with or without a fraction."""
    whole, _, fraction = clock.replace(",", ".").partition(".")
    seconds = 0
    for part in whole.split(":"):
        seconds = 60 * seconds + int(part)
    scale: int = 10 ** len(fraction)
    return (seconds * scale + int(fraction or 0)) / scale


def _with_real_names(found: Mapping[int, Header], *, strict: bool) -> dict[int, Header]:
    """The headers whose name is written like a name or comes again; like a name and not a sentence where `strict`."""
    count = Counter(header.name for header in found.values())
    return {
        index: header
        for index, header in found.items()
        if header.name.casefold() not in _NO_NAMES
        and len(header.name.split()) <= (4 if strict else 6)
        and (like_a_name(header.name) or (not strict and count[header.name] > 1))
    }


def _labelled(lines: Sequence[str]) -> dict[int, Header]:
    """The headers of a text with "Name: text" alone: at least half of its paragraphs begin with a label, and somebody
    speaks again; letters, lists of settings and logs do not."""
    labels = {index: label_of(line.strip()) for index, line in enumerate(lines) if line.strip()}
    first = [lines[index].strip() for index, (label, _) in labels.items() if label or index - 1 not in labels]
    names = {name for name in names_among(first) if name.casefold() not in _NO_NAMES and _name(name)}
    found = {
        index: Header(plain(label), None, None, plain(text))
        for index, (label, text) in labels.items()
        if label is not None and label in names
    }
    count = Counter(header.name for header in found.values())
    is_talk = 2 * len(found) >= len(first) and len(count) >= 2 and max(count.values(), default=0) >= 2
    return found if is_talk and 2 * len(count) <= len(found) + 1 else {}
