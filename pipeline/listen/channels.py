"""Which channels carry a party of their own: equal channels and ones that carry everybody are found here.

Levels and stretches of speech of every channel in, groups of channels out: each group is listened to as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.listen.media import Audio, Samples
from pipeline.listen.speech import STEP, STEPS_A_SECOND, Stretch, mask

_EQUAL = 0.98  # correlation of the sound; a copy at another gain has 1.0, two microphones in one room stay well below
_TOGETHER = 0.7  # share of the shorter channel's speech that lies in the other's; two parties stay under a third
_LIKENESS = 0.8  # correlation of the levels where both have speech; two people talking at once stay below 0.5
_LAG = 5  # steps of 10 ms by which one channel may come later than the other
_SAME_GAIN_DB = 3.0  # how much the level difference of copies moves
_SAME_SHARE = 0.9  # of the steps with speech
_CLOSE_DB = 9.0  # a party's own channel is louder than the others by more than this
_CLOSE_SHARE = 0.7
_LOUDER = 2.5  # 8 dB: of two microphones in one room that is the difference at most

Levels = Sequence[Samples]
"""The channels' levels as `envelope` gives them."""


@dataclass(frozen=True, slots=True)
class Groups:
    """`groups` are the channels that belong together, each group by its first channel; a group of one is a channel of
    its own. `copies` are (copy, original) of equal channels, `mixed` the groups in which everybody is on every one."""

    groups: tuple[tuple[int, ...], ...]
    copies: tuple[tuple[int, int], ...]
    mixed: tuple[tuple[int, ...], ...]


def envelope(samples: Samples) -> Samples:
    """The level of one channel: its root mean square in steps of 10 ms."""
    steps = samples[: len(samples) // STEP * STEP].reshape(-1, STEP)
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", steps, steps) / STEP), np.float32)


def find_groups(audio: Audio, levels: Levels, speech: Sequence[Sequence[Stretch]]) -> Groups:
    """Which channels carry one party and which carry the same sound or the same people."""
    likeness = _likeness(audio)
    copies: list[tuple[int, int]] = []
    mixed: dict[int, list[int]] = {}
    kept: list[int] = []
    for channel in range(audio.channels):
        for other in kept:
            is_equal = likeness[channel, other] > _EQUAL
            difference = None if is_equal else _difference(channel, other, levels, speech)
            if is_equal or _is_copy(difference):
                copies.append((channel, other))
                break
            if _is_mixed(difference):
                mixed.setdefault(other, [other]).append(channel)
                break
        else:
            kept.append(channel)
    groups = tuple(tuple(mixed.get(channel, [channel])) for channel in kept)
    return Groups(groups, tuple(copies), tuple(group for group in groups if len(group) > 1))


def _likeness(audio: Audio) -> np.ndarray:
    """(channels, channels): the correlation of the channels' sound, whatever the polarity."""
    products = np.zeros((audio.channels, audio.channels))
    if audio.channels > 1:
        for _, block in audio.blocks():
            wide = block.astype(np.float64)
            products += wide @ wide.T
    power = np.sqrt(np.diag(products))
    scale = np.outer(power, power)
    return np.asarray(np.abs(np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)))


def _is_copy(difference: np.ndarray | None) -> bool:
    """Whether two channels are the same sound, though a codec or a delay keeps their samples from being equal."""
    if difference is None:
        return False
    same = np.abs(difference - np.median(difference)) < _SAME_GAIN_DB
    return bool(same.mean() > _SAME_SHARE)


def _is_mixed(difference: np.ndarray | None) -> bool:
    """Whether everybody is heard on both channels about as loud, as with two microphones in one room."""
    return difference is not None and bool((np.abs(difference) < _CLOSE_DB).mean() > _CLOSE_SHARE)


def _difference(one: int, other: int, levels: Levels, speech: Sequence[Sequence[Stretch]]) -> np.ndarray | None:
    """By how many dB the first channel is louder, in steps in which both have speech; None where they differ in when
    they have speech, or in its ups and downs. Where a third channel is louder than both, both only carry its speech,
    which says nothing of them."""
    steps = min(len(levels[one]), len(levels[other]))
    theirs = _speech_of_others(one, other, levels)[:steps]
    first, second = mask(speech[one], steps) & ~theirs, mask(speech[other], steps) & ~theirs
    both = first & second
    if both.sum() < STEPS_A_SECOND or both.sum() < _TOGETHER * min(first.sum(), second.sum()):
        return None
    loud = np.log10(levels[one][:steps] + 1e-6)
    likeness, lag = max(
        (_correlation(loud[both], np.log10(np.roll(levels[other][:steps], lag)[both] + 1e-6)), -abs(lag), lag)
        for lag in range(-_LAG, _LAG + 1)
    )[::2]
    if likeness < _LIKENESS:
        return None
    return np.asarray(20 * (loud[both] - np.log10(np.roll(levels[other][:steps], int(lag))[both] + 1e-6)))


def _speech_of_others(one: int, other: int, levels: Levels) -> np.ndarray:
    """Whether a third channel is clearly louder than both at each step."""
    both = np.maximum(levels[one], levels[other])
    thirds = [level for index, level in enumerate(levels) if index not in (one, other)]
    loudest = np.max(thirds, axis=0) if thirds else np.zeros_like(both)
    return np.asarray(loudest > _LOUDER * both)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
