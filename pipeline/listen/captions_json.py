"""JSON transcripts: text -> cues. A list of {speaker, start, end, text}, or an object with such a list.

Times are seconds as a number or a "HH:MM:SS.mmm" string, or milliseconds in `start_ms` and `end_ms`;
they may be missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from pipeline.listen.captions_cue import Cue, Parsed, check_times, fault, parse_clock, plain, shown

LISTS = ("turns", "segments", "utterances", "transcript")
"""The keys under which an object may hold its list of turns, in the order they are looked for."""

_SPEAKER = ("speaker", "name", "speaker_name", "speaker_label")
_TEXT = ("text", "content", "sentence", "transcript")
_TIME_KEYS = {"start": ("start", "start_time", "begin"), "end": ("end", "end_time", "stop")}
_SHAPE = "a list of {speaker, start, end, text}, or an object with such a list as " + ", ".join(LISTS)
_TIMES = 'seconds as a number, "HH:MM:SS.mmm" or null'
_LOOK = 65536


def looks_like_transcript(path: Path) -> bool:
    """Whether a JSON file begins like a transcript: with keys for a speaker and for a text in its first 64 KB."""
    with path.open("rb") as file:
        head = file.read(_LOOK)
    return all(re.search(rb'"(?:%s)"\s*:' % "|".join(keys).encode(), head) for keys in (_SPEAKER, _TEXT))


def parse_json(path: Path, text: str) -> Parsed:
    """The cues of a JSON transcript; raises TranscriptError naming the line of a syntax error or the faulty item."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        wrong = f"this is not JSON: {error.msg}"
        raise fault(path, f"line {error.lineno}", wrong, _SHAPE, "Export the transcript again.") from error
    except (ValueError, RecursionError) as error:
        wrong = "this JSON cannot be read: a number is too long or lists lie too deep in one another"
        raise fault(path, "", wrong, _SHAPE, "Export the transcript again.") from error
    name, items = _items(path, value)
    return Parsed(tuple(_cue(path, f"{name}[{index}]", item) for index, item in enumerate(items)))


def _items(path: Path, value: Any) -> tuple[str, list[Any]]:
    if isinstance(value, list):
        return "item", value
    if isinstance(value, dict):
        for key in LISTS:
            if isinstance(value.get(key), list):
                return key, value[key]
        wrong = f"the object has no list of turns, only {shown(sorted(value), 200)}"
    else:
        wrong = f"the file holds {shown(value)}"
    raise fault(path, "", wrong, _SHAPE, "Export the transcript with speakers, or rename its keys.")


def _cue(path: Path, place: str, item: Any) -> Cue:
    if not isinstance(item, Mapping):
        raise fault(path, place, f"got {shown(item)}", "an object {speaker, start, end, text}", "Correct the item.")
    start, end = (_time(path, place, item, name) for name in ("start", "end"))
    check_times(path, place, start, end)
    return Cue(place, _text(path, place, item), start, end, _speaker(path, place, item))


def _first(item: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[str, Any]:
    """The first of the keys that the item has, with its value; the first key and None where it has none."""
    return next(((key, item[key]) for key in keys if item.get(key) is not None), (keys[0], None))


def _text(path: Path, place: str, item: Mapping[str, Any]) -> str:
    key, value = _first(item, _TEXT)
    if not isinstance(value, str):
        remedy = "Give every item its text, an empty one where nothing is said."
        raise fault(path, f"{place}.{key}", f"got {shown(value)}", "a string", remedy)
    return plain(value)


def _speaker(path: Path, place: str, item: Mapping[str, Any]) -> str | None:
    key, value = _first(item, _SPEAKER)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # several services number the speakers
    if value is None or isinstance(value, str):
        return plain(value or "") or None
    raise fault(path, f"{place}.{key}", f"got {shown(value)}", "a name, a number or null", "Give the speaker's name.")


def _time(path: Path, place: str, item: Mapping[str, Any], name: str) -> float | None:
    milliseconds = item.get(f"{name}_ms")
    if _is_number(milliseconds):
        return _seconds(milliseconds) / 1000
    key, value = _first(item, _TIME_KEYS[name])
    seconds = _seconds(value) if _is_number(value) else parse_clock(value) if isinstance(value, str) else None
    if seconds is None and value is not None:
        raise fault(path, f"{place}.{key}", f"got {shown(value)}", _TIMES, "Correct the time of this item.")
    return seconds


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits: out of range, as check_times says
        return float("inf")
