"""The words of one JSON item: with times and the recogniser's confidence, and split where another voice begins.

Read are the shapes of Whisper and its relatives (`word` with `probability` or `score`), AssemblyAI (`text`,
`confidence`) and Deepgram (`punctuated_word`). Words are an extra: where a list of them is not whole, or not that of
the item's text, which somebody may have corrected, the item's own text and times are all that is taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from pipeline.listen.captions_cue import MAX_SECONDS, Cue, plain
from pipeline.records import Word

_TEXT = ("punctuated_word", "word", "text")
_CONFIDENCE = ("probability", "score", "confidence")


@dataclass(frozen=True, slots=True)
class _Spoken:
    """One word with the speaker that the file gives it, None where it gives none."""

    speaker: str | None
    word: Word


def with_words(cue: Cue, item: Mapping[str, Any], *, unit: float) -> list[Cue]:
    """The cue with the item's words, or a cue for each voice where the words name several. `unit` is the seconds of one
    in the file's times. The cue as it is where the item has no whole list of words."""
    cue = replace(cue, confidence=confidence_of(item))
    spoken = _spoken(cue, item.get("words"), unit)
    if not spoken or _letters(cue.text) != _letters("".join(one.word.text for one in spoken)):
        return [cue]
    voices = {one.speaker for one in spoken}
    if len(voices) < 2:
        return [replace(cue, speaker=cue.speaker or spoken[0].speaker, words=tuple(one.word for one in spoken))]
    return [_of_voice(cue, name, list(run)) for name, run in groupby(spoken, key=lambda one: one.speaker)]


def confidence_of(item: Mapping[str, Any]) -> float | None:
    """The recogniser's confidence in an item or word, 0-1; None where it gives none."""
    for key in _CONFIDENCE:
        value = item.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
    return None


def mean_confidence(cues: Sequence[Cue]) -> float | None:
    """The mean confidence of the words, 0-1; of whole cues, by their number of words, where words have none."""
    words = [word.probability for cue in cues for word in cue.words if word.probability is not None]
    if words:
        return round(math.fsum(words) / len(words), 4)
    known = [(len(cue.text.split()), cue.confidence) for cue in cues if cue.confidence is not None]
    total = sum(count for count, _ in known)
    return round(math.fsum(count * value for count, value in known) / total, 4) if total else None


def _of_voice(cue: Cue, name: str | None, run: Sequence[_Spoken]) -> Cue:
    words = tuple(one.word for one in run)
    text = " ".join(word.text for word in words)
    return replace(cue, speaker=name, text=text, start=words[0].start, end=words[-1].end, words=words)


def _spoken(cue: Cue, items: object, unit: float) -> list[_Spoken]:
    """The words in order, those without a voice given that of the word before; empty where one cannot be read."""
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        return []
    found: list[_Spoken] = []
    clock, speaker = cue.start, cue.speaker
    for index, item in enumerate(items):
        text = next((item[key] for key in _TEXT if isinstance(item.get(key), str)), None)
        if text is None:
            return []
        if not plain(text):
            continue
        start = _seconds(item.get("start"), unit, clock)
        end = _seconds(item.get("end"), unit, _next_start(items, index, unit, cue.end))
        if start is None or end is None or end < start:
            return []
        clock, speaker = end, _voice(item) or speaker
        found.append(_Spoken(speaker, Word(plain(text), start, end, confidence_of(item))))
    return found


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _next_start(items: Sequence[Mapping[str, Any]], index: int, unit: float, end: float | None) -> float | None:
    """When the word after this one begins; whisperX gives no times to words that it cannot align, such as numbers."""
    following = items[index + 1].get("start") if index + 1 < len(items) else None
    return _seconds(following, unit, end)


def _seconds(value: object, unit: float, default: float | None) -> float | None:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_SECONDS / unit:
        return None
    return scaled(value, unit)


def scaled(value: float, unit: float) -> float:
    """The time in seconds; dividing by 1000 is exact where multiplying by 0.001 is not."""
    return value / 1000 if unit == MILLISECOND else float(value)


def _voice(item: Mapping[str, Any]) -> str | None:
    """A word's speaker: a name, or a number as several services write it."""
    value = item.get("speaker")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return plain(value) or None if isinstance(value, str) else None


SECOND = 1.0
MILLISECOND = 0.001
