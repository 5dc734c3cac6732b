"""Levels by a rubric: what was found on a call, and whether that is sure enough to say. Findings in, scores out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.assess.floor import performs
from pipeline.assess.heard import sides_known, why_badly_heard, why_passage_badly_heard, word_confidence
from pipeline.assess.language import is_foreign
from pipeline.assess.rubric import Rubric, RubricBehaviour
from pipeline.records import BehaviourScore, Call, Evidence, Finding

MEDIAN = (0.5, 0.5, 0.5)
"""The thresholds with which a level is the median of its distribution."""
UNKNOWN = (0.25, 0.25, 0.25, 0.25)
"""The probabilities of a behaviour of which nothing can be said."""
MIN_SELLER_WORDS = 30
"""Fewer words than this of the side that is judged are a greeting, not a call: nothing in it can be judged."""


def score_behaviours(call: Call, findings: Sequence[Finding], rubric: Rubric) -> tuple[BehaviourScore, ...]:
    """One score for each behaviour of the rubric, in its order; withheld, with the reason, where it is not sure."""
    found = {finding.behaviour: finding for finding in findings}
    unheard = why_unscorable(call, rubric)
    scores = []
    for behaviour in rubric.behaviours:
        finding = found.get(behaviour.judged_as)
        confidence = None if finding is None else word_confidence(call, finding)
        doubt = why_passage_badly_heard(confidence, rubric)
        scores.append(replace(score_finding(behaviour, finding, unheard, doubt), word_confidence=confidence))
    return tuple(scores)


def why_unscorable(call: Call, rubric: Rubric) -> str | None:
    """The reason why no behaviour of this call can be scored, None where they can."""
    if nobody := _why_nobody_is_judged(call):
        return nobody
    quality = call.quality
    if reason := why_badly_heard(quality.word_confidence, quality.speech_attributed, sides_known(call), rubric):
        return reason
    who = "The manager" if call.is_meeting else "The seller side"
    if is_foreign(call):
        side = "Manager and rep do" if call.is_meeting else "The selling side does"
        return (
            f"{side} not speak English, as far as the words tell, and only English calls can be judged. If that is "
            "wrong, the words were not heard right: check the speech engine's language."
        )
    words = sum(len(turn.text.split()) for turn in call.turns if performs(call, turn))
    if words < MIN_SELLER_WORDS:
        return f"{who} says only {words} words on this recording; at least {MIN_SELLER_WORDS} are needed."
    return None


def _why_nobody_is_judged(call: Call) -> str | None:
    if call.is_meeting and not any(one.role == "manager" for one in call.participants):
        return (
            "It is not known who leads this meeting. Name the manager in the manifest (column manager or channels), "
            "or label the speakers in the transcript."
        )
    if not any(one.side == "seller" for one in call.participants):
        return (
            "It is not known who sells on this call. Name the rep in the manifest (column rep or channels), "
            "or label the speakers in the transcript."
        )
    return None


def level_of(probabilities: Sequence[float], thresholds: Sequence[float]) -> int:
    """The largest level k such that P(level >= j) reaches its threshold for every j up to k. With thresholds of one
    half this is the median of the distribution, which for ordered levels has the least expected distance."""
    level = 0
    for k, threshold in enumerate(thresholds, start=1):
        if sum(probabilities[k:]) < threshold:
            break
        level = k
    return level


def risk_of(probabilities: Sequence[float], level: int) -> float:
    """The probability (0-1) that the true level is two or more away from `level`."""
    return sum(probability for other, probability in enumerate(probabilities) if abs(other - level) > 1)


def score_finding(
    behaviour: RubricBehaviour, finding: Finding | None, unheard: str | None, doubt: str | None = None
) -> BehaviourScore:
    """The score of one behaviour; `finding` is None where the classifier does not judge it. `unheard` is why nothing of
    the call can be scored, `doubt` why what this rests on cannot be relied on; each is None where it can."""
    if unheard or finding is None:
        unjudged = f"This classifier does not judge {behaviour.judged_as}."
        return BehaviourScore(behaviour.name, None, UNKNOWN, withheld=unheard or unjudged)
    level = level_of(finding.probabilities, behaviour.thresholds)
    wanted = [name for name, _ in behaviour.criteria]
    score = BehaviourScore(
        behaviour=behaviour.name,
        level=level,
        probabilities=finding.probabilities,
        criteria=tuple(name for name in finding.criteria if name in wanted) if level else (),
        missing=tuple(name for name in wanted if name not in finding.criteria or not level),
        evidence=finding.evidence if level else _nearest_miss(finding),
        searched=finding.searched,
    )
    reason = doubt or _why_unsure(behaviour, finding, level)
    return score if reason is None else _withhold(score, finding, reason)


def _nearest_miss(finding: Finding) -> tuple[Evidence, ...]:
    """What comes nearest to a behaviour that is not present: shown so that people can check, with no criteria."""
    return tuple(replace(one, criteria=()) for one in finding.evidence[:1])


def _why_unsure(behaviour: RubricBehaviour, finding: Finding, level: int) -> str | None:
    if finding.withheld:
        return finding.withheld
    risk = risk_of(finding.probabilities, level)
    if risk > behaviour.max_risk:
        return (
            f"The machine is not sure enough: with a probability of {risk:.0%} the level would be two or more off, "
            f"and the rubric allows {behaviour.max_risk:.0%}."
        )
    if level and not finding.evidence:
        return "The machine leans to a level but cannot cite a passage for it."
    return None


def _withhold(score: BehaviourScore, finding: Finding, reason: str) -> BehaviourScore:
    """The score without its level; what was found stays, so that a person can judge."""
    return BehaviourScore(
        behaviour=score.behaviour,
        level=None,
        probabilities=score.probabilities,
        withheld=reason,
        criteria=finding.criteria,
        missing=tuple(name for name in score.missing if name not in finding.criteria),
        evidence=finding.evidence,
        searched=score.searched,
    )
