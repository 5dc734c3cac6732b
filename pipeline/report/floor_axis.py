"""Places along a call: where things lie, how speech is drawn to scale, and which ticks the axis has.

Places are seconds, or words for a transcript without times; shares of the whole are 0-1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pipeline.records import Call, Evidence, Turn
from pipeline.report import words

GRAIN = 100_000
"""Units of the lanes' x axis; PIXEL of them are about a pixel of a wide screen."""
PIXEL = 100
STEPS_TIME = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
STEPS_WORDS = (10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000)


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis. `anchor` is SVG's text-anchor; `minor` ticks lose their label on a phone."""

    x: float
    label: str
    anchor: Literal["start", "middle", "end"]
    minor: bool


class Positions:
    """Where things lie along the call, in seconds or words."""

    def __init__(self, call: Call) -> None:
        ends = [place for turn in call.turns for place in (turn.start, turn.end) if place is not None]
        ends += [segment.end for segment in call.speech]
        self.basis: Literal["time", "words"] = "time" if ends else "words"
        self._starts: list[float | None] = [turn.start for turn in call.turns]
        self.total = max([call.duration or 0.0, *ends])
        if not ends:
            self._starts, self.total = _word_offsets(call.turns)

    def turn(self, index: int) -> float | None:
        """Where a turn begins; None where it has no time, or there is no such turn."""
        return self._starts[index] if 0 <= index < len(self._starts) else None

    def evidence(self, evidence: Evidence) -> float | None:
        """Where a piece of evidence begins, by its own time or by its turn's."""
        if self.basis == "time" and evidence.start is not None:
            return evidence.start
        return self.turn(evidence.turn)

    def share(self, place: float) -> float:
        """A place as a share (0-1) of the call."""
        return min(1.0, max(0.0, place / self.total)) if self.total > 0 else 0.0

    def say(self, place: float) -> str:
        """A place in words: "12:34", or "word 1,200"."""
        return words.clock(place) if self.basis == "time" else f"word {round(place):,}"


def speech_path(intervals: Iterable[tuple[float, float]], total: float) -> str:
    """SVG path of filled bars, one for each stretch of speech, x in 0-100,000 and y in 0-1.

    Widths are true, so that quick exchanges look as dense as they are; what stands alone is at least a pixel wide.
    """
    places: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        left, right = _grain(start / total), _grain(end / total)
        if places and left <= places[-1][1]:
            places[-1] = (places[-1][0], max(right, places[-1][1]))
        else:
            places.append((left, right))
    bars = []
    for index, (left, right) in enumerate(places):
        before = places[index - 1][1] if index else -PIXEL
        after = places[index + 1][0] if index + 1 < len(places) else GRAIN + PIXEL
        alone = left - before >= PIXEL and after - right >= PIXEL
        width = max(right - left, PIXEL if alone else 1)
        bars.append(f"M{left} 0h{width}v1h-{width}z")
    return "".join(bars)


def _grain(share: float) -> int:
    return round(GRAIN * min(1.0, max(0.0, share)))


def ticks(total: float, basis: str) -> tuple[Tick, ...]:
    """At most nine ticks in round steps. Minutes, seconds for a call under two minutes, or words."""
    steps = STEPS_TIME if basis == "time" else STEPS_WORDS
    step = next((step for step in steps if total / step <= 8), max(steps[-1], round(total / 8)))
    made = []
    for index in range(int(total / step) + 1):
        place = index * step
        label = _tick_label(place, step, basis, first=index == 0)
        anchor: Literal["start", "middle", "end"] = "start" if not index else "middle"
        if index and total - place < 0.04 * total:
            anchor = "end"
        made.append(Tick(place / total, label, anchor, minor=index % 2 == 1))
    return tuple(made)


def _tick_label(place: int, step: int, basis: str, *, first: bool) -> str:
    if basis == "words":
        return "0 words" if first else f"{place:,}"
    if step < 60:
        return words.clock(place)
    return "0 min" if first else str(place // 60)


def _word_offsets(turns: tuple[Turn, ...]) -> tuple[list[float | None], float]:
    offsets: list[float | None] = []
    total = 0
    for turn in turns:
        offsets.append(float(total))
        total += len(turn.text.split())
    return offsets, float(total)
