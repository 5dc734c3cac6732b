"""Which channels carry a party of their own: equal channels, dead channels and cross-talk are found here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.listen.media import RATE, Samples
from pipeline.listen.speech import Stretch

_BLOCK = RATE * 60
_EQUAL = 0.98  # correlation; a copy at another gain has 1.0, two microphones in one room stay well below
_STEP = RATE // 100  # samples in an envelope step of 10 ms
_BLEED_LEVEL = 0.25  # a copy 12 dB or more below the other channel is cross-talk
_BLEED_LIKENESS = 0.7  # correlation of the envelopes; two people talking at once stay below 0.5
_BLEED_LAG = 3  # envelope steps: sound through the air or an echo canceller arrives up to 30 ms late


@dataclass(frozen=True, slots=True)
class Parties:
    """`kept` are the channels to listen to, `copies` those equal to an earlier one as (copy, original)."""

    kept: tuple[int, ...]
    copies: tuple[tuple[int, int], ...]


def find_copies(samples: Samples) -> Parties:
    """The channels of (channels, samples) that are not the same sound as an earlier one, at any gain or polarity."""
    products = np.zeros((len(samples), len(samples)))
    for start in range(0, samples.shape[1], _BLOCK):
        block = np.asarray(samples[:, start : start + _BLOCK], np.float64)
        products += block @ block.T
    power = np.sqrt(np.diag(products))
    kept: list[int] = []
    copies: list[tuple[int, int]] = []
    for channel in range(len(samples)):
        for original in kept:
            scale = power[channel] * power[original]
            if scale > 0 and abs(products[channel, original]) > _EQUAL * scale:
                copies.append((channel, original))
                break
        else:
            kept.append(channel)
    return Parties(tuple(kept), tuple(copies))


def without_bleed(
    envelopes: Sequence[Samples], speech: Sequence[tuple[Stretch, ...]]
) -> tuple[tuple[tuple[Stretch, ...], ...], int]:
    """Each channel's stretches without those that only carry another channel's speech, and how many were dropped.

    `envelopes` are the channels' as `envelope` gives them. Dropped is a stretch with the ups and downs of another
    channel at the same time, at a quarter of its level or less.
    """
    kept = tuple(
        tuple(stretch for stretch in own if not _is_bleed(index, stretch, envelopes))
        for index, own in enumerate(speech)
    )
    return kept, sum(map(len, speech)) - sum(map(len, kept))


def envelope(samples: Samples) -> Samples:
    """The level of one channel: its root mean square in steps of 10 ms."""
    steps = samples[: len(samples) // _STEP * _STEP].reshape(-1, _STEP)
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", steps, steps) / _STEP), np.float32)


def _is_bleed(index: int, stretch: Stretch, envelopes: Sequence[Samples]) -> bool:
    begin, end = round(stretch[0] * RATE / _STEP), round(stretch[1] * RATE / _STEP)
    own = envelopes[index][begin:end]
    if len(own) < 2 * _BLEED_LAG + 2 or own.std() == 0:
        return False
    return any(
        _is_quiet_copy(own, level[max(0, begin - _BLEED_LAG) : begin], level[begin:end])
        for other, level in enumerate(envelopes)
        if other != index
    )


def _is_quiet_copy(own: Samples, before: Samples, loud: Samples) -> bool:
    """Whether `own` follows `loud` (with `before` just before it), up to 30 ms late and much more quietly."""
    if float(own.mean()) > _BLEED_LEVEL * float(loud.mean()) or loud.std() == 0:
        return False
    source = np.concatenate([before, loud])
    likeness = 0.0
    for lag in range(len(before) + 1):
        shifted = source[len(before) - lag : len(source) - lag]
        if shifted.std() > 0:
            likeness = max(likeness, float(np.corrcoef(own, shifted)[0, 1]))
    return likeness > _BLEED_LIKENESS
