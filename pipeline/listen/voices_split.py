"""Features of one channel in, two voices out: which of two each short piece of speech is more like.

Two means over pieces, with the spread of what is said, and a chain that seldom changes over are fitted from many first
guesses, for all views of the call together; the one that explains the call best is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.listen.voices_pieces import View, VoiceSettings, pieces_of, view_of
from pipeline.listen.voices_sound import Floats, Sound

_SURE = 4.0  # log odds at which a piece counts as certain, so that no single way of listening outvotes the others
_ROUNDS = 30
_DIRECTIONS = 3


@dataclass(frozen=True, slots=True)
class Split:
    """`odds` are the log odds of the first voice, 0 without speech, one per step of 10 ms. `gain` is by how much two
    voices explain a piece better than one (mean over pieces, in nats); `apart` the distance of the two, in spreads."""

    odds: Floats
    gain: float
    apart: float


def split(sounds: Sequence[Sound], settings: VoiceSettings) -> Split | None:
    """The channel in two voices; None where there is too little speech. `sounds` has one for each band."""
    pieces = pieces_of(sounds[0], settings.piece)
    if pieces is None:
        return None
    views = [view_of(sound, pieces, kinds, settings) for sound in sounds for kinds in settings.sounds]
    guesses = np.concatenate([_guesses(view, pieces.weights) for view in views])
    shares, gains = _fit(views, pieces.weights, guesses, settings)
    best = int(np.argmax(np.round(gains, 6)))
    share = np.clip(shares[best], 1e-4, 1 - 1e-4)
    odds = np.zeros(len(sounds[0].speech))
    for (first, last), value in zip(pieces.edges, np.log(share / (1 - share)), strict=True):
        odds[first:last] = np.clip(value, -_SURE, _SURE)
    apart = float(np.mean([_distance(view, share, pieces.weights) for view in views]))
    return Split(odds, float(gains[best]) / len(share), apart)


def _distance(view: View, share: Floats, weights: Floats) -> float:
    """How far the two voices' means lie apart, in spreads (Mahalanobis)."""
    first, second = ((one * weights) @ view.means / ((one * weights).sum() + 1) for one in (share, 1 - share))
    return float(np.sqrt((first - second) @ np.linalg.solve(view.spread, first - second)))


def _guesses(view: View, weights: Floats) -> Floats:
    """First guesses, (guesses, pieces): halves along the directions in which pieces differ more than neighbours do."""
    from scipy.linalg import eigh

    total = (view.means * weights[:, None]).T @ view.means / weights.sum()
    _, directions = eigh(total, view.spread)
    found = []
    for direction in directions.T[::-1][:_DIRECTIONS]:
        place = view.means @ direction
        for one in (place, np.convolve(place * weights, np.ones(3), "same")):
            found.append(np.where(one > np.median(one), 0.9, 0.1))
    return np.array(found)


def _fit(views: Sequence[View], weights: Floats, shares: Floats, settings: VoiceSettings) -> tuple[Floats, Floats]:
    """Every guess's share of the first voice in each piece, (guesses, pieces), and its gain over one voice, when the
    means have settled."""
    pulls = [(view.means, np.asarray(np.linalg.inv(view.spread), np.float64)) for view in views]
    stay = float(np.exp(-settings.piece / settings.turn))
    scale = settings.weight * weights / len(views)
    for _ in range(_ROUNDS):
        first, second = (
            scale * np.sum([_likelihood(means, precision, share * weights) for means, precision in pulls], axis=0)
            for share in (shares, 1 - shares)
        )
        settled, gains = _chain(first, second, stay)
        change = np.abs(settled - shares).max()
        shares = settled
        if change < 1e-4:
            break
    return shares, gains


def _likelihood(means: Floats, precision: Floats, share: Floats) -> Floats:
    """The pieces' log likelihoods under a voice's own mean over those under the channel's, (guesses, pieces)."""
    centre = share @ means / (share.sum(1) + 1)[:, None]  # (guesses, features); held to 0 by one piece
    pull = centre @ precision
    return np.asarray(pull @ means.T - 0.5 * np.sum(pull * centre, axis=1)[:, None])


def _chain(first: Floats, second: Floats, stay: float) -> tuple[Floats, Floats]:
    """Forward and backward over pieces: the share of the first voice and the log likelihood, for every guess.

    `first` and `second` are each voice's log likelihoods over one voice's, (guesses, pieces)."""
    top = np.maximum(first, second)
    likely = np.exp(np.stack([first - top, second - top]))  # (2, guesses, pieces)
    likely = np.ascontiguousarray(np.maximum(likely, 1e-30).transpose(2, 0, 1))  # (pieces, 2, guesses)
    leave = 1 - stay
    forward = np.empty_like(likely)
    scale = np.empty((len(likely), likely.shape[2]))
    state = np.full(likely.shape[1:], 0.5)
    for index, one in enumerate(likely):
        if index:
            state = stay * state + leave * state[::-1]
        state = state * one
        scale[index] = state.sum(0)
        state = state / scale[index]
        forward[index] = state
    back = np.ones_like(state)
    share = np.empty(scale.shape)
    share[-1] = forward[-1, 0]
    for index in range(len(likely) - 2, -1, -1):
        ahead = back * likely[index + 1]
        back = (stay * ahead + leave * ahead[::-1]) / scale[index + 1]
        both = forward[index] * back
        share[index] = both[0] / both.sum(0)
    return share.T, np.log(scale).sum(0) + top.sum(1)
