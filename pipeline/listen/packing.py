"""Samples and stretches in, only what was said out: for an engine that reads windows of 30 s whatever they hold.

A channel of a two-party call is silent for half of the time. Whisper pays for every window and invents text in silence,
so stretches are put one behind the other and each word is given back its own time afterwards. faster-whisper packs in
the same way, but by a speech detection of its own; ours knows which speech belongs to the channel (cross-talk is gone)
and where it may cut (in pauses, never in a word).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from pipeline.listen.media import RATE, Samples
from pipeline.listen.speech import Stretch, widened
from pipeline.records import Word

WINDOW_SECONDS = 30.0
"""What Whisper reads in one go."""
_REACH = 0.5  # seconds around a word in which speech counts as understood: word times are off by up to that
_PADDING = 0.4  # seconds kept around a stretch, as faster-whisper's own detection does: plosives and breath


@dataclass(frozen=True)
class Packed:
    """Speech without what lies between. `pieces` are (first sample in `samples`, first sample in the recording, number
    of samples), in order."""

    samples: Samples
    pieces: tuple[tuple[int, int, int], ...]

    def place(self, start: float, end: float) -> Stretch:
        """Where in the recording a word of the packed samples lies, in seconds; both ends in the piece of its middle.

        A word that an engine lets run over the end of a piece ends there, for what follows was said at another time.
        """
        middle = round((start + end) / 2 * RATE)
        index = max(0, bisect_right(self.pieces, middle, key=lambda piece: piece[0]) - 1)
        here, there, count = self.pieces[index]
        first, last = (min(max(round(time * RATE) - here, 0), count) for time in (start, end))
        return (there + first) / RATE, (there + max(first, last)) / RATE

    def windows(self, longest: float = WINDOW_SECONDS) -> tuple[Stretch, ...]:
        """The packed samples in windows of at most `longest` seconds that begin and end with a piece, in seconds."""
        found: list[tuple[int, int]] = []
        for here, _, count in self.pieces:
            if found and here + count - found[-1][0] <= longest * RATE:
                found[-1] = (found[-1][0], here + count)
            else:
                found.append((here, here + count))
        return tuple((first / RATE, last / RATE) for first, last in found)


def pack(samples: Samples, stretches: Sequence[Stretch]) -> Packed:
    """The stretches (seconds, in order and apart) of mono 16 kHz samples with a little quiet around each.

    No piece is longer than a window: a stretch that is gets cut into equal parts.
    """
    pieces: list[tuple[int, int, int]] = []
    here = 0
    for start, end in _cut(widened(stretches, _PADDING, len(samples) / RATE)):
        first, last = round(start * RATE), min(len(samples), round(end * RATE))
        if last > first:
            pieces.append((here, first, last - first))
            here += last - first
    parts = [samples[first : first + count] for _, first, count in pieces]
    return Packed(np.concatenate(parts) if parts else samples[:0], tuple(pieces))


def _cut(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The stretches, with those that are longer than a window in equal parts."""
    cut: list[Stretch] = []
    for start, end in stretches:
        parts = max(1, ceil((end - start) / WINDOW_SECONDS))
        step = (end - start) / parts
        cut += [(start + index * step, start + (index + 1) * step) for index in range(parts)]
    return cut


def wordless(stretches: Sequence[Stretch], words: Sequence[Word], shortest: float) -> tuple[Stretch, ...]:
    """The parts of the stretches, `shortest` seconds or longer, that no word is near; both are in order."""
    found: list[Stretch] = []
    ahead = 0
    for start, end in stretches:
        while ahead < len(words) and words[ahead].end + _REACH <= start:
            ahead += 1
        silent_from = start
        for word in words[ahead:]:
            if word.start - _REACH >= end:
                break
            found.append((silent_from, word.start - _REACH))
            silent_from = max(silent_from, word.end + _REACH)
        found.append((silent_from, end))
    return tuple((start, end) for start, end in found if end - start >= shortest)
