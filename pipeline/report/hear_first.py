"""The moments of a call to hear first, each with a question to begin with. Scorecard and cards in, moments out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.records import Scorecard
from pipeline.report import words
from pipeline.report.behaviour_cards import BehaviourCard, Place, place_of

MOMENTS = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """Something to hear first: what, its first words, why in one sentence, an open question to ask, and where."""

    what: str
    said: str
    why: str
    question: str
    place: Place
    kind: str
    target: str


def hear_first(scorecard: Scorecard, cards: Sequence[BehaviourCard]) -> tuple[Moment, ...]:
    """Up to three moments to hear first: the best passage, where the manager took over, the attempt nearest to working,
    what the machine was not sure of, and then whatever else went well."""
    heard = [card for card in cards if card.evidence]
    good = sorted((card for card in heard if (card.level or 0) >= 2), key=lambda card: -(card.level or 0))
    near = min((card for card in heard if card.level == 1), key=lambda card: len(card.missing), default=None)
    found = [_went_well(card, "What went well") for card in good[:1]]
    joint = scorecard.joint
    if not scorecard.call.is_meeting and joint.takeover and joint.began_turn is not None:
        found.append(_takeover_moment(scorecard, joint.began_turn))
    if near is not None:
        why = f"It was attempted. Stronger when it {near.missing[0]}." if near.missing else near.meaning
        found.append(_behaviour_moment(near, f"Worth a conversation: {near.short}", why, near.question))
    for card in heard:
        if card.level is None:
            found.append(_behaviour_moment(card, f"For you to judge: {card.short}", card.meaning, ""))
    found += [_went_well(card, "Also went well") for card in good[1:]]
    return tuple(found[:MOMENTS])


def _went_well(card: BehaviourCard, what: str) -> Moment:
    why = card.meaning if card.level == 3 else f"It did its job for {card.served}: worth saying so."
    return _behaviour_moment(card, f"{what}: {card.short}", why, "")


def _behaviour_moment(card: BehaviourCard, what: str, why: str, question: str) -> Moment:
    shown = max(card.evidence, key=lambda one: len(one.criteria))
    return Moment(what, words.opening(shown.quote), why, question, shown.place, card.chip.kind, card.id)


def _takeover_moment(scorecard: Scorecard, turn: int) -> Moment:
    call = scorecard.call
    said = words.opening(call.turns[turn].text) if 0 <= turn < len(call.turns) else ""
    place = place_of(call, turn, scorecard.joint.began_at)
    why = "From here the manager holds the selling side."
    return Moment("The manager steps in", said, why, words.QUESTIONS["takeover"], place, "joint", "joint")
