"""Who is judged, and who holds the floor: the spans that measures and the takeover count, in seconds or, without times,
in words.

A back-channel ("mm-hm", "right") is a turn of at most `BACK_CHANNEL_WORDS` words or under `BACK_CHANNEL_SECONDS`;
it is speech, but it does not take the floor.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from pipeline.records import MEETING_BEHAVIOURS, Call, SpeechSegment, Turn

BACK_CHANNEL_WORDS = 2
BACK_CHANNEL_SECONDS = 1.0

Holder = TypeVar("Holder")


def is_timed(call: Call) -> bool:
    """Whether every turn has a start and an end and some of them last, so that seconds can be counted."""
    timed = all(turn.start is not None and turn.end is not None for turn in call.turns)
    return timed and any((turn.end or 0.0) > (turn.start or 0.0) for turn in call.turns)


def in_order(call: Call) -> list[Turn]:
    """The turns in order of their starts, or as the transcript has them where not all have times."""
    return sorted(call.turns, key=lambda turn: turn.start or 0.0) if is_timed(call) else list(call.turns)


def word_count(turn: Turn) -> int:
    """Words of a turn, split at white space."""
    return len(turn.text.split())


def seconds(turn: Turn) -> float:
    """Length of a turn in seconds; 0 where it has no times."""
    return 0.0 if turn.start is None or turn.end is None else max(0.0, turn.end - turn.start)


def spoken_seconds(call: Call) -> list[float]:
    """Seconds of each turn in which its speaker is heard: pauses within it and speech of others do not count.

    A turn in which diarization heard nothing of its speaker counts with its whole length, and without times with 0.
    """
    heard = {name: union([one for one in call.speech if one.speaker == name]) for name in _voices(call)}
    return [_heard_in(turn, heard.get(turn.speaker, [])) or seconds(turn) for turn in call.turns]


def _voices(call: Call) -> list[str]:
    return list(dict.fromkeys(one.speaker for one in call.speech))


def _heard_in(turn: Turn, heard: Sequence[tuple[float, float]]) -> float:
    if turn.start is None or turn.end is None:
        return 0.0
    found = 0.0
    for start, end in heard[max(0, bisect_right(heard, (turn.start, math.inf)) - 1) :]:
        if start >= turn.end:
            break
        found += max(0.0, min(end, turn.end) - max(start, turn.start))
    return found


def is_back_channel(turn: Turn) -> bool:
    """Whether a turn is too short to take the floor."""
    if turn.start is not None and turn.end is not None and word_count(turn) <= 2 * BACK_CHANNEL_WORDS:
        return word_count(turn) <= BACK_CHANNEL_WORDS or seconds(turn) < BACK_CHANNEL_SECONDS
    return word_count(turn) <= BACK_CHANNEL_WORDS


def sells_alone(call: Call) -> bool:
    """Whether several people of the selling side speak and nobody else does: there is no buyer to sell to."""
    spoken = {turn.speaker: call.side(turn) for turn in call.turns if turn.text.strip()}
    return len(spoken) > 1 and set(spoken.values()) == {"seller"}


def performs(call: Call, turn: Turn) -> bool:
    """Whether the turn is of the side that is judged: the selling side, and in a meeting the manager."""
    return call.role(turn) == "manager" if call.is_meeting else call.side(turn) == "seller"


def can_have(call: Call, behaviour: str) -> bool:
    """Whether this kind of call can have the behaviour: a meeting has its own, and without a buyer there is none."""
    if call.is_meeting:
        return behaviour in MEETING_BEHAVIOURS
    return behaviour not in MEETING_BEHAVIOURS and not sells_alone(call)


def speech_of(call: Call) -> tuple[SpeechSegment, ...]:
    """The stretches of speech: those of diarization, or the turns themselves where there are none."""
    if call.speech:
        return call.speech
    return tuple(
        SpeechSegment(turn.speaker, turn.start, turn.end)
        for turn in call.turns
        if turn.start is not None and turn.end is not None and turn.end > turn.start
    )


def union(segments: Sequence[SpeechSegment]) -> list[tuple[float, float]]:
    """The time covered by any of the segments, as sorted (start, end) pairs that do not touch."""
    covered: list[tuple[float, float]] = []
    for start, end in sorted((one.start, one.end) for one in segments if one.end > one.start):
        if covered and start <= covered[-1][1]:
            covered[-1] = (covered[-1][0], max(covered[-1][1], end))
        else:
            covered.append((start, end))
    return covered


def stretches(call: Call, holder: Callable[[Turn], Holder]) -> Iterator[tuple[Holder, list[Turn]]]:
    """Runs of turns in which one holder (a speaker, a side) keeps the floor; others' back-channels do not end a run."""
    run: list[Turn] = []
    current: Holder | None = None
    for turn in in_order(call):
        who = holder(turn)
        if run and who != current and is_back_channel(turn):
            continue
        if run and who != current and current is not None:
            yield current, run
            run = []
        current = who
        run.append(turn)
    if run and current is not None:
        yield current, run
