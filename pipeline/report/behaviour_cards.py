"""The behaviours of a scorecard as cards: level, plain sentence, evidence with its criteria, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.assess.behaviours import CARRIED_KAPPA
from pipeline.assess.levels import UNKNOWN
from pipeline.assess.rubric import Rubric, RubricBehaviour
from pipeline.records import LEVEL_NAMES, BehaviourScore, Call, Evidence, Scorecard
from pipeline.report import words
from pipeline.report.words import Chip

CLOSE = 0.75
"""A level at least this fraction as likely as the one given makes it a close call, which the page says."""

NEAREST = "It does not count as the behaviour; it is shown so that you can check."
DISAGREED = "No level is given here: in trials, the machine and people saw this behaviour too differently."


@dataclass(frozen=True, slots=True)
class Place:
    """A moment of the call. `at` is in seconds as text, None without times; `clock` is what people read."""

    turn: int
    at: str | None
    clock: str


@dataclass(frozen=True, slots=True)
class EvidenceCard:
    """One quote: who said it, when, and the criteria it shows in the rubric's words. `role` is empty where the name
    says it."""

    id: str
    quote: str
    name: str
    role: str
    place: Place
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BehaviourCard:
    """One behaviour. `id` is the section's anchor; `meaning` says in a sentence what the level means.

    `served` is whom the behaviour is there for, `question` an open one to ask about it. `reason` is why the level is
    withheld, None where it is not. `heard` counts criteria ("3 of 5 criteria heard"). `evidence_note` says what the
    evidence of a behaviour that is not present is for.
    `missing` are the criteria not heard, under the heading `missing_for`; none where the level is withheld.
    `searched` is the part that was searched. `sureness` is each level's name with its probability, likeliest first.
    """

    id: str
    name: str
    title: str
    short: str
    chip: Chip
    level: int | None
    meaning: str
    served: str
    question: str
    reason: str | None
    heard: str
    evidence_title: str
    evidence_note: str
    evidence: tuple[EvidenceCard, ...]
    missing_for: str
    missing: tuple[str, ...]
    searched: str
    sureness: tuple[tuple[str, str], ...]


def behaviour_cards(scorecard: Scorecard, rubric: Rubric) -> tuple[BehaviourCard, ...]:
    """A card for each behaviour of the scorecard, in the rubric's order; what the rubric does not know comes last."""
    known = {behaviour.name: behaviour for behaviour in rubric.behaviours}
    order = list(known)
    ranked = sorted(
        scorecard.behaviours,
        key=lambda score: order.index(score.behaviour) if score.behaviour in known else len(order),
    )
    names = words.display_names(scorecard.call)
    doubted = {one.behaviour for one in scorecard.agreement if one.kappa < CARRIED_KAPPA}
    return tuple(_card(score, _described(score, known), scorecard.call, names, doubted) for score in ranked)


def place_of(call: Call, turn: int, start: float | None = None) -> Place:
    """The moment of a turn, or of `start` within it."""
    spoken = call.turns[turn].start if 0 <= turn < len(call.turns) else None
    seconds = spoken if start is None else start
    if seconds is None:
        return Place(turn, None, f"turn {turn + 1}")
    return Place(turn, f"{seconds:.2f}", words.clock(seconds))


def _described(score: BehaviourScore, known: dict[str, RubricBehaviour]) -> RubricBehaviour:
    """The rubric's entry; for a behaviour that it does not have, one that names it plainly."""
    if score.behaviour in known:
        return known[score.behaviour]
    title = score.behaviour.replace("_", " ").capitalize()
    return RubricBehaviour(score.behaviour, score.behaviour, title, title)


def _card(
    score: BehaviourScore, behaviour: RubricBehaviour, call: Call, names: dict[str, str], doubted: set[str]
) -> BehaviourCard:
    """The card; `doubted` are the classifier's behaviours on which machine and people agree too little."""
    wording = dict(behaviour.criteria)
    judged_as = behaviour.judged_as
    disagreed = judged_as in doubted and score.level is None and score.probabilities != UNKNOWN
    anchor = f"b-{score.behaviour}"
    evidence = tuple(
        _evidence_card(f"{anchor}-{number}", one, call, names, wording)
        for number, one in enumerate(score.evidence, start=1)
    )
    return BehaviourCard(
        id=anchor,
        name=score.behaviour,
        title=behaviour.title,
        short=behaviour.short,
        chip=words.level_chip(score.level),
        level=score.level,
        meaning=DISAGREED if disagreed else _meaning(score, judged_as),
        served=words.served_by(judged_as),
        question=words.QUESTIONS.get(judged_as, words.ANY_QUESTION),
        reason=None if score.withheld is None else words.sentence(score.withheld),
        heard=_heard(score, behaviour),
        evidence_title=_evidence_title(score),
        evidence_note=NEAREST if score.level == 0 and evidence else "",
        evidence=evidence,
        missing_for=_missing_for(score),
        missing=() if score.level is None else tuple(_criterion(name, wording) for name in score.missing),
        searched=_searched(score, call),
        sureness=() if disagreed else _sureness(score),
    )


def _meaning(score: BehaviourScore, judged_as: str) -> str:
    if score.level is None:
        return "No level is given here, because it could well be the wrong one."
    return words.level_sentence(judged_as, score.level) + _close_call(score.probabilities, score.level)


def _close_call(probabilities: Sequence[float], level: int) -> str:
    """A sentence where another level is about as likely, so that no level looks surer than it is."""
    likeliest = max((one for one in range(len(probabilities)) if one != level), key=lambda one: probabilities[one])
    if probabilities[likeliest] < CLOSE * probabilities[level]:
        return ""
    return f" It is a close call: {LEVEL_NAMES[likeliest]} is about as likely."


def _heard(score: BehaviourScore, behaviour: RubricBehaviour) -> str:
    total = len(behaviour.criteria)
    if total < 2 or not score.level:
        return ""  # a single criterion is seen at its tick or among what is missing
    return f"{len(score.criteria)} of {total} criteria heard."


def _evidence_title(score: BehaviourScore) -> str:
    if score.level is None:
        return "What was found, for you to judge"
    return "The nearest that was found" if score.level == 0 else "What was said"


def _missing_for(score: BehaviourScore) -> str:
    if score.level == 0:
        return "What it sounds like when it is there"
    if score.level == len(LEVEL_NAMES) - 1:
        return "Could still be added"
    return "What would make it stronger"


def _criterion(name: str, wording: dict[str, str]) -> str:
    return wording.get(name, name.replace("_", " "))


def _searched(score: BehaviourScore, call: Call) -> str:
    """Which part of the call was searched, in words; empty where that is not known."""
    if score.searched is None or not call.turns:
        return ""
    first, last = sorted(min(max(0, turn), len(call.turns) - 1) for turn in score.searched)
    begin, end = call.turns[first].start, call.turns[last].end
    times = "" if begin is None or end is None else f", {words.clock(begin)} to {words.clock(end)}"
    total, many = len(call.turns), last - first + 1
    if many == total:
        kind = "meeting" if call.is_meeting else "call"
        return f"Searched: the whole {kind} ({words.counted(total, 'turn')}{times})."
    if first > 0 and last < total - 1:
        part = f"turns {first + 1:,} to {last + 1:,}" if many > 1 else f"turn {first + 1:,}"
    else:
        part = f"the {'last' if first else 'first'} {words.counted(many, 'turn') if many > 1 else 'turn'}"
    return f"Searched: {part} of {total:,}{times}."


def _sureness(score: BehaviourScore) -> tuple[tuple[str, str], ...]:
    if score.level is None and score.probabilities == UNKNOWN:
        return ()  # four equal numbers stand for "not judged": nothing to show
    ranked = sorted(enumerate(score.probabilities), key=lambda pair: (-pair[1], pair[0]))
    return tuple((LEVEL_NAMES[level], words.percent(probability)) for level, probability in ranked)


def _evidence_card(
    anchor: str, evidence: Evidence, call: Call, names: dict[str, str], wording: dict[str, str]
) -> EvidenceCard:
    name = names.get(evidence.speaker) or evidence.speaker
    return EvidenceCard(
        id=anchor,
        quote=evidence.quote,
        name=name,
        role=words.role_beside(name, evidence.role),
        place=place_of(call, evidence.turn, evidence.start),
        criteria=tuple(_criterion(name, wording) for name in evidence.criteria),
    )
