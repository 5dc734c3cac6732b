"""Whether a call was heard well enough to be judged: the transcript quality gate. What is not is withheld, not scored.

Three things are asked: were the words heard (of the call, and of the passages that a behaviour rests on), does the
speech have speakers, and is it known on which side the speakers are. The limits are the rubric's.
"""

from __future__ import annotations

from pipeline.assess.floor import performs, word_count
from pipeline.assess.rubric import Rubric
from pipeline.records import Call, Finding, Turn

FEWEST_WORDS = 8
"""Fewer recognised words than this have no confidence to speak of: their mean says more of one word than of hearing."""


def sides_known(call: Call) -> float | None:
    """The share (0-1) of the call's words that are said by people whose side is known; None without words."""
    total = sum(map(word_count, call.turns))
    known = sum(word_count(turn) for turn in call.turns if call.side(turn) != "unknown")
    return round(known / total, 4) if total else None


def word_confidence(call: Call, finding: Finding) -> float | None:
    """The mean probability (0-1) of the words that a finding rests on: those of the turns it cites, else those of the
    judged side among the turns that were searched. None where the engine gives none, or for too few words."""
    cited = [call.turns[one.turn] for one in finding.evidence if one.turn < len(call.turns)]
    return _mean(cited or _searched(call, finding))


def _searched(call: Call, finding: Finding) -> list[Turn]:
    if finding.searched is None:
        return []
    first, last = finding.searched
    return [turn for turn in call.turns[first : last + 1] if performs(call, turn)]


def _mean(turns: list[Turn]) -> float | None:
    known = [word.probability for turn in turns for word in turn.words if word.probability is not None]
    return round(sum(known) / len(known), 4) if len(known) >= FEWEST_WORDS else None


def why_badly_heard(
    confidence: float | None, attributed: float | None, sides: float | None, rubric: Rubric
) -> str | None:
    """The reason why a call was not heard well enough for the rubric, None where it was or that is not known.

    `confidence` is the mean word probability, `attributed` the share of words with a speaker, `sides` that of words by
    people whose side is known; each is None where nobody knows.
    """
    if confidence is not None and confidence < rubric.min_word_confidence:
        return (
            f"The words were not heard well enough: mean confidence {confidence:.2f}, "
            f"the rubric asks for {rubric.min_word_confidence:.2f}."
        )
    if attributed is not None and attributed < rubric.min_speech_attributed:
        return (
            f"Too much of the speech has no known speaker: {attributed:.0%} is attributed, "
            f"the rubric asks for {rubric.min_speech_attributed:.0%}."
        )
    if sides is not None and sides < rubric.min_speech_attributed:
        return (
            f"Of too much of the speech it is not known who sells and who buys: {sides:.0%} is by people whose side is "
            f"known, the rubric asks for {rubric.min_speech_attributed:.0%}. Name the people or the channels in the "
            "manifest."
        )
    return None


def why_passage_badly_heard(confidence: float | None, rubric: Rubric) -> str | None:
    """The reason why the words that one behaviour rests on cannot be relied on, None where they can."""
    if confidence is None or confidence >= rubric.min_word_confidence:
        return None
    return (
        f"The words that this rests on were not heard well enough: mean confidence {confidence:.2f}, "
        f"the rubric asks for {rubric.min_word_confidence:.2f}."
    )
