"""Whether the times of a JSON transcript are seconds or milliseconds. Where the words do not tell, the file is refused.

Most services write seconds, some whole milliseconds, under the same keys. People say one to five words a second, so a
file taken for the wrong unit is wrong by a thousand: nobody says fewer than one word in a minute or so, and nobody says
hundreds a second. A file that would be odd either way names its unit, or it is not read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.listen.captions_cue import MAX_SECONDS, fault
from pipeline.listen.captions_words import MILLISECOND, SECOND

SLOWEST = 0.02
"""Words a second below which times cannot be seconds: little more than one word a minute."""
MILLISECOND_RATES = (0.5, 10.0)
"""Words a second, with the times taken as milliseconds, between which they can be milliseconds."""


def unit_of(path: Path, items: Sequence[tuple[str, Mapping[str, Any]]], keys: Mapping[str, tuple[str, ...]]) -> float:
    """The seconds of one in the file's plain numbers: 1.0, or 0.001 where they can only be milliseconds.

    `items` are (text, item), `keys` the keys of "start" and "end". Strings and `_ms` keys say their unit themselves.
    Raises TranscriptError where the numbers fit neither.
    """
    timed = [(text, *_times(item, keys)) for text, item in items]
    rate = _words_a_second(timed)
    if rate is None or rate >= SLOWEST:
        return SECOND
    whole = all(time is None or float(time).is_integer() for _, start, end in timed for time in (start, end))
    if whole and MILLISECOND_RATES[0] <= rate * 1000 <= MILLISECOND_RATES[1]:
        return MILLISECOND
    wrong = f"the times are neither seconds ({rate:.3g} words a second) nor milliseconds ({1000 * rate:.3g})"
    remedy = "Give the times in seconds as start and end, or in milliseconds as start_ms and end_ms."
    raise fault(path, "", wrong, f"{SLOWEST:g} words a second or more", remedy)


def _times(item: Mapping[str, Any], keys: Mapping[str, tuple[str, ...]]) -> tuple[float | None, float | None]:
    start, end = (_number(item, name, keys[name]) for name in ("start", "end"))
    return start, end


def _number(item: Mapping[str, Any], name: str, keys: tuple[str, ...]) -> float | None:
    """The item's plain number, None where it has none or names another unit."""
    if item.get(f"{name}_ms") is not None:
        return None
    value = next((item[key] for key in keys if item.get(key) is not None), None)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_SECONDS * 1000:
        return None
    return float(value) if math.isfinite(value) else None


def _words_a_second(timed: Sequence[tuple[str, float | None, float | None]]) -> float | None:
    """Words per unit of time: of the cues with both ends, else from the first to the last start; None if neither."""
    spans = [(len(text.split()), end - start) for text, start, end in timed if start is not None and end is not None]
    if not spans:
        starts = [start for _, start, _ in timed if start is not None]
        spans = [(sum(len(text.split()) for text, _, _ in timed), max(starts) - min(starts))] if starts else []
    seconds = sum(span for _, span in spans)
    words = sum(count for count, _ in spans)
    return words / seconds if seconds > 0 and words else None
