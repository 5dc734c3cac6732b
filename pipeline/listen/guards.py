"""Recognised words in, those that somebody said out: what an engine invented is dropped, and counted by reason.

Every rule drops words and does nothing else: what is kept is unchanged and in its order. A rule needs a reason in the
sound, in the engine's own doubt or in a pattern that nobody speaks; a suspicious phrase alone is never enough.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.listen.loops import FASTEST, fast, looped
from pipeline.listen.phrases import COURTESIES, CREDITS
from pipeline.listen.speech import Stretch
from pipeline.records import Word

NO_SOUND = "read from the last moment of a window, after its last word"
OUTSIDE = "outside of speech"
NO_SPEECH = "heard where the engine itself doubts that anybody speaks"
INVENTED = "phrases that engines invent where little or nothing is said"
LOOPED = "repeated in a loop"
TOO_FAST = "faster than anybody speaks"

_SHORTEST = 0.5  # seconds: what is packed around speech alone is 0.4
_MARGIN = 0.5  # seconds that a word may lie beside speech: word times are off by up to that
_DOUBT = 0.6  # no-speech probability and
_UNLIKELY = -1.0  # mean log probability of a token: beyond both a window is silent (OpenAI's whisper, transcribe.py)
_REPETITIVE = 2.4  # text over its compressed size (the same): the corpus has 2.06 at most
_ENOUGH_WORDS = 20  # below that many words, natural text ("yeah, yeah, yeah") reaches it too
_UTTERANCE_GAP = 0.5  # seconds of pause that end an utterance


@dataclass(frozen=True, slots=True)
class Segment:
    """The words of one piece that an engine decoded, in order, with the engine's doubts about the piece.

    `no_speech` is the probability (0-1) that nobody speaks in it, `log_probability` a token's mean, `compression` its
    text's size over the compressed size, `seconds` the sound it was decoded from; None where the engine gives none.
    """

    words: tuple[Word, ...]
    no_speech: float | None = None
    log_probability: float | None = None
    compression: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Guarded:
    """The words that were kept, and (reason, number of words) of what was dropped, for reasons that dropped any."""

    words: tuple[Word, ...]
    dropped: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Heard:
    """A word with the segment it comes from (its number tells segments apart) and its plain form."""

    word: Word
    plain: str
    segment: Segment
    number: int


_Rule = Callable[[Sequence[_Heard]], set[int]]


def guarded(
    segments: Sequence[Segment],
    stretches: Sequence[Stretch],
    *,
    invents_phrases: bool = True,
    prompt: Sequence[str] = (),
    language: str | None = None,
) -> Guarded:
    """The words of the segments without those that nobody said. `stretches` are where speech was found, in order.

    `invents_phrases` is for engines that have learnt whole phrases from subtitles, as Whisper has. `prompt` are the
    terms that the engine was told to expect, for it may echo them.
    """
    heard = [
        _Heard(word, _plain(word.text), segment, number)
        for number, segment in enumerate(segments)
        for word in segment.words
    ]
    echo = tuple(_plain(part) for term in prompt for part in term.split())
    rules: list[tuple[str, _Rule]] = [
        (NO_SOUND, _in_nothing),
        (NO_SPEECH, _in_doubt),
        (INVENTED, lambda heard: _invented(heard, stretches, echo) if invents_phrases else set()),
        (OUTSIDE, lambda heard: _outside(heard, stretches)),
        (LOOPED, _looped),
        (TOO_FAST, lambda heard: fast([one.word.start for one in heard], language)),
    ]
    dropped = []
    for reason, rule in rules:
        gone = rule(heard)
        heard = [one for index, one in enumerate(heard) if index not in gone]
        if gone:
            dropped.append((reason, len(gone)))
    return Guarded(tuple(one.word for one in heard), tuple(dropped))


def total_dropped(parts: Sequence[Sequence[tuple[str, int]]]) -> tuple[tuple[str, int], ...]:
    """What several calls of `guarded` dropped, together: (reason, words), in the order in which reasons come first."""
    total: dict[str, int] = {}
    for reason, count in (one for part in parts for one in part):
        total[reason] = total.get(reason, 0) + count
    return tuple(total.items())


def _plain(text: str) -> str:
    """The letters and digits of a word, without capitals."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


# --- the sound and the engine's doubts -----------------------------------------------------------


def _in_nothing(heard: Sequence[_Heard]) -> set[int]:
    """Words of segments that were decoded from less than `_SHORTEST` seconds of sound."""
    seconds = [one.segment.seconds for one in heard]
    return {index for index, known in enumerate(seconds) if known is not None and known < _SHORTEST}


def _in_doubt(heard: Sequence[_Heard]) -> set[int]:
    """Words of segments that the engine takes for silence and whose words it finds unlikely, as Whisper's own rule."""
    return {
        index
        for index, one in enumerate(heard)
        if (one.segment.no_speech or 0.0) > _DOUBT and (one.segment.log_probability or 0.0) < _UNLIKELY
    }


def _outside(heard: Sequence[_Heard], stretches: Sequence[Stretch]) -> set[int]:
    """Words that touch no speech, even with a margin."""
    return {
        index
        for index, one in enumerate(heard)
        if not _touches(one.word.start - _MARGIN, one.word.end + _MARGIN, stretches)
    }


def _touches(start: float, end: float, stretches: Sequence[Stretch]) -> bool:
    index = bisect_right(stretches, start, key=lambda stretch: stretch[1])
    return index < len(stretches) and stretches[index][0] <= end


def _speech_within(start: float, end: float, stretches: Sequence[Stretch]) -> float:
    """Seconds of speech between two times."""
    first = bisect_right(stretches, start, key=lambda stretch: stretch[1])
    seconds = 0.0
    for begins, ends in stretches[first:]:
        if begins >= end:
            break
        seconds += min(end, ends) - max(start, begins)
    return seconds


def _looped(heard: Sequence[_Heard]) -> set[int]:
    """The words of loops but for their first occurrence."""
    spans = [(one.word.start, one.word.end) for one in heard]
    return looped([one.plain for one in heard], spans, [_repetitive(one.segment) for one in heard])


def _repetitive(segment: Segment) -> bool:
    """Whether a segment's text compresses as only loops do."""
    return (segment.compression or 0.0) > _REPETITIVE and len(segment.words) >= _ENOUGH_WORDS


# --- invented phrases ----------------------------------------------------------------------------


def _invented(heard: Sequence[_Heard], stretches: Sequence[Stretch], echo: tuple[str, ...]) -> set[int]:
    """Utterances that are nothing but a phrase known to be invented, or the prompt's own terms, in doubtful speech."""
    gone: set[int] = set()
    for first, last in _utterances(heard):
        said = heard[first:last]
        plain = tuple(one.plain for one in said if one.plain)
        likely = 0.7 if _is_credit(plain) or _is_echo(plain, echo) else 0.4 if "".join(plain) in COURTESIES else None
        if likely is not None and _doubtful(said, stretches, likely):
            gone.update(range(first, last))
    return gone


def _utterances(heard: Sequence[_Heard]) -> list[tuple[int, int]]:
    """(first, last + 1) of the runs of words between pauses, ends of sentences and segments."""
    found: list[tuple[int, int]] = []
    first = 0
    for index in range(1, len(heard) + 1):
        if index == len(heard) or _ends(heard[index - 1], heard[index]):
            found.append((first, index))
            first = index
    return found


def _ends(one: _Heard, following: _Heard) -> bool:
    return (
        one.number != following.number
        or one.word.text.endswith((".", "!", "?", "。", "！", "？"))
        or following.word.start - one.word.end >= _UTTERANCE_GAP
    )


def _is_credit(plain: tuple[str, ...]) -> bool:
    """A credit of subtitles or a greeting to viewers, up to three words (a name, a year) behind it."""
    return any("".join(plain[:size]) in CREDITS for size in range(max(1, len(plain) - 3), len(plain) + 1))


def _is_echo(plain: tuple[str, ...], echo: tuple[str, ...]) -> bool:
    """At least four words that stand in the prompt in this order."""
    size = len(plain)
    return size >= 4 and any(echo[at : at + size] == plain for at in range(len(echo) - size + 1))


def _doubtful(said: Sequence[_Heard], stretches: Sequence[Stretch], likely: float) -> bool:
    """Whether little speaks for an utterance: less than half of it in speech, too little speech for its words, words
    that are less probable than `likely` on average, or an engine that doubts the segment."""
    start, end = said[0].word.start, max(one.word.end for one in said)
    speech = _speech_within(start, end, stretches)
    known = [one.word.probability for one in said if one.word.probability is not None]
    return (
        speech < (end - start) / 2
        or len(said) > FASTEST * max(0.1, speech)
        or (bool(known) and sum(known) / len(known) < likely)
        or ((said[0].segment.no_speech or 0.0) > _DOUBT and (said[0].segment.log_probability or 0.0) < _UNLIKELY / 2)
    )
