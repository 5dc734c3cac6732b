"""Cross-talk: stretches in which a channel only carries another channel's speech faintly are taken out of its own.

Levels and stretches of every channel in, stretches without cross-talk out. How faintly one channel is heard on another
is measured on the call itself, from the moments in which the other speaks; what is louder than that is one's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.listen.channels import Levels, mask
from pipeline.listen.media import Samples
from pipeline.listen.speech import STEPS_A_SECOND, Stretch

_DOMINANT = 2.5  # where another channel is 8 dB louder, its party is the one that speaks
_LOUD = 0.3  # of that channel's level when it is loud: its fading ends say little about how much is heard elsewhere
_FEWEST_STEPS = STEPS_A_SECOND // 2
_SMOOTH = STEPS_A_SECOND // 5  # a fifth of a second
_LAG = 10  # steps of 10 ms: sound through the air or an echo canceller arrives up to 100 ms late
_LIKENESS = 0.75  # correlation of the levels in dB; two who talk at once stay below 0.6
_STEADY_DB = 6.0  # cross-talk keeps its distance; two who talk at once do not
_MARGIN = 2.0  # a step up to 6 dB above the expected cross-talk still is cross-talk
_SHORTEST_OWN = 0.25  # seconds; shorter bits above the cross-talk are its peaks (0.14 s of it are smoothing)
_SHORTEST_BLEED = 0.3  # seconds; shorter dips inside one's own speech are pauses between words
_EDGE = 0.07  # seconds by which smoothing makes one's own speech seem to begin too early and end too late

Mask = NDArray[np.bool_]
"""For each step of 10 ms, whether something holds."""


def without_bleed(
    levels: Levels, speech: Sequence[tuple[Stretch, ...]]
) -> tuple[tuple[tuple[Stretch, ...], ...], tuple[float, ...]]:
    """Each channel's own stretches, and the seconds of cross-talk that were taken out of each."""
    own = []
    removed = []
    for channel, stretches in enumerate(speech):
        faint = np.zeros(len(levels[channel]), bool)
        for other in range(len(speech)):
            if other != channel:
                explained = _explained(levels[channel], levels[other], speech[channel], speech[other])
                faint[: len(explained)] |= explained
        kept = _cut(stretches, faint) if faint.any() else stretches
        own.append(kept)
        removed.append(round(float(sum(b - a for a, b in stretches) - sum(b - a for a, b in kept)), 3))
    return tuple(own), tuple(removed)


def _explained(own: Samples, other: Samples, stretches: Sequence[Stretch], others: Sequence[Stretch]) -> Mask:
    """Where the channel's level is no more than the other's speech, heard faintly, makes it."""
    steps = min(len(own), len(other))
    if steps < _SMOOTH:
        return np.zeros(steps, bool)
    own, other = _smoothed_level(own[:steps]), _smoothed_level(other[:steps])
    source = _latest(other)
    both = mask(others, steps) & mask(stretches, steps)
    clear = both & (source > _DOMINANT * own)
    if clear.sum() < _FEWEST_STEPS:
        return np.zeros(steps, bool)
    clear &= source > _LOUD * np.percentile(source[clear], 90)
    ratio = own[clear] / source[clear]
    coupling = float(np.median(ratio))
    if _spread_db(ratio) > _STEADY_DB or not _alike(own, other, clear):
        return np.zeros(steps, bool)
    return np.asarray(both & (own < min(1.0, _MARGIN * coupling) * source))


def _spread_db(ratio: Samples) -> float:
    """How much the ratio of two levels moves: the middle half of it, in dB."""
    low, high = np.percentile(ratio, [25, 75])
    return float(20 * np.log10((high + 1e-9) / (low + 1e-9)))


def _smoothed_level(levels: Samples) -> Samples:
    """The level over a fifth of a second, so that the dips inside a word do not count."""
    power = np.convolve(levels.astype(np.float64) ** 2, np.full(_SMOOTH, 1 / _SMOOTH), mode="same")
    return np.asarray(np.sqrt(np.maximum(power, 0.0)), np.float32)


def _latest(levels: Samples) -> Samples:
    """The loudest of the last steps up to the greatest delay."""
    loudest = levels.copy()
    for lag in range(1, _LAG + 1):
        np.maximum(loudest[lag:], levels[:-lag], out=loudest[lag:])
    return loudest


def _alike(own: Samples, other: Samples, where: Mask) -> bool:
    """Whether the channel goes up and down (in dB) with the other one, up to 100 ms late."""
    level = np.log(own + 1e-9)
    if level[where].std() == 0:
        return False
    for lag in range(_LAG + 1):
        shifted = np.log(np.roll(other, lag)[where] + 1e-9)
        if shifted.std() > 0 and np.corrcoef(level[where], shifted)[0, 1] > _LIKENESS:
            return True
    return False


def _cut(stretches: Sequence[Stretch], faint: Mask) -> tuple[Stretch, ...]:
    """The stretches without their faint parts."""
    kept: list[Stretch] = []
    for start, end in stretches:
        first, last = round(start * STEPS_A_SECOND), round(end * STEPS_A_SECOND)
        own = _smoothed(~faint[first:last])
        edges = np.flatnonzero(np.diff(np.concatenate([[False], own, [False]]).astype(np.int8)))
        for begin, stop in zip(edges[::2], edges[1::2], strict=True):
            a = start + begin / STEPS_A_SECOND + _EDGE if begin else start
            b = start + stop / STEPS_A_SECOND - _EDGE if stop < len(own) else end
            kept.append((round(float(a), 3), round(float(b), 3)))
    return tuple(kept)


def _smoothed(own: Mask) -> Mask:
    """Without dips too short to be cross-talk, then without peaks too short to be speech."""
    dips = _without_runs(own, False, round(_SHORTEST_BLEED * STEPS_A_SECOND))
    return _without_runs(dips, True, round(_SHORTEST_OWN * STEPS_A_SECOND))


def _without_runs(values: Mask, of: bool, shorter: int) -> Mask:
    """The values with every inner run of `of` that is shorter turned into the other value."""
    if not len(values):
        return values
    result = values.copy()
    edges = np.concatenate([[0], np.flatnonzero(np.diff(values)) + 1, [len(values)]])
    for begin, end in pairwise(edges):
        is_inner = of or (begin > 0 and end < len(values))
        if values[begin] == of and is_inner and end - begin < shorter:
            result[begin:end] = not of
    return result
