"""The transcript of a scorecard: turns with their text cut into pieces, evidence marked. Scorecard in, turns out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.records import Scorecard
from pipeline.report import words
from pipeline.report.behaviour_cards import BehaviourCard
from pipeline.report.floor_axis import Positions
from pipeline.report.words import Chip


@dataclass(frozen=True, slots=True)
class Tag:
    """The name after a marked passage, a link to its evidence card; "nearest to ..." where it is not present."""

    target: str
    short: str
    chip: Chip


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a turn's text. `kind` is the level class of its mark, None for plain text; `tags` end here."""

    text: str
    kind: str | None
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class TurnView:
    """One turn. `at` is its place in the floor's unit as text, None where it has none; `clock` is for people."""

    index: int
    name: str
    role: str
    tone: str
    at: str | None
    clock: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class _Passage:
    start: int
    end: int
    tag: Tag


def turn_views(scorecard: Scorecard, cards: Sequence[BehaviourCard]) -> tuple[TurnView, ...]:
    """Every turn of the call in order, with the quotes of the behaviours' evidence marked where they were said."""
    call = scorecard.call
    where = Positions(call)
    names = words.display_names(call)
    passages = _passages(scorecard, cards)
    views = []
    for index, turn in enumerate(call.turns):
        place, role = where.turn(index), call.role(turn)
        at = None if place is None else f"{place:.2f}".removesuffix(".00")
        clock = "" if turn.start is None else words.clock(turn.start)
        pieces = cut(turn.text, passages[index])
        name = names[turn.speaker]
        views.append(TurnView(index, name, words.role_beside(name, role), role, at, clock, pieces))
    return tuple(views)


def cut(text: str, passages: Sequence[_Passage]) -> tuple[Piece, ...]:
    """The text in pieces that join to the same text; where passages overlap, the later-ending one gives the colour."""
    borders = sorted({0, len(text), *(one.start for one in passages), *(one.end for one in passages)})
    pieces = []
    for start, end in pairwise(borders):
        over = [one for one in passages if one.start <= start and end <= one.end]
        tags = tuple(one.tag for one in passages if one.end == end)
        kind = max(over, key=lambda one: one.end).tag.chip.kind if over else None
        pieces.append(Piece(text[start:end], kind, tags))
    return tuple(pieces)


def _passages(scorecard: Scorecard, cards: Sequence[BehaviourCard]) -> dict[int, list[_Passage]]:
    """Turn -> the passages of it that are evidence. A quote that is not in its turn is left out, never bent."""
    turns = scorecard.call.turns
    found: dict[int, list[_Passage]] = defaultdict(list)
    scores = {score.behaviour: score for score in scorecard.behaviours}
    for card in cards:
        for evidence, shown in zip(scores[card.name].evidence, card.evidence, strict=True):
            start = turns[evidence.turn].text.find(evidence.quote) if 0 <= evidence.turn < len(turns) else -1
            if start >= 0 and evidence.quote:
                tag = Tag(shown.id, card.short if card.level != 0 else f"nearest to {card.short}", card.chip)
                found[evidence.turn].append(_Passage(start, start + len(evidence.quote), tag))
    return found
