"""Words and who spoke when in, every word with its speaker out.

Words, not segments, are given to speakers: with one speaker a recognised segment most of a quick exchange goes wrong.
Turns are made of them by `turns`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.listen.turns import BREATH
from pipeline.listen.turns import make_turns as make_turns
from pipeline.records import SpeechSegment, Word

_NEAR = 0.5  # seconds; a word this near to a speaker's stretch still belongs to it: two detectors, two edges
_CLEAR = 0.2  # share of a word's length by which one speaker's overlap must exceed the next one's to decide alone
_SHORTEST = 0.02  # seconds; a word without length is looked for in so much around it


@dataclass(frozen=True, slots=True)
class Attributed:
    """Words by speaker, and how many of all words got theirs by evidence rather than by the nearest neighbour."""

    words: tuple[tuple[str, Word], ...]
    attributed: int


def attribute_words(words: Sequence[Word], speech: Sequence[SpeechSegment]) -> Attributed:
    """Each word with the speaker whose stretches it overlaps most, in the words' order.

    Where two overlap it about equally the word goes with its utterance, to one of the two. One that none overlaps goes
    with the nearer neighbour of its utterance, else to the nearest stretch; far from any it is not counted as
    attributed. Without any stretch: no words. Takes time in proportion to words and speakers.
    """
    if not speech:
        return Attributed((), 0)
    lanes = _lanes(speech)
    rivals = [_rivals(word, lanes) for word in words]
    befores, afters = _neighbours(words, rivals)
    found: list[tuple[str, Word]] = []
    attributed = 0
    for word, named, before, after in zip(words, rivals, befores, afters, strict=True):
        speaker = named[0] if len(named) == 1 else _from_utterance(named, before, after)
        if speaker is None:
            speaker, distance = _nearest(word, lanes)
            attributed += distance <= _NEAR
        else:
            attributed += 1
        found.append((speaker, word))
    return Attributed(tuple(found), attributed)


@dataclass(frozen=True, slots=True)
class _Lane:
    """One speaker's stretches, apart and in order."""

    speaker: str
    starts: tuple[float, ...]
    ends: tuple[float, ...]

    def overlap(self, start: float, end: float) -> float:
        """How many seconds of start to end the speaker speaks."""
        first, last = bisect_right(self.ends, start), bisect_left(self.starts, end)
        return sum(min(end, self.ends[n]) - max(start, self.starts[n]) for n in range(first, last))

    def nearest(self, start: float, end: float) -> tuple[float, float]:
        """How far away the nearest stretch is in seconds, 0 where it touches, and where that stretch starts."""
        last = bisect_left(self.starts, end)
        near = range(max(0, last - 1), min(len(self.starts), last + 1))
        return min((max(0.0, self.starts[n] - end, start - self.ends[n]), self.starts[n]) for n in near)


def _lanes(speech: Iterable[SpeechSegment]) -> tuple[_Lane, ...]:
    """Every speaker's stretches, those that touch joined, by speaker."""
    by_speaker: dict[str, list[list[float]]] = {}
    for one in sorted(speech, key=lambda one: (one.start, one.end)):
        own = by_speaker.setdefault(one.speaker, [])
        if own and one.start <= own[-1][1]:
            own[-1][1] = max(own[-1][1], one.end)
        else:
            own.append([one.start, one.end])
    return tuple(
        _Lane(speaker, tuple(start for start, _ in own), tuple(end for _, end in own))
        for speaker, own in sorted(by_speaker.items())
    )


def _span(word: Word) -> tuple[float, float]:
    """The word's start and end, a little more where it has no length."""
    short = max(0.0, _SHORTEST - (word.end - word.start)) / 2
    return word.start - short, word.end + short


def _rivals(word: Word, lanes: Sequence[_Lane]) -> tuple[str, ...]:
    """The speakers who may have said it, the likeliest first: one where it is clear, none without any overlap."""
    start, end = _span(word)
    shares = sorted(
        ((overlap, lane.speaker) for lane in lanes if (overlap := lane.overlap(start, end)) > 0),
        key=lambda one: (-one[0], one[1]),
    )
    margin = _CLEAR * (end - start)
    return tuple(speaker for overlap, speaker in shares if shares[0][0] - overlap < margin)


_Neighbour = tuple[str, float] | None
"""The speaker of the nearest clear word of the utterance on one side, and the seconds to it; None without one."""


def _neighbours(words: Sequence[Word], rivals: Sequence[tuple[str, ...]]) -> tuple[list[_Neighbour], list[_Neighbour]]:
    """For every word the clear word before it, and the one after it, that no breath parts from it."""
    befores = _clear_before(words, rivals)
    turned = [Word(word.text, -word.end, -word.start) for word in reversed(words)]
    return befores, _clear_before(turned, rivals[::-1])[::-1]


def _clear_before(words: Sequence[Word], rivals: Sequence[tuple[str, ...]]) -> list[_Neighbour]:
    found: list[_Neighbour] = []
    clear: tuple[str, float] | None = None  # speaker and end of the last clear word
    for index, word in enumerate(words):
        if index and word.start - words[index - 1].end > BREATH:
            clear = None
        found.append(None if clear is None else (clear[0], max(0.0, word.start - clear[1])))
        if len(rivals[index]) == 1:
            clear = (rivals[index][0], word.end)
    return found


def _from_utterance(named: Sequence[str], before: _Neighbour, after: _Neighbour) -> str | None:
    """The speaker of the nearer neighbour, or of the word before where both are as near; one of `named` if any are."""
    near = [one for one in (before, after) if one is not None and (not named or one[0] in named)]
    if near:
        return min(near, key=lambda one: one[1])[0]
    return named[0] if named else None


def _nearest(word: Word, lanes: Sequence[_Lane]) -> tuple[str, float]:
    """The speaker of the nearest stretch, and its distance in seconds."""
    distance, _, speaker = min((*lane.nearest(*_span(word)), lane.speaker) for lane in lanes)
    return speaker, distance
