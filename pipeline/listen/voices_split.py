"""Features of one channel in, two voices out: which of two each short piece of speech is more like.

What differs between pieces of speech that follow one another without a pause is mostly what is said; what differs
beyond that is who says it. So the spread of neighbours' differences measures what to disregard, the channel's own
speech teaches it, and no trained model is needed. Two means over pieces, with that spread, and a chain that seldom
changes over are fitted from many first guesses; the one that explains the call best is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.listen.speech import STEPS_A_SECOND
from pipeline.listen.voices_sound import Floats, Sound

_PITCH_UNIT = 0.15  # of the logarithm: a voice's pitch moves by about as much
_PITCH_PRIOR = 5  # voiced steps that a piece's pitch is held to the channel's with
_SURE = 4.0  # log odds at which a piece counts as certain, so that no single way of listening outvotes the others
_FIT_STEPS = 30_000  # steps that the sounds are learnt from at most
_ROUNDS = 30
_DIRECTIONS = 3
_FEWEST = 6  # neighbours to learn a spread from
_SHORTEST = 3.0  # seconds of speech


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """One way of listening. Every top of the band in `highest` (Hz) with every number of kinds of sound in `sounds` is
    a view of the call; all views decide together. `cepstra` is the number of coefficients, `piece` the length of a
    piece in seconds. `shrinkage` (0-1) holds the spread to its diagonal, `weight` is how far one piece counts (pieces
    are not independent), `turn` the seconds after which the other voice is expected, `seed` starts the kinds of sound.
    """

    highest: tuple[float, ...] = (4000.0, 7600.0)
    sounds: tuple[int, ...] = (2, 3, 4, 6)
    cepstra: int = 19
    piece: float = 0.4
    shrinkage: float = 0.4
    weight: float = 0.5
    turn: float = 4.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """`odds` are the log odds of the first voice, 0 without speech, one per step of 10 ms. `gain` is by how much two
    voices explain a piece better than one (mean over pieces, in nats); `apart` the distance of the two, in spreads."""

    odds: Floats
    gain: float
    apart: float


@dataclass(frozen=True, slots=True)
class _View:
    """`means` are the pieces' (pieces, features) around 0, `spread` the (features, features) covariance of what is
    said."""

    means: Floats
    spread: Floats


@dataclass(frozen=True, slots=True)
class _Pieces:
    """`edges` are (first, last) steps, `follows` whether the next piece follows without a pause, `weights` their
    telling steps over the mean number."""

    edges: tuple[tuple[int, int], ...]
    follows: NDArray[np.bool_]
    weights: Floats


def split(sounds: Sequence[Sound], settings: VoiceSettings) -> Split | None:
    """The channel in two voices; None where there is too little speech. `sounds` has one for each band."""
    pieces = _pieces(sounds[0], settings.piece)
    if pieces is None:
        return None
    views = [_view(sound, pieces, kinds, settings) for sound in sounds for kinds in settings.sounds]
    guesses = np.concatenate([_guesses(view, pieces.weights) for view in views])
    shares, gains = _fit(views, pieces.weights, guesses, settings)
    best = int(np.argmax(np.round(gains, 6)))
    share = np.clip(shares[best], 1e-4, 1 - 1e-4)
    odds = np.zeros(len(sounds[0].speech))
    for (first, last), value in zip(pieces.edges, np.log(share / (1 - share)), strict=True):
        odds[first:last] = np.clip(value, -_SURE, _SURE)
    apart = float(np.mean([_distance(view, share, pieces.weights) for view in views]))
    return Split(odds, float(gains[best]) / len(share), apart)


def _distance(view: _View, share: Floats, weights: Floats) -> float:
    """How far the two voices' means lie apart, in spreads (Mahalanobis)."""
    first, second = ((one * weights) @ view.means / ((one * weights).sum() + 1) for one in (share, 1 - share))
    return float(np.sqrt((first - second) @ np.linalg.solve(view.spread, first - second)))


# --- pieces ---------------------------------------------------------------------------------------------------------


def _pieces(sound: Sound, length: float) -> _Pieces | None:
    """The pieces of about `length` seconds; None where there are too few to learn a spread from."""
    edges = tuple(_edges(sound, length))
    follows = np.array([one[1] == other[0] for one, other in pairwise(edges)], bool)
    if follows.sum() < _FEWEST or sound.telling.sum() < _SHORTEST * STEPS_A_SECOND:
        return None
    counts = np.array([sound.telling[first:last].sum() for first, last in edges], float)
    return _Pieces(edges, follows, counts / counts.mean())


def _view(sound: Sound, pieces: _Pieces, kinds: int, settings: VoiceSettings) -> _View:
    """The pieces' features with their spread: half the mean square of neighbours' differences."""
    means = _features(sound, _without_sounds(sound, kinds, settings), pieces.edges)
    means -= pieces.weights @ means / pieces.weights.sum()
    changes = np.diff(means, axis=0)[pieces.follows]
    changes *= np.sqrt(np.minimum(pieces.weights[:-1], pieces.weights[1:]))[pieces.follows][:, None]
    spread = changes.T @ changes / len(changes) / 2  # (features, features)
    spread = (1 - settings.shrinkage) * spread + settings.shrinkage * np.diag(np.diag(spread))
    return _View(means, spread + 1e-6 * np.eye(len(spread)))


def _edges(sound: Sound, length: float) -> list[tuple[int, int]]:
    """Pieces of about `length` seconds of every stretch, cut where it is quietest: there voices change."""
    window = np.hanning(9) / np.hanning(9).sum()
    smooth = np.convolve(sound.level, window, "same")
    changes = np.flatnonzero(np.diff(np.concatenate([[False], sound.speech, [False]]).astype(np.int8)))
    steps = round(length * STEPS_A_SECOND)
    found = []
    for start, end in zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True):
        while end - start > 1.5 * steps:
            low, high = start + steps // 2, min(start + round(1.5 * steps), end - steps // 2)
            cut = low + int(np.argmin(smooth[low:high]))
            found.append((start, cut))
            start = cut
        found.append((start, end))
    return found


def _without_sounds(sound: Sound, kinds: int, settings: VoiceSettings) -> Floats:
    """The telling steps' cepstra less the mean of the kind of sound that they are of: (telling steps, coefficients)."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    telling = sound.cepstra[sound.telling, : settings.cepstra].astype(float)
    every = len(telling) // _FIT_STEPS + 1
    mixture = GaussianMixture(kinds, covariance_type="diag", random_state=settings.seed, max_iter=30, reg_covar=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # thirty rounds are enough for kinds of sound
        mixture.fit(telling[::every])
    shares = mixture.predict_proba(telling)  # (steps, sounds)
    deviations = np.sqrt(mixture.covariances_)
    return np.asarray(telling * (shares @ (1 / deviations)) - shares @ (mixture.means_ / deviations))


def _features(sound: Sound, telling: Floats, edges: tuple[tuple[int, int], ...]) -> Floats:
    """Every piece's mean cepstra and pitch: (pieces, features)."""
    usual = float(np.median(sound.pitch[sound.voiced])) if sound.voiced.any() else 0.0
    pitch = np.clip((sound.pitch[sound.voiced] - usual) / _PITCH_UNIT, -5, 5)
    starts, ends = np.array(edges).T
    sums, counts = _sums(telling, sound.telling, starts, ends)
    pitches, voiced = _sums(pitch[:, None], sound.voiced, starts, ends)
    means = sums / np.maximum(counts, 1)[:, None]
    return np.concatenate([means, pitches / (voiced + _PITCH_PRIOR)[:, None]], axis=1)


def _sums(
    values: Floats, where: NDArray[np.bool_], starts: NDArray[np.int_], ends: NDArray[np.int_]
) -> tuple[Floats, Floats]:
    """Sums of the values, which stand at the steps `where`, from each start to its end; and how many there are."""
    at = np.concatenate([[0], np.cumsum(where)])
    running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=float)])
    return running[at[ends]] - running[at[starts]], (at[ends] - at[starts]).astype(float)


# --- two voices -----------------------------------------------------------------------------------------------------


def _guesses(view: _View, weights: Floats) -> Floats:
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


def _fit(views: Sequence[_View], weights: Floats, shares: Floats, settings: VoiceSettings) -> tuple[Floats, Floats]:
    """Every guess's share of the first voice in each piece, (guesses, pieces), and its gain over one voice, when the
    means have settled."""
    pulls = [(view.means, np.linalg.inv(view.spread)) for view in views]
    stay = float(np.exp(-settings.piece / settings.turn))
    scale = settings.weight * weights / len(views)
    for _ in range(_ROUNDS):
        first, second = (
            scale * sum(_likelihood(means, precision, share * weights) for means, precision in pulls)
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
