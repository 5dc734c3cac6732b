"""Cross-talk: stretches in which a channel only carries another channel's speech faintly are taken out of its own.

Levels and stretches of every channel in, stretches without cross-talk out. How faintly one channel is heard on another
is measured on the call itself, from the moments in which the other speaks; what is louder than that is one's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.listen.channels import Levels
from pipeline.listen.media import Samples
from pipeline.listen.speech import STEPS_A_SECOND, Stretch, mask, total_seconds

_DOMINANT = 2.5  # where another channel is 8 dB louder, its party is the one that speaks
_LOUD = 0.3  # of that channel's level when it is loud: its fading ends say little about how much is heard elsewhere
_FEWEST_STEPS = STEPS_A_SECOND // 2
_FEWEST_CLEAR = 15  # steps: longer than one's own voice comes late on another channel
_NOISE_PERCENTILE = 20.0  # of the levels where nobody is heard: what a detector of speech misses does not raise it
_SMOOTH = STEPS_A_SECOND // 5  # a fifth of a second
_LAG = 10  # steps of 10 ms: sound through the air or an echo canceller arrives up to 100 ms late
_STEADY_DB = 3.0  # cross-talk keeps its distance to its source
_STEADY_SHARE = 0.72  # of the steps; cross-talk has 0.87 and more, two who talk at once 0.57 at most
_MARGIN = 2.0  # a step up to 6 dB above the expected cross-talk still is cross-talk
_SHORTEST_OWN = 0.25  # seconds; shorter bits above the cross-talk are its peaks (0.14 s of it are smoothing)
_SHORTEST_BLEED = 0.3  # seconds; shorter dips inside one's own speech are pauses between words
_EDGE = 0.07  # seconds by which smoothing makes one's own speech seem to begin too early and end too late

Mask = NDArray[np.bool_]
"""For each step of 10 ms, whether something holds."""


@dataclass(frozen=True, slots=True)
class _Crosstalk:
    """What one channel carries of another: `level` is the loudest that explains it at each step, `clear` the steps in
    which nobody but the other speaks."""

    level: Samples
    clear: Mask


def without_bleed(
    levels: Levels, speech: Sequence[tuple[Stretch, ...]]
) -> tuple[tuple[tuple[Stretch, ...], ...], tuple[float, ...]]:
    """Each channel's own stretches, and the seconds of cross-talk that were taken out of each."""
    own = []
    removed = []
    smoothed = [_smoothed_level(one) for one in levels]
    speaking = [mask(stretches, len(level)) for stretches, level in zip(speech, levels, strict=True)]
    for channel, stretches in enumerate(speech):
        pairs = (_crosstalk(channel, other, smoothed, speaking) for other in range(len(speech)) if other != channel)
        found = [pair for pair in pairs if pair is not None]
        faint = _faint(smoothed[channel], speaking[channel], found) if found else None
        kept = stretches if faint is None else _cut(stretches, faint, _clear(found))
        own.append(kept)
        removed.append(round(total_seconds(stretches) - total_seconds(kept), 3))
    return tuple(own), tuple(removed)


def _crosstalk(channel: int, other: int, levels: Levels, speaking: Sequence[Mask]) -> _Crosstalk | None:
    """What the channel carries of the other, by their smoothed levels; None where it cannot be told that it does."""
    own, level = levels[channel], levels[other]
    source = _latest(level)
    clear = speaking[other] & speaking[channel] & (source > _DOMINANT * own)
    if clear.sum() < _FEWEST_STEPS:
        return None
    loud = clear & (source > _LOUD * np.percentile(source[clear], 90))
    if not _is_steady(own, level, loud):
        return None
    coupling = float(np.median(own[loud] / source[loud]))
    return _Crosstalk(min(_MARGIN * coupling, 1.0) * source, clear & (level > _DOMINANT * own))


def _faint(own: Samples, speaking: Mask, found: Sequence[_Crosstalk]) -> Mask:
    """Where the channel's smoothed level is no more than its noise and what it carries of the others make it."""
    silent = own[~speaking]
    noise = float(np.percentile(silent if len(silent) >= STEPS_A_SECOND else own, _NOISE_PERCENTILE))
    power = sum((one.level.astype(np.float64) ** 2 for one in found), start=np.full(len(own), (_MARGIN * noise) ** 2))
    return np.asarray(own**2 < power)


def _clear(found: Sequence[_Crosstalk]) -> Mask:
    return np.asarray(np.any([one.clear for one in found], axis=0))


def _smoothed_level(levels: Samples) -> Samples:
    """The level over a fifth of a second, so that the dips inside a word do not count."""
    if len(levels) < _SMOOTH:
        return levels
    power = np.convolve(levels.astype(np.float64) ** 2, np.full(_SMOOTH, 1 / _SMOOTH), mode="same")
    return np.asarray(np.sqrt(np.maximum(power, 0.0)), np.float32)


def _latest(levels: Samples) -> Samples:
    """The loudest of the last steps up to the greatest delay."""
    loudest = levels.copy()
    for lag in range(1, _LAG + 1):
        np.maximum(loudest[lag:], levels[:-lag], out=loudest[lag:])
    return loudest


def _is_steady(own: Samples, other: Samples, where: Mask) -> bool:
    """Whether one level follows the other, up to 100 ms late, at a distance that hardly moves."""
    level = 20 * np.log10(own + 1e-9)
    for lag in range(_LAG + 1):
        distance = (level - 20 * np.log10(np.roll(other, lag) + 1e-9))[where]
        if (np.abs(distance - np.median(distance)) < _STEADY_DB).mean() > _STEADY_SHARE:
            return True
    return False


def _cut(stretches: Sequence[Stretch], faint: Mask, clear: Mask) -> tuple[Stretch, ...]:
    """The stretches without their faint parts, as far as another channel clearly speaks in them: others are pauses."""
    kept: list[Stretch] = []
    for start, end in stretches:
        first, last = round(start * STEPS_A_SECOND), round(end * STEPS_A_SECOND)
        own = _with_pauses(_smoothed(~faint[first:last]), clear[first:last])
        edges = np.flatnonzero(np.diff(np.concatenate([[False], own, [False]]).astype(np.int8)))
        for begin, stop in zip(edges[::2], edges[1::2], strict=True):
            a = start + begin / STEPS_A_SECOND + _EDGE if begin else start
            b = start + stop / STEPS_A_SECOND - _EDGE if stop < len(own) else end
            kept.append((round(float(a), 3), round(float(b), 3)))
    return tuple(kept)


def _with_pauses(own: Mask, clear: Mask) -> Mask:
    """One's own speech with the gaps in it in which no other channel clearly speaks."""
    result = own.copy()
    edges = np.concatenate([[0], np.flatnonzero(np.diff(own)) + 1, [len(own)]])
    for begin, end in pairwise(edges):
        if begin < end and not own[begin] and clear[begin:end].sum() < _FEWEST_CLEAR:
            result[begin:end] = True
    return result


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
