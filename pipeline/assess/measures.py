"""Conversation measures by speaker and by side, after the assessment standard. Call in, Talk out.

Definitions are in docs/measures.md and on the scorecard: talk share is a speaker's share of all speaking time; without
times it is counted in words and `Talk.basis` says so. What a call's record is not good enough for is withheld, with the
reason (`pipeline.assess.measurable`), and None everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Any

from pipeline.assess.floor import in_order, is_back_channel, is_timed, speech_of, stretches, union, word_count
from pipeline.assess.measurable import BY_SIDE, withheld_measures
from pipeline.records import Call, Side, Talk, TalkMeasures, Turn

DEAD_AIR_SECONDS = 2.0
"""A pause this long or longer in which nobody speaks counts as dead air."""
INTERRUPTION_OVERLAP = 0.3
"""Seconds that two voices overlap before the newcomer counts as interrupting; less is ordinary turn-taking."""

_QUESTION = re.compile(r"[?？؟]+")


@dataclass(frozen=True, slots=True)
class _Group:
    """One speaker or side: which turns and speakers belong to it."""

    owns: Callable[[Turn], bool]
    speakers: frozenset[str]
    side: Side


def measure(call: Call) -> Talk:
    """The talk measures of a call, for each speaker (in order of first turn, then those who are heard and of whom no
    word was understood) and each side that spoke."""
    call = replace(call, speech=speech_of(call))  # once for all groups: a long call has thousands of stretches
    speakers = _speakers(call)
    known: tuple[Side, ...] = ("seller", "buyer", "unknown")
    spoke = {call.participant(name).side for name in speakers}
    timed = is_timed(call)
    withheld = withheld_measures(call)
    gone = frozenset(dict(withheld))
    floor = _floor(call)
    return Talk(
        basis="time" if timed else "words",
        by_speaker=tuple((name, _measures(call, _speaker(call, name), floor, gone)) for name in speakers),
        by_side=tuple((side, _of_side(call, side, floor, gone)) for side in known if side in spoke),
        switches_per_minute=_per_minute(_switches(call), _minutes(call, gone, "switches_per_minute")),
        dead_air=None if "dead_air" in gone or not speakers else _rounded(_dead_air(call)),
        withheld=withheld,
    )


def _speakers(call: Call) -> list[str]:
    """Everybody who spoke; without a single turn nobody did, as far as anybody knows."""
    heard = [*(turn.speaker for turn in call.turns), *(one.speaker for one in call.speech)]
    return list(dict.fromkeys(heard)) if call.turns else []


def _speaker(call: Call, name: str) -> _Group:
    return _Group(lambda turn: turn.speaker == name, frozenset([name]), call.participant(name).side)


def _of_side(call: Call, side: Side, floor: tuple[Turn, ...], gone: frozenset[str]) -> TalkMeasures:
    members = frozenset(one for one in _speakers(call) if call.participant(one).side == side)
    group = _Group(lambda turn: turn.speaker in members, members, side)
    return _measures(call, group, floor, gone | _MEASURES if BY_SIDE in gone else gone)


_MEASURES = frozenset(name for name in TalkMeasures.__slots__ if name not in {"turns", "words"})
"""The fields of TalkMeasures that can be withheld; turns and words are counts of what the transcript holds."""
_FROM_WORDS = _MEASURES - {"talk_share", "speaking_time"}
"""Those of which nothing is known where somebody is heard and no word of theirs was understood."""


def _measures(call: Call, group: _Group, floor: tuple[Turn, ...], gone: frozenset[str]) -> TalkMeasures:
    """The group's measures; those in `gone` are None, and without a turn all that need words."""
    turns = [turn for turn in call.turns if group.owns(turn)]
    words, timed = sum(map(word_count, turns)), is_timed(call)
    speaking = _speaking_time(call, group.speakers) if timed else None
    questions = sum(len(_QUESTION.findall(turn.text)) for turn in turns)
    measured = TalkMeasures(
        talk_share=_rounded(_talk_share(call, group, speaking)),
        speaking_time=_rounded(speaking),
        longest_monologue=_rounded(_longest_monologue(call, group)),
        turns=len(turns),
        words=words,
        questions=questions,
        questions_per_minute=_per_minute(questions, _minutes(call, gone, "questions_per_minute")),
        words_per_minute=_per_minute(words, speaking),
        patience=_rounded(_patience(call, group, floor)) if _answers(call, group) else None,
        interruptions=_interruptions(floor, group),
    )
    nothing: dict[str, Any] = dict.fromkeys((gone if turns else gone | _FROM_WORDS) & _MEASURES)
    return replace(measured, **nothing)


def _minutes(call: Call, gone: frozenset[str], name: str) -> float | None:
    """The length of the call in seconds for a rate by the minute; None where that rate is withheld."""
    return None if name in gone else call.duration


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
    return max((0.0, *spans))


def _answers(call: Call, group: _Group) -> bool:
    """Whether the group's patience is measured: the selling side's towards the buyer, a manager's towards the rep."""
    if call.is_meeting:
        return all(call.participant(speaker).role == "manager" for speaker in group.speakers)
    return group.side == "seller"


def _patience(call: Call, group: _Group, floor: tuple[Turn, ...]) -> float | None:
    """Median seconds between the buyer's last word and this seller's answer, in a meeting between the rep's and the
    manager's; None where no such turn is answered."""
    heard = "rep" if call.is_meeting else "customer"
    gaps = [
        max(0.0, (after.start or 0.0) - (before.end or 0.0))
        for before, after in pairwise(floor)
        if group.owns(after) and call.role(before) == heard
    ]
    return median(gaps) if gaps else None


def _interruptions(floor: tuple[Turn, ...], group: _Group) -> int:
    """How often the group began while somebody outside it spoke, and held the floor when that one stopped."""
    return sum(
        1
        for before, after in pairwise(floor)
        if group.owns(after)
        and not group.owns(before)
        and (before.end or 0.0) - (after.start or 0.0) >= INTERRUPTION_OVERLAP
        and (after.end or 0.0) > (before.end or 0.0)
    )


def _floor(call: Call) -> tuple[Turn, ...]:
    """The turns that take the floor, in order: all but back-channels, which neither answer nor interrupt."""
    return tuple(turn for turn in in_order(call) if not is_back_channel(turn))


def _switches(call: Call) -> int:
    """How often the floor goes from one speaker to another."""
    return max(0, sum(1 for _ in stretches(call, lambda turn: turn.speaker)) - 1)


def _dead_air(call: Call) -> float:
    spoken = union(speech_of(call))
    gaps = (after[0] - before[1] for before, after in pairwise(spoken))
    return sum(gap for gap in gaps if gap >= DEAD_AIR_SECONDS)


def _per_minute(count: float | None, duration: float | None) -> float | None:
    return None if count is None or not duration else round(count / (duration / 60), 3)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
