"""Words with their speakers in, turns out: a turn is one speaker until the floor changes.

A back-channel ("mm-hm") shows that somebody listens and takes no floor; an answer, however short, does.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.records import Turn, Word

BREATH = 0.7
"""Seconds; a longer gap between one speaker's words ends the utterance."""
_BACK_CHANNEL_WORDS = 3
_BACK_CHANNEL_SECONDS = 1.5
_PAUSE = 1.0  # seconds; after a longer pause beside a back-channel the floor was free, and was taken
_ANSWERED = 0.2  # seconds before a question's last word ends from which an answer to it may begin

_HUMMED = frozenset(("mm", "mhm", "mmhm", "mm hm", "mm hmm", "mmhmm", "hm", "hmm", "uh huh", "uhhuh", "mm mm"))
"""Said to show that one listens, and to no other end, unless a question came before."""
_LISTENING = frozenset(
    (
        "yeah", "yeah yeah", "right", "right right", "okay", "ok", "i see", "got it", "sure", "yes", "yep", "exactly",
        "of course", "oh okay", "oh right", "yeah right", "yeah okay", "okay yeah", "oh i see", "ah okay", "oh yeah",
        "makes sense", "that makes sense", "oh", "ah", "wow",
    )
)  # fmt: skip
"""Said to show that one listens, or to agree: what it was shows in what the other one was about to say."""


@dataclass(frozen=True, slots=True)
class _Utterance:
    """One speaker's words without a breath between."""

    speaker: str
    words: tuple[Word, ...]
    start: float
    end: float

    @property
    def last(self) -> str:
        """The last word as it was written."""
        return self.words[-1].text.strip()


def make_turns(words: Sequence[tuple[str, Word]]) -> tuple[Turn, ...]:
    """The call's turns, by start time.

    A pause does not end a turn while nobody else speaks. A back-channel is a turn of its own that does not break the
    other's: a word or three said inside another's utterance, or in a short pause of one that was not finished.
    """
    utterances = _utterances(words)
    asides = _asides(utterances)
    turns: list[list[_Utterance]] = []
    floor: list[_Utterance] | None = None
    for utterance, is_aside in zip(utterances, asides, strict=True):
        if is_aside:
            turns.append([utterance])
        elif floor is not None and floor[0].speaker == utterance.speaker:
            floor.append(utterance)
        else:
            floor = [utterance]
            turns.append(floor)
    return tuple(sorted((_turn(parts) for parts in turns), key=lambda turn: (turn.start, turn.end)))


def _utterances(words: Sequence[tuple[str, Word]]) -> list[_Utterance]:
    """Every speaker's utterances, together in the order of their starts."""
    by_speaker: dict[str, list[Word]] = {}
    for speaker, word in words:
        by_speaker.setdefault(speaker, []).append(word)
    starts = {speaker: sorted(word.start for word in own) for speaker, own in by_speaker.items()}
    found = []
    for speaker, own in by_speaker.items():
        own.sort(key=lambda word: (word.start, word.end))
        others = [others for one, others in sorted(starts.items()) if one != speaker]
        begin = 0
        for at in range(1, len(own) + 1):
            if at == len(own) or _ends(own[at - 1], own[at], others):
                part = tuple(own[begin:at])
                found.append(_Utterance(speaker, part, part[0].start, max(word.end for word in part)))
                begin = at
    return sorted(found, key=lambda one: (one.start, one.end, one.speaker))


def _ends(word: Word, following: Word, others: Sequence[Sequence[float]]) -> bool:
    """Whether an utterance ends between two words of a speaker: at a breath, or at a question that somebody answers."""
    if following.start - word.end > BREATH:
        return True
    if not word.text.strip().endswith("?"):
        return False
    answers_from = max(word.start, word.end - _ANSWERED)
    return any(bisect_left(starts, answers_from) < bisect_left(starts, following.start) for starts in others)


def _asides(utterances: Sequence[_Utterance]) -> list[bool]:
    """For every utterance, whether it is a back-channel."""
    lanes: dict[str, list[_Utterance]] = {}
    for one in utterances:
        lanes.setdefault(one.speaker, []).append(one)
    begins = {speaker: [one.start for one in own] for speaker, own in lanes.items()}
    marked = {speaker for speaker, own in lanes.items() if any(_is_finished(one) for one in own)}
    short = [_is_short(one) for one in utterances]
    before = _holders(utterances, short)
    after = _holders(utterances[::-1], short[::-1])[::-1]
    return [
        is_short
        and (
            any(_is_inside(one, own, begins[speaker]) for speaker, own in lanes.items() if speaker != one.speaker)
            or _is_in_pause(one, held, resumed, marked)
        )
        for one, is_short, held, resumed in zip(utterances, short, before, after, strict=True)
    ]


def _is_short(one: _Utterance) -> bool:
    return len(one.words) <= _BACK_CHANNEL_WORDS and one.end - one.start <= _BACK_CHANNEL_SECONDS


def _is_inside(one: _Utterance, own: Sequence[_Utterance], begins: Sequence[float]) -> bool:
    """Whether it lies inside one of somebody else's utterances."""
    at = bisect_left(begins, one.start) - 1
    return at >= 0 and one.end < own[at].end


def _holders(utterances: Sequence[_Utterance], short: Sequence[bool]) -> list[_Utterance | None]:
    """For every utterance the one before it that is more than a back-channel by its words."""
    found: list[_Utterance | None] = []
    holder: _Utterance | None = None
    for one, is_short in zip(utterances, short, strict=True):
        found.append(holder)
        if not (is_short and (_said(one) in _HUMMED or _said(one) in _LISTENING)):
            holder = one
    return found


def _is_in_pause(one: _Utterance, held: _Utterance | None, resumed: _Utterance | None, marked: set[str]) -> bool:
    """Whether it is said in a short pause of somebody who had not finished. `marked` are those whose words carry
    punctuation: of the others only a hum, or what began before they paused, is known to be no answer."""
    if held is None or resumed is None or held.speaker != resumed.speaker or held.speaker == one.speaker:
        return False
    if one.start - held.end > _PAUSE or resumed.start - one.end > _PAUSE or held.last.endswith("?"):
        return False
    said = _said(one)
    if said in _HUMMED:
        return True
    return said in _LISTENING and (not _is_finished(held) if held.speaker in marked else one.start < held.end)


def _is_finished(one: _Utterance) -> bool:
    """Whether a sentence ends with it, by its punctuation."""
    return one.last.endswith((".", "?", "!", "。", "？", "！")) and not one.last.endswith("..")


def _said(one: _Utterance) -> str:
    """Its words in small letters, without punctuation."""
    return " ".join(re.findall(r"[^\W_]+", " ".join(word.text for word in one.words).lower()))


def _turn(parts: Sequence[_Utterance]) -> Turn:
    words = tuple(word for part in parts for word in part.words)
    text = " ".join(word.text.strip() for word in words)
    return Turn(parts[0].speaker, text, words[0].start, max(word.end for word in words), words)
