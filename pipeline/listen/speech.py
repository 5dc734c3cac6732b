"""Samples in, the stretches in which somebody speaks out, by Silero's detector (it travels with faster-whisper)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.listen.media import RATE, Samples

STEPS_A_SECOND = 100
STEP = RATE // STEPS_A_SECOND
"""Samples in a step of 10 ms, in which levels are measured."""
WINDOW = 600.0
"""Seconds that are looked at in one go: bounds the memory of long calls, and is longer than most turns by far."""
_TAIL = 60.0  # seconds at a window's end in which a pause is looked for, to cut there


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """How stretches of speech are cut. A pause of `pause` seconds ends one, `padding` is added at each end, and one
    longer than `longest` is cut at its best pause."""

    threshold: float = 0.5
    shortest: float = 0.1
    pause: float = 0.5
    padding: float = 0.05
    longest: float = 20.0


Stretch = tuple[float, float]
"""Start and end of a stretch, in seconds."""


def find_speech(samples: Samples, settings: SpeechSettings = SpeechSettings()) -> tuple[Stretch, ...]:
    """The stretches of speech in mono 16 kHz samples, in order and apart; empty where nobody speaks."""
    if len(samples) == 0 or not np.any(samples):
        return ()
    from pipeline.torch_runtime import prepare

    prepare()
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=settings.threshold,
        min_speech_duration_ms=round(settings.shortest * 1000),
        max_speech_duration_s=settings.longest,
        min_silence_duration_ms=round(settings.pause * 1000),
        speech_pad_ms=round(settings.padding * 1000),
    )
    found = get_speech_timestamps(samples, options)
    return tuple((round(one["start"] / RATE, 3), round(one["end"] / RATE, 3)) for one in found)


def find_speech_in(
    read: Callable[[int, int], Samples],
    length: int,
    settings: SpeechSettings = SpeechSettings(),
    *,
    window: float = WINDOW,
) -> tuple[Stretch, ...]:
    """The stretches of a long channel, as `find_speech` gives them, window by window.

    `read(first, last)` gives its samples, `length` is their number. A window ends in the last pause that it holds, so
    no word is cut; the stretch that touches its end is looked at again with the next one.
    """
    found: list[Stretch] = []
    first = 0
    while first < length:
        last = min(length, first + round(window * RATE))
        at = first / RATE
        stretches = [(round(a + at, 3), round(b + at, 3)) for a, b in find_speech(read(first, last), settings)]
        if last == length:
            return (*found, *stretches)
        cut = _cut(stretches, last / RATE, max(first / RATE, last / RATE - _TAIL))
        found += [one for one in stretches if one[0] < cut]
        first = max(first + 1, round(cut * RATE))
    return tuple(found)


def _cut(stretches: Sequence[Stretch], end: float, earliest: float) -> float:
    """Where a window that ends at `end` is cut: in the last pause after `earliest`, or at its end without one."""
    if not stretches or stretches[-1][1] < end - 1.0:
        return end - 0.5
    if len(stretches) < 2 or stretches[-1][0] <= earliest:
        return end
    return max(stretches[-2][1], stretches[-1][0] - 0.001)  # they touch where speech went on for longer than a stretch


def mask(stretches: Sequence[Stretch], steps: int) -> NDArray[np.bool_]:
    """Whether each of the steps of 10 ms lies in a stretch."""
    inside = np.zeros(steps, bool)
    for start, end in stretches:
        inside[round(start * STEPS_A_SECOND) : round(end * STEPS_A_SECOND)] = True
    return inside


def total_seconds(stretches: Iterable[Stretch]) -> float:
    """How long the stretches are together."""
    return sum(end - start for start, end in stretches)


def windows(stretches: Sequence[Stretch], longest: float = WINDOW) -> Iterator[tuple[Stretch, ...]]:
    """The stretches in groups that span at most `longest` seconds each, in order."""
    group: list[Stretch] = []
    for one in stretches:
        if group and one[1] - group[0][0] > longest:
            yield tuple(group)
            group = []
        group.append(one)
    if group:
        yield tuple(group)


def widened(stretches: Sequence[Stretch], padding: float, duration: float) -> tuple[Stretch, ...]:
    """The stretches with `padding` seconds more at each end, within the recording and never into a neighbour."""
    wide = []
    for index, (start, end) in enumerate(stretches):
        before = (stretches[index - 1][1] + start) / 2 if index else 0.0
        after = (end + stretches[index + 1][0]) / 2 if index + 1 < len(stretches) else duration
        wide.append((max(start - padding, before, 0.0), min(end + padding, after, duration)))
    return tuple(wide)
