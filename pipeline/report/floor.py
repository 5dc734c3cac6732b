"""The floor: a picture of the call from left to right. Scorecard in, a `Floor` of lanes, marks and ticks out.

Places along the call are shares of its length (0-1), in time or, for a transcript without times, in words.
Pixels are only used downwards, so that the picture stretches to any width while its text keeps its size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pipeline.records import ROLES, BehaviourScore, Call, Evidence, Role, Scorecard, Turn
from pipeline.report import words

GRAIN = 100_000
"""Units of the lanes' x axis; PIXEL of them are about a pixel of a wide screen."""
PIXEL = 100
ROW, LANE, BAR, LABEL, AXIS, GAP = 24, 40, 18, 24, 28, 12
STEPS_TIME = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
STEPS_WORDS = (10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000)


@dataclass(frozen=True, slots=True)
class Lane:
    """One speaker, by label and name. `top` is the lane's y in pixels; `path` draws the speech, see speech_path."""

    speaker: str
    name: str
    role: Role
    role_word: str
    share: str
    top: int
    path: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One piece of evidence: where it is (0-1, and in the floor's unit), what it links to, what it is called.

    `speaker` is the label of who said it, whose lane the mark's line leads down to.
    """

    x: float
    at: float
    target: str
    label: str
    speaker: str


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A behaviour's marks in a row. `label_x` is where its name has room, `before` says to end (not begin) there."""

    short: str
    kind: str
    y: int
    marks: tuple[Mark, ...]
    label_x: float
    before: bool


@dataclass(frozen=True, slots=True)
class Span:
    """The takeover: where it begins and ends (0-1), its beginning in the floor's unit and its label."""

    x: float
    width: float
    at: float
    label: str
    before: bool
    target: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis. `anchor` is SVG's text-anchor; `minor` ticks lose their label on a phone."""

    x: float
    label: str
    anchor: Literal["start", "middle", "end"]
    minor: bool


@dataclass(frozen=True, slots=True)
class Floor:
    """Everything the drawing needs. `total` is in seconds or words, as `basis` says; heights are pixels.

    `in_words` is the text alternative, a sentence each.
    """

    basis: Literal["time", "words"]
    total: float
    rows: tuple[MarkRow, ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    span: Span | None
    lanes_top: int
    divider: int | None
    axis_top: int
    height: int
    in_words: tuple[str, ...]


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


def build_floor(scorecard: Scorecard, titles: dict[str, tuple[str, str]]) -> Floor | None:
    """The floor of a call, None where nobody spoke. `titles` is behaviour -> (short name, anchor of its section)."""
    call = scorecard.call
    where = Positions(call)
    speakers = [one for role in ROLES for one in words.participants(call) if one.role == role]
    if where.total <= 0 or not speakers:
        return None
    rows = _rows(scorecard, where, titles)
    lanes_top = ROW * len(rows) + LABEL
    lanes: list[Lane] = []
    divider = None
    top = lanes_top
    talk, names = dict(scorecard.talk.by_speaker), words.display_names(call)
    for index, one in enumerate(speakers):
        if index and (one.side == "seller") != (speakers[index - 1].side == "seller"):
            divider = top + GAP // 2
            top += GAP
        share = talk[one.speaker].talk_share if one.speaker in talk else None
        shared = "" if share is None else words.percent(share)
        path = speech_path(_intervals(call, one.speaker, where), where.total)
        lanes.append(
            Lane(
                one.speaker,
                names[one.speaker],
                one.role,
                words.role_beside(names[one.speaker], one.role),
                shared,
                top,
                path,
            )
        )
        top += LANE
    span = _span(scorecard, where)
    return Floor(
        where.basis, where.total, rows, tuple(lanes), ticks(where.total, where.basis), span,
        lanes_top, divider, top + 4, top + 4 + AXIS, _in_words(rows, lanes, span, where),
    )  # fmt: skip


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


def _intervals(call: Call, speaker: str, where: Positions) -> list[tuple[float, float]]:
    """Where this speaker is heard: by the speech segments, else by turns."""
    if where.basis == "time" and call.speech:
        return [(segment.start, segment.end) for segment in call.speech if segment.speaker == speaker]
    found = []
    for index, turn in enumerate(call.turns):
        start = where.turn(index)
        if turn.speaker != speaker or start is None:
            continue
        end = turn.end if where.basis == "time" else start + len(turn.text.split())
        found.append((start, start if end is None else end))
    return found


def _rows(scorecard: Scorecard, where: Positions, titles: dict[str, tuple[str, str]]) -> tuple[MarkRow, ...]:
    rows: list[MarkRow] = []
    scores = {score.behaviour: score for score in scorecard.behaviours}
    for name, (short, anchor) in titles.items():
        score = scores[name]
        marks = _marks(score, where, short, anchor) if score.level != 0 else ()
        if marks:
            x, before = _room_for_label([mark.x for mark in marks])
            rows.append(MarkRow(short, words.level_chip(score.level).kind, ROW * len(rows), marks, x, before))
    return tuple(rows)


def _marks(score: BehaviourScore, where: Positions, short: str, anchor: str) -> tuple[Mark, ...]:
    """A mark for each piece of evidence; those at the same second share the first one's."""
    made: dict[str, Mark] = {}
    for index, evidence in enumerate(score.evidence):
        at = where.evidence(evidence)
        if at is None:
            continue
        label = f"{short}, {words.level_chip(score.level).word}, {where.say(at)}"
        made.setdefault(label, Mark(where.share(at), at, f"{anchor}-{index + 1}", label, evidence.speaker))
    return tuple(made.values())


def _room_for_label(places: list[float]) -> tuple[float, bool]:
    """Where the row's name stands: after the last mark with a third of the width free behind it, else at the first."""
    ordered = sorted(places)
    for left, right in reversed(list(pairwise([*ordered, 1.0]))):
        if right - left >= 0.34:
            return left, False
    return ordered[0], True


def _span(scorecard: Scorecard, where: Positions) -> Span | None:
    joint = scorecard.joint
    at = joint.began_at if where.basis == "time" else where.turn(-1 if joint.began_turn is None else joint.began_turn)
    if not joint.takeover or at is None:
        return None
    silent = joint.rep_silent_for if where.basis == "time" else None
    end = where.total if silent is None else min(where.total, at + silent)
    label = f"manager leads from {where.say(at)}"
    target = "joint" if joint.began_turn is None else f"t{joint.began_turn}"
    x = where.share(at)
    return Span(x, where.share(end) - x, at, label, x > 0.5, target)


def _in_words(rows: tuple[MarkRow, ...], lanes: list[Lane], span: Span | None, where: Positions) -> tuple[str, ...]:
    """The picture as sentences."""
    total = words.length(where.total) if where.basis == "time" else words.counted(round(where.total), "word")
    said = [f"The call lasts {total}." if where.basis == "time" else f"The call has {total}; it has no times."]
    for lane in lanes:
        share = f"has {lane.share} of the talk" if lane.share else "has a share of the talk that was not measured"
        said.append(f"{lane.name}{f' ({lane.role_word})' if lane.role_word else ''} {share}.")
    for row in rows:
        places = words.listing([where.say(mark.at) for mark in row.marks])
        heard = "may be heard" if row.kind == "withheld" else "is heard"
        said.append(f"{row.short} {heard} at {places}.")
    if span:
        said.append(f"The {span.label}.")
    return tuple(said)
