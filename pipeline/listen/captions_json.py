"""JSON transcripts: text -> cues. A list of {speaker, start, end, text}, an object with such a list, one object a line,
or what Whisper and the conversation services write.

Times are seconds as a number or a "HH:MM:SS.mmm" string, or milliseconds in `start_ms` and `end_ms`; they may be
missing. Whole numbers that can only be milliseconds are read as such (captions_units.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from pipeline.listen.captions_cue import Cue, Parsed, check_times, fault, language_code, parse_clock, plain, shown
from pipeline.listen.captions_gong import is_gong, parse_gong
from pipeline.listen.captions_scan import split_lines
from pipeline.listen.captions_units import unit_of
from pipeline.listen.captions_words import MILLISECOND, scaled, with_words

LISTS = ("turns", "segments", "utterances", "transcript", "sentences")
"""The keys under which an object may hold its list of turns, in the order they are looked for."""
SPEAKER_KEYS = ("speaker", "name", "speaker_name", "speaker_label")
TEXT_KEYS = ("text", "content", "sentence", "transcript")

_TIME_KEYS = {"start": ("start", "start_time", "begin"), "end": ("end", "end_time", "stop")}
_WHISPER_KEYS = frozenset(("avg_logprob", "no_speech_prob", "seek", "tokens", "temperature"))
_SHAPE = "a list of {speaker, start, end, text}, or an object with such a list as " + ", ".join(LISTS)
_ITEM = "an object {speaker, start, end, text}"
_TIMES = 'seconds as a number, "HH:MM:SS.mmm" or null'

Place = tuple[str, Any]
"""Where an item stands in the file, and the item."""


def parse_json(path: Path, text: str) -> Parsed:
    """The cues of a JSON transcript; raises TranscriptError naming the line of a syntax error or the faulty item."""
    try:
        value = _loads(path, "", text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text.lstrip().startswith("{"):
            return parse_json_lines(path, text)
        raise _no_json(path, error.lineno, error) from error
    return _parsed(path, value)


def parse_json_lines(path: Path, text: str) -> Parsed:
    """The cues of a file with one JSON object a line, blank lines aside; one that is a single JSON value is read so."""
    lines = [(f"line {number}", line) for number, line in enumerate(split_lines(text), 1) if line.strip()]
    values: list[Place] = []
    for place, line in lines:
        try:
            values.append((place, _loads(path, place, line)))
        except json.JSONDecodeError as error:
            if not values and _is_json(text):
                return parse_json(path, text)
            raise _no_json(path, int(place.split()[1]), error) from error
    if len(values) == 1 and (isinstance(values[0][1], list) or _holds_a_list(values[0][1])):
        return _parsed(path, values[0][1])
    return Parsed(tuple(_cues(path, values)), format="jsonl")


def _loads(path: Path, place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        wrong = "this JSON cannot be read: a number is too long or lists lie too deep in one another"
        raise fault(path, place, wrong, _SHAPE, "Export the transcript again.") from error


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _no_json(path: Path, line: int, error: json.JSONDecodeError) -> Exception:
    return fault(path, f"line {line}", f"this is not JSON: {error.msg}", _SHAPE, "Export the transcript again.")


def _holds_a_list(value: Any) -> bool:
    return isinstance(value, Mapping) and (is_gong(value) or any(isinstance(value.get(key), list) for key in LISTS))


def _parsed(path: Path, value: Any) -> Parsed:
    if is_gong(value):
        return parse_gong(path, value)
    holder = value
    if isinstance(value, Mapping) and not _holds_a_list(value) and _holds_a_list(value.get("results")):
        holder = value["results"]  # Deepgram's answer
    name, items = _items(path, holder)
    cues = _cues(path, [(f"{name}[{index}]", item) for index, item in enumerate(items)])
    return Parsed(
        tuple(cues),
        pieces=name not in ("item", "turns"),
        format="whisper json" if _is_whisper(name, items) else "json",
        language=_language(value),
    )


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


def _is_whisper(name: str, items: Sequence[Any]) -> bool:
    """Whether the items are the segments of a recogniser of the Whisper family, by the keys that only those have."""
    return name == "segments" and any(
        isinstance(item, Mapping) and (_WHISPER_KEYS & item.keys() or isinstance(item.get("words"), list))
        for item in items
    )


def _language(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return None
    return language_code(value.get("language")) or language_code(value.get("language_code"))


def _cues(path: Path, items: Sequence[Place]) -> list[Cue]:
    """The cues of the items in order; one item is several where its words name several voices."""
    for place, item in items:
        if not isinstance(item, Mapping):
            raise fault(path, place, f"got {shown(item)}", _ITEM, "Correct the item.")
    texts = [_text(path, place, item) for place, item in items]
    unit = unit_of(path, [(text, item) for text, (_, item) in zip(texts, items, strict=True)], _TIME_KEYS)
    cues = []
    for text, (place, item) in zip(texts, items, strict=True):
        start, end = (_time(path, place, item, name, unit) for name in ("start", "end"))
        check_times(path, place, start, end)
        cues += with_words(Cue(place, text, start, end, _speaker(path, place, item)), item, unit=unit)
    return cues


def _first(item: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[str, Any]:
    """The first of the keys that the item has, with its value; the first key and None where it has none."""
    return next(((key, item[key]) for key in keys if item.get(key) is not None), (keys[0], None))


def _text(path: Path, place: str, item: Mapping[str, Any]) -> str:
    key, value = _first(item, TEXT_KEYS)
    if not isinstance(value, str):
        remedy = "Give every item its text, an empty one where nothing is said."
        raise fault(path, f"{place}.{key}", f"got {shown(value)}", "a string", remedy)
    return plain(value)


def _speaker(path: Path, place: str, item: Mapping[str, Any]) -> str | None:
    key, value = _first(item, SPEAKER_KEYS)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # several services number the speakers
    if value is None or isinstance(value, str):
        return plain(value or "") or None
    raise fault(path, f"{place}.{key}", f"got {shown(value)}", "a name, a number or null", "Give the speaker's name.")


def _time(path: Path, place: str, item: Mapping[str, Any], name: str, unit: float) -> float | None:
    milliseconds = item.get(f"{name}_ms")
    if _is_number(milliseconds):
        return _seconds(milliseconds, MILLISECOND)
    key, value = _first(item, _TIME_KEYS[name])
    seconds = _seconds(value, unit) if _is_number(value) else parse_clock(value) if isinstance(value, str) else None
    if seconds is None and value is not None:
        raise fault(path, f"{place}.{key}", f"got {shown(value)}", _TIMES, "Correct the time of this item.")
    return seconds


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(value: float, unit: float) -> float:
    try:
        return scaled(value, unit)
    except OverflowError:  # an integer of more than 308 digits: out of range, as check_times says
        return float("inf")
