"""The floor: a picture of the call from left to right. Scorecard in, a `Floor` of lanes, marks and ticks out.

Places along the call are shares of its length (0-1), in time or, for a transcript without times, in words.
Pixels are only used downwards, so that the picture stretches to any width while its text keeps its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pipeline.records import ROLES, BehaviourScore, Call, Role, Scorecard, side_of
from pipeline.report import words
from pipeline.report.floor_axis import Positions, Tick, speech_path, ticks

ROW, LANE, LABEL, AXIS, GAP = 24, 40, 24, 28, 12
"""Heights in pixels: of a row of marks, a lane, the takeover's label, the axis, and the gap between the sides."""
LABEL_ROOM = 0.44
"""The part of a phone's width that a behaviour's name takes beside its mark."""


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
    """The takeover, from its beginning to the end of the call (0-1). `at` is its beginning in the floor's unit, `began`
    the same in words; `before` says to label it on its left."""

    x: float
    width: float
    at: float
    began: str
    before: bool
    target: str


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


def build_floor(scorecard: Scorecard, titles: dict[str, tuple[str, str]]) -> Floor | None:
    """The floor of a call, None where nobody spoke. `titles` is behaviour -> (short name, anchor of its section)."""
    where = Positions(scorecard.call)
    if where.total <= 0:
        return None
    rows = _rows(scorecard, where, titles)
    lanes_top = ROW * len(rows) + LABEL
    lanes, divider = _lanes(scorecard, where, lanes_top)
    span = _span(scorecard, where)
    axis_top = lanes[-1].top + LANE + 4
    return Floor(
        basis=where.basis,
        total=where.total,
        rows=rows,
        lanes=lanes,
        ticks=ticks(where.total, where.basis),
        span=span,
        lanes_top=lanes_top,
        divider=divider,
        axis_top=axis_top,
        height=axis_top + AXIS,
        in_words=_in_words("meeting" if scorecard.call.is_meeting else "call", rows, lanes, span, where),
    )


def _lanes(scorecard: Scorecard, where: Positions, top: int) -> tuple[tuple[Lane, ...], int | None]:
    """A lane a speaker from `top` down, seller lanes first, and the y of the line below them (None without one)."""
    call, talk, names = scorecard.call, dict(scorecard.talk.by_speaker), words.display_names(scorecard.call)
    lanes: list[Lane] = []
    divider = None
    for one in sorted(words.participants(call), key=lambda one: ROLES.index(one.role)):
        if lanes and one.side != "seller" and side_of(lanes[-1].role) == "seller":
            divider = top + GAP // 2
            top += GAP
        share = talk[one.speaker].talk_share if one.speaker in talk else None
        name, shared = names[one.speaker], "" if share is None else words.percent(share)
        path = speech_path(_intervals(call, one.speaker, where), where.total)
        lanes.append(Lane(one.speaker, name, one.role, words.role_beside(name, one.role), shared, top, path))
        top += LANE
    return tuple(lanes), divider


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
    """Where the row's name stands, and whether it ends there: behind the last mark that leaves it room on a phone,
    else before the first, else in the widest gap."""
    ordered = sorted(places)
    gaps = list(pairwise([*ordered, 1.0]))
    for left, right in reversed(gaps):
        if right - left >= LABEL_ROOM:
            return left, False
    left, right = max(gaps, key=lambda gap: gap[1] - gap[0])
    return (ordered[0], True) if ordered[0] >= min(LABEL_ROOM, right - left) else (left, False)


def _span(scorecard: Scorecard, where: Positions) -> Span | None:
    joint = scorecard.joint
    at = joint.began_at if where.basis == "time" else None
    if at is None and joint.began_turn is not None:
        at = where.turn(joint.began_turn)
    if scorecard.call.is_meeting or not joint.takeover or at is None:
        return None
    target = "joint" if joint.began_turn is None else f"t{joint.began_turn}"
    x = where.share(at)
    return Span(x, 1 - x, at, where.say(at), x > 0.5, target)


def _in_words(
    kind: str, rows: tuple[MarkRow, ...], lanes: Sequence[Lane], span: Span | None, where: Positions
) -> tuple[str, ...]:
    """The picture as sentences; `kind` is call or meeting."""
    total = words.length(where.total) if where.basis == "time" else words.counted(round(where.total), "word")
    said = [f"The {kind} lasts {total}." if where.basis == "time" else f"The {kind} has {total}; it has no times."]
    for lane in lanes:
        share = f"has {lane.share} of the talk" if lane.share else "has a share of the talk that was not measured"
        said.append(f"{lane.name}{f' ({lane.role_word})' if lane.role_word else ''} {share}.")
    for row in rows:
        places = words.listing([where.say(mark.at) for mark in row.marks])
        heard = "may be heard" if row.kind == "withheld" else "is heard"
        said.append(f"{row.short} {heard} at {places}.")
    if span:
        said.append(f"The manager leads from {span.began}.")
    return tuple(said)
