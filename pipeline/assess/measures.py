"""Conversation measures by speaker and by side, after the assessment standard. Call in, Talk out.

Definitions (printed in docs/measures.md and on the scorecard): talk share is a speaker's speaking time over all
speaking time; without times it is counted in words and `Talk.basis` says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pipeline.assess.floor import is_back_channel, is_timed, speech_of, stretches, union, word_count
from pipeline.records import Call, Side, Talk, TalkMeasures, Turn

DEAD_AIR_SECONDS = 2.0
"""A pause this long or longer in which nobody speaks counts as dead air."""
INTERRUPTION_OVERLAP = 0.3
"""Seconds that two voices overlap before the newcomer counts as interrupting; less is ordinary turn-taking."""
PUNCTUATED_SHARE = 0.2
"""Share of turns with sentence punctuation from which a transcript counts as punctuated. Without it questions are not
counted: a rule on question words found a third of the questions of the labelled calls, too few to show anybody."""

_QUESTION = re.compile(r"[?？؟]+")
_PUNCTUATION = re.compile(r"[.?!。？！؟]")


@dataclass(frozen=True, slots=True)
class _Group:
    """One speaker or side: which turns and speakers belong to it."""

    owns: Callable[[Turn], bool]
    speakers: frozenset[str]
    side: Side


def measure(call: Call) -> Talk:
    """The talk measures of a call, for each speaker (in order of first turn) and each side that spoke."""
    speakers = list(dict.fromkeys(turn.speaker for turn in call.turns))
    sides = [side for side in ("seller", "buyer", "unknown") if any(call.side(turn) == side for turn in call.turns)]
    timed = is_timed(call)
    return Talk(
        basis="time" if timed else "words",
        by_speaker=tuple((name, _measures(call, _speaker(call, name), timed)) for name in speakers),
        by_side=tuple((side, _measures(call, _side(call, side), timed)) for side in sides),  # type: ignore[misc]
        switches_per_minute=_per_minute(_switches(call), call.duration if timed else None),
        dead_air=_rounded(_dead_air(call)) if timed else None,
    )


def is_punctuated(call: Call) -> bool:
    """Whether the transcript has sentence punctuation, so that its question marks can be counted."""
    marked = sum(bool(_PUNCTUATION.search(turn.text)) for turn in call.turns)
    return bool(call.turns) and marked >= PUNCTUATED_SHARE * len(call.turns)


def _speaker(call: Call, name: str) -> _Group:
    return _Group(lambda turn: turn.speaker == name, frozenset([name]), call.participant(name).side)


def _side(call: Call, side: str) -> _Group:
    members = frozenset(turn.speaker for turn in call.turns if call.side(turn) == side)
    return _Group(lambda turn: turn.speaker in members, members, call.participant(min(members)).side)


def _measures(call: Call, group: _Group, timed: bool) -> TalkMeasures:
    turns = [turn for turn in call.turns if group.owns(turn)]
    words = sum(map(word_count, turns))
    speaking = _speaking_time(call, group.speakers) if timed else None
    questions = sum(len(_QUESTION.findall(turn.text)) for turn in turns) if is_punctuated(call) else None
    return TalkMeasures(
        talk_share=_rounded(_talk_share(call, group, speaking)),
        speaking_time=_rounded(speaking),
        longest_monologue=_rounded(_longest_monologue(call, group)) if timed else None,
        turns=len(turns),
        words=words,
        questions=questions,
        questions_per_minute=_per_minute(questions, call.duration if timed else None),
        words_per_minute=_per_minute(words, speaking),
        patience=_rounded(_patience(call, group)) if timed and _answers(call, group) else None,
        interruptions=_interruptions(call, group) if timed else None,
    )


def _speaking_time(call: Call, speakers: frozenset[str]) -> float:
    return sum(
        end - start
        for one in sorted(speakers)
        for start, end in union([segment for segment in speech_of(call) if segment.speaker == one])
    )


def _talk_share(call: Call, group: _Group, speaking: float | None) -> float | None:
    if speaking is None:
        total: float = sum(map(word_count, call.turns))
        own: float = sum(word_count(turn) for turn in call.turns if group.owns(turn))
    else:
        total = _speaking_time(call, frozenset(segment.speaker for segment in speech_of(call)))
        own = speaking
    return own / total if total else None


def _longest_monologue(call: Call, group: _Group) -> float:
    """Seconds from the start to the end of the group's longest stretch with the floor."""
    spans = [
        max(turn.end or 0.0 for turn in run) - min(turn.start or 0.0 for turn in run)
        for owned, run in stretches(call, group.owns)
        if owned
    ]
    return max(spans, default=0.0)


def _answers(call: Call, group: _Group) -> bool:
    """Whether the group's patience is measured: the selling side's towards the buyer, a manager's towards the rep."""
    if call.is_meeting:
        return all(call.participant(speaker).role == "manager" for speaker in group.speakers)
    return group.side == "seller"


def _patience(call: Call, group: _Group) -> float | None:
    """Median seconds between the buyer's last word and this seller's answer, in a meeting between the rep's and the
    manager's; None where no such turn is answered."""
    heard = "rep" if call.is_meeting else "customer"
    gaps = [
        max(0.0, (after.start or 0.0) - (before.end or 0.0))
        for before, after in _neighbours(call)
        if group.owns(after) and call.role(before) == heard and not is_back_channel(before)
    ]
    return median(gaps) if gaps else None


def _interruptions(call: Call, group: _Group) -> int:
    """How often the group began while somebody outside it spoke, and held the floor when that one stopped."""
    return sum(
        1
        for before, after in _neighbours(call)
        if group.owns(after)
        and not group.owns(before)
        and not is_back_channel(before)
        and not is_back_channel(after)
        and (before.end or 0.0) - (after.start or 0.0) >= INTERRUPTION_OVERLAP
        and (after.end or 0.0) > (before.end or 0.0)
    )


def _neighbours(call: Call) -> Iterator[tuple[Turn, Turn]]:
    return pairwise(call.turns)


def _switches(call: Call) -> int:
    return sum(before.speaker != after.speaker for before, after in _neighbours(call))


def _dead_air(call: Call) -> float:
    spoken = union(speech_of(call))
    gaps = (after[0] - before[1] for before, after in pairwise(spoken))
    return sum(gap for gap in gaps if gap >= DEAD_AIR_SECONDS)


def _per_minute(count: float | None, duration: float | None) -> float | None:
    return None if count is None or not duration else round(count / (duration / 60), 3)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
