"""Words and their times in, those that nobody spoke out: loops of a decoder, and words faster than a mouth.

People repeat themselves too ("no, no, no"), so a loop is what goes on longer than people do, without their pauses.
"""

from __future__ import annotations

from collections.abc import Sequence

FASTEST = 10
"""Words that may begin within a second: fast talkers reach six, and word times are off by some tenths."""
_FASTEST_UNSPACED = 20
_UNSPACED = {"zh", "ja", "th", "lo", "my", "yue"}  # languages that faster-whisper cuts into characters, not words
_GAP = 1.0  # seconds; a listener who says "yeah" every few seconds is no loop
_LONGEST = 30  # words in one turn of a loop


def looped(plain: Sequence[str], spans: Sequence[tuple[float, float]], repetitive: Sequence[bool]) -> set[int]:
    """The indexes of all but the first occurrence of words that are repeated more often than people repeat them.

    `plain` are the words without capitals and punctuation, `spans` their start and end in seconds. `repetitive` says
    of each whether its text compresses as only loops do: there, fewer repeats are a loop.
    """
    gone: set[int] = set()
    at = 0
    while at < len(plain):
        size, repeats = _loop_at(plain, spans, at, repetitive[at])
        end = at + size * repeats
        if repeats > 1:
            end += _tail(plain, at, end, size)
            gone.update(range(at + size, end))
        at = end
    return gone


def _loop_at(plain: Sequence[str], spans: Sequence[tuple[float, float]], at: int, repetitive: bool) -> tuple[int, int]:
    """(words, repeats) of the loop that begins here; (1, 1) where none does."""
    for size in range(1, min(_LONGEST, (len(plain) - at) // 2) + 1):
        repeats = 1
        while _follows(plain, spans, at, at + repeats * size, size):
            repeats += 1
        if repeats >= too_often(size, repetitive):
            return size, repeats
    return 1, 1


def _follows(plain: Sequence[str], spans: Sequence[tuple[float, float]], one: int, other: int, size: int) -> bool:
    """Whether the `size` words from `other` are those from `one`, said without a pause."""
    return other + size <= len(plain) and all(
        plain[one + step] == plain[other + step] and spans[other + step][0] - spans[other + step - 1][1] <= _GAP
        for step in range(size)
    )


def _tail(plain: Sequence[str], at: int, end: int, size: int) -> int:
    """Words behind a loop's last whole turn that begin another one; a single word may be the next sentence's."""
    step = 0
    while step < size and end + step < len(plain) and plain[at + step] == plain[end + step]:
        step += 1
    return step if step > 1 else 0


def too_often(size: int, repetitive: bool = False) -> int:
    """How many times in a row `size` words are a loop. People do say "yeah" five times, and a sentence twice.

    In the 382,000 words of the corpus the longest runs are 4 times one word, 3 times two, twice three to five.
    """
    if repetitive:
        return (6, 4, 3, 3)[size - 1] if size <= 4 else 2
    return (8, 6, 5, 5, 4, 4, 4)[size - 1] if size <= 7 else 3


def fast(starts: Sequence[float], language: str | None = None) -> set[int]:
    """The indexes of words of which more begin within one second than anybody says; `starts` are in order."""
    most = _FASTEST_UNSPACED if language in _UNSPACED else FASTEST
    gone: set[int] = set()
    first = 0
    for index, start in enumerate(starts):
        while start - starts[first] >= 1.0:
            first += 1
        if index - first + 1 > most:
            gone.update(range(first, index + 1))
    return gone
