"""Words and who spoke when in, turns out: a turn is one speaker until the floor changes.

Words, not segments, are given to speakers: with one speaker a recognised segment most of a quick exchange goes wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.records import SpeechSegment, Turn, Word

_BREATH = 0.7  # seconds; a longer gap between one speaker's words ends the utterance
_BACK_CHANNEL_WORDS = 3
_BACK_CHANNEL_SECONDS = 1.5
_NEAR = 0.5  # seconds; a word this near to a speaker's stretch still belongs to it: two detectors, two edges


@dataclass(frozen=True, slots=True)
class Attributed:
    """Words by speaker, and how many of all words got theirs by evidence rather than by the nearest neighbour."""

    words: tuple[tuple[str, Word], ...]
    attributed: int


def attribute_words(words: Sequence[Word], speech: Sequence[SpeechSegment]) -> Attributed:
    """Each word with the speaker whose stretches it overlaps most.

    Where stretches overlap equally, and where there is none, the word goes with its utterance; one that is also far
    from any speech goes to the nearest stretch and is not counted as attributed. Without any stretch: no words.
    """
    if not speech:
        return Attributed((), 0)
    certain = [_clear_speaker(word, speech) for word in words]
    found: list[tuple[str, Word]] = []
    attributed = 0
    for index, word in enumerate(words):
        nearest, distance = _nearest(word, speech)
        speaker = certain[index] or _from_utterance(index, words, certain)
        attributed += speaker is not None or distance <= _NEAR
        found.append((speaker or nearest, word))
    return Attributed(tuple(found), attributed)


def _overlap(word: Word, segment: SpeechSegment) -> float:
    return min(word.end, segment.end) - max(word.start, segment.start)


def _clear_speaker(word: Word, speech: Sequence[SpeechSegment]) -> str | None:
    """The one speaker with most overlap; None without overlap or with two alike."""
    shares: dict[str, float] = {}
    for segment in speech:
        if (overlap := _overlap(word, segment)) > 0:
            shares[segment.speaker] = shares.get(segment.speaker, 0.0) + overlap
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    if not ranked or (len(ranked) > 1 and ranked[0][1] - ranked[1][1] < 1e-6):
        return None
    return ranked[0][0]


def _from_utterance(index: int, words: Sequence[Word], certain: Sequence[str | None]) -> str | None:
    """The speaker of the word before, else after, where no breath lies between."""
    for step in (-1, 1):
        at = index
        while 0 <= at + step < len(words):
            first, second = sorted((at, at + step))
            if words[second].start - words[first].end > _BREATH:
                break
            at += step
            if certain[at] is not None:
                return certain[at]
    return None


def _nearest(word: Word, speech: Sequence[SpeechSegment]) -> tuple[str, float]:
    """The speaker of the nearest stretch, and its distance in seconds."""
    distance, _, speaker = min((max(0.0, -_overlap(word, one)), one.start, one.speaker) for one in speech)
    return speaker, distance


@dataclass(frozen=True, slots=True)
class _Utterance:
    """One speaker's words without a breath between."""

    speaker: str
    words: tuple[Word, ...]

    @property
    def start(self) -> float:
        return self.words[0].start

    @property
    def end(self) -> float:
        return max(word.end for word in self.words)


def make_turns(words: Sequence[tuple[str, Word]]) -> tuple[Turn, ...]:
    """The call's turns, by start time.

    A pause does not end a turn while nobody else speaks. A word or three said inside another's utterance ("mm-hm",
    "yeah, right") is a turn of its own that does not break the other's.
    """
    utterances = _utterances(words)
    aside = [_is_back_channel(one, utterances) for one in utterances]
    turns: list[list[_Utterance]] = []
    floor: list[_Utterance] | None = None
    for utterance, is_aside in zip(utterances, aside, strict=True):
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
    found = []
    for speaker, own in by_speaker.items():
        own.sort(key=lambda word: (word.start, word.end))
        begin = 0
        for at in range(1, len(own) + 1):
            if at == len(own) or own[at].start - own[at - 1].end > _BREATH:
                found.append(_Utterance(speaker, tuple(own[begin:at])))
                begin = at
    return sorted(found, key=lambda one: (one.start, one.end, one.speaker))


def _is_back_channel(one: _Utterance, utterances: Sequence[_Utterance]) -> bool:
    """Whether it is short and lies inside an utterance of somebody else."""
    if len(one.words) > _BACK_CHANNEL_WORDS or one.end - one.start > _BACK_CHANNEL_SECONDS:
        return False
    return any(other.speaker != one.speaker and other.start < one.start and one.end < other.end for other in utterances)


def _turn(parts: Sequence[_Utterance]) -> Turn:
    words = tuple(word for part in parts for word in part.words)
    text = " ".join(word.text.strip() for word in words)
    return Turn(parts[0].speaker, text, words[0].start, max(word.end for word in words), words)
