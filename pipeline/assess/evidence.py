"""Finds the words behind a finding: a reading in; passages out, one per turn, quoted verbatim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.assess.encoder import OTHER_SIDE
from pipeline.assess.features import Array, part_of_call
from pipeline.assess.phrases import sentences
from pipeline.assess.reading import Reading
from pipeline.records import CRITERIA, JUDGED, Call, Evidence

__all__ = ["evidence_of", "evidence_turns"]

CITED = 0.4
"""A turn belongs to a passage from this probability of an attempt or a criterion on."""
SHOWN = 0.3
"""A cited turn shows a criterion from this probability on. On the sample calls 91 % of the criteria named are labelled
ones at 0.3 as at 0.4, and 88 % rather than 78 % of the labelled ones are named."""
NEAR = 0.05
"""A turn is worth showing as the nearest miss from this probability on."""
PASSAGE_TURNS = 8
"""Turns on either side of the strongest one that can belong to its passage."""
MOST_EVIDENCE = 6
"""Turns cited for one behaviour at most; the strongest are kept."""


def evidence_of(call: Call, reading: Reading, index: int) -> tuple[Evidence, ...]:
    """The passages that carry a behaviour, one per turn, in turn order."""
    chosen = evidence_turns(reading, index)
    return tuple(_evidence(call, reading, index, turn, numbers) for turn, numbers in chosen.items())


def nearest_miss(call: Call, reading: Reading, index: int) -> tuple[Evidence, ...]:
    """The turn that comes nearest to a behaviour that was not found, without criteria; empty where none does."""
    strength, best = _strength(reading, index)
    if strength[best] < NEAR:
        return ()
    piece = reading.cut.pieces[best]
    return (replace(_evidence(call, reading, index, piece.line, [best]), criteria=()),)


def _strength(reading: Reading, index: int) -> tuple[Array, int]:
    """How strongly each piece shows the behaviour, 0-1, and the strongest piece of the side that is judged."""
    behaviour = JUDGED[index]
    view, pieces = reading.view, reading.cut.pieces
    size = 1 + len(CRITERIA[behaviour])
    strength = view.probabilities[:, index, :size].max(axis=1)
    for number in range(len(pieces)):
        if not part_of_call(behaviour, float(view.places[number]), float(view.words_before[number])):
            strength[number] = 0.0
    seller = np.array([reading.cut.lines[piece.line].seller for piece in pieces])
    return strength, int(np.argmax(np.where(seller, strength, -1.0)))


def evidence_turns(reading: Reading, index: int) -> dict[int, list[int]]:
    """Turn -> its pieces that carry a behaviour: the strongest turn, and those about it that show a criterion."""
    pieces = reading.cut.pieces
    strength, best = _strength(reading, index)
    near = [n for n, piece in enumerate(pieces) if abs(piece.line - pieces[best].line) <= PASSAGE_TURNS]
    chosen = [n for n in near if n == best or strength[n] >= CITED]
    kept = sorted(sorted(chosen, key=lambda n: (n != best, -strength[n], n))[:MOST_EVIDENCE])
    by_turn: dict[int, list[int]] = {}
    for number in kept:
        by_turn.setdefault(pieces[number].line, []).append(number)
    return by_turn


def _evidence(call: Call, reading: Reading, index: int, turn: int, numbers: Sequence[int]) -> Evidence:
    spoken = call.turns[turn]
    behaviour = JUDGED[index]
    shown = reading.view.probabilities[list(numbers), index].max(axis=0)[1:]
    criteria = tuple(name for name, p in zip(CRITERIA[behaviour], shown, strict=False) if p >= SHOWN)
    if not reading.cut.lines[turn].seller:
        criteria = tuple(name for name in criteria if name in OTHER_SIDE.get(behaviour, ()))
    start, end = _quoted(reading, index, spoken.text, numbers)
    quote = spoken.text[start:end]
    return Evidence(turn, spoken.start, spoken.end, spoken.speaker, call.role(spoken), quote, criteria)


def _quoted(reading: Reading, index: int, text: str, numbers: Sequence[int]) -> tuple[int, int]:
    """The run of sentences that holds most of the behaviour's attention: the characters from its first to its last."""
    spans = sentences(text)
    if len(spans) <= 2:
        return spans[0][0], spans[-1][1]
    weight = np.zeros(len(spans))
    for number in numbers:
        offsets, attention = reading.attention[number]
        for (start, _), share in zip(offsets, attention[index], strict=True):
            inside = next((n for n, span in enumerate(spans) if span[0] <= start < span[1]), None)
            if inside is not None:
                weight[inside] += share
    carrying = [n for n, share in enumerate(weight) if share >= 0.5 / len(spans) * weight.sum()]
    first, last = (carrying[0], carrying[-1]) if carrying else (0, len(spans) - 1)
    return spans[first][0], spans[last][1]
