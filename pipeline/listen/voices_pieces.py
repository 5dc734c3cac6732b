"""Features of one channel in, short pieces of its speech out, each with what its voice sounds like.

What differs between pieces of speech that follow one another without a pause is mostly what is said; what differs
beyond that is who says it. So the spread of neighbours' differences measures what to disregard: the channel's own
speech teaches it, and no trained model is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.listen.speech import STEPS_A_SECOND
from pipeline.listen.voices_sound import Floats, Sound

_PITCH_UNIT = 0.15  # of the logarithm: a voice's pitch moves by about as much
_PITCH_PRIOR = 5  # voiced steps that a piece's pitch is held to the channel's with
_FIT_STEPS = 30_000  # steps that the kinds of sound are learnt from at most
_TOGETHER = 1000  # pieces worked out in one go
_FEWEST = 6  # neighbours to learn a spread from
_SHORTEST = 3.0  # seconds of speech


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """One way of listening. Every top of the band in `highest` (Hz) with every number of kinds of sound in `sounds` is
    a view of the call; all views decide together. `cepstra` is the number of coefficients, `piece` the length of a
    piece in seconds. `shrinkage` (0-1) holds the spread to its diagonal, `weight` is how far one piece counts (pieces
    are not independent), `turn` the seconds after which the other voice is expected, `seed` starts the kinds of sound.

    The bands end about where a telephone's does: above it many calls carry noise, and voices are told apart as well.
    """

    highest: tuple[float, ...] = (3400.0, 4000.0, 5500.0)
    sounds: tuple[int, ...] = (2, 3, 4, 6)
    cepstra: int = 19
    piece: float = 0.4
    shrinkage: float = 0.4
    weight: float = 0.5
    turn: float = 4.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """`means` are the pieces' (pieces, features) around 0, `spread` the (features, features) covariance of what is
    said."""

    means: Floats
    spread: Floats


@dataclass(frozen=True, slots=True)
class Pieces:
    """`edges` are (first, last) steps, `follows` whether the next piece follows without a pause, `weights` their
    telling steps over the mean number."""

    edges: tuple[tuple[int, int], ...]
    follows: NDArray[np.bool_]
    weights: Floats


def pieces_of(sound: Sound, length: float) -> Pieces | None:
    """The pieces of about `length` seconds; None where there are too few to learn a spread from."""
    edges = tuple(_edges(sound, length))
    follows = np.array([one[1] == other[0] for one, other in pairwise(edges)], bool)
    if follows.sum() < _FEWEST or sound.telling.sum() < _SHORTEST * STEPS_A_SECOND:
        return None
    counts = np.array([sound.telling[first:last].sum() for first, last in edges], float)
    return Pieces(edges, follows, counts / counts.mean())


def view_of(sound: Sound, pieces: Pieces, kinds: int, settings: VoiceSettings) -> View:
    """The pieces' features with their spread: half the mean square of neighbours' differences."""
    means = _features(sound, pieces.edges, _kinds_of_sound(sound, kinds, settings))
    means -= pieces.weights @ means / pieces.weights.sum()
    changes = np.diff(means, axis=0)[pieces.follows]
    changes *= np.sqrt(np.minimum(pieces.weights[:-1], pieces.weights[1:]))[pieces.follows][:, None]
    spread = changes.T @ changes / len(changes) / 2  # (features, features)
    spread = (1 - settings.shrinkage) * spread + settings.shrinkage * np.diag(np.diag(spread))
    return View(means, spread + 1e-6 * np.eye(len(spread)))


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


def _kinds_of_sound(sound: Sound, kinds: int, settings: VoiceSettings) -> Any:
    """A mixture of Gaussians over the telling steps' cepstra, fitted to some of them on a long call."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    telling = np.flatnonzero(sound.telling)
    some = sound.cepstra[telling[:: len(telling) // _FIT_STEPS + 1], : settings.cepstra].astype(float)
    mixture = GaussianMixture(kinds, covariance_type="diag", random_state=settings.seed, max_iter=30, reg_covar=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # thirty rounds are enough for kinds of sound
        return mixture.fit(some)


def _features(sound: Sound, edges: tuple[tuple[int, int], ...], mixture: Any) -> Floats:
    """Every piece's mean cepstra, less those of the kinds of sound in it, and pitch: (pieces, features).

    Worked out for some pieces at a time, so that a long call takes little memory.
    """
    usual = float(np.median(sound.pitch[sound.voiced])) if sound.voiced.any() else 0.0
    coefficients = mixture.means_.shape[1]
    means = np.zeros((len(edges), coefficients + 1))
    for begin in range(0, len(edges), _TOGETHER):
        starts, ends = np.array(edges[begin : begin + _TOGETHER]).T
        block = slice(int(starts[0]), int(ends[-1]))
        telling, voiced = sound.telling[block], sound.voiced[block]
        cepstra = _without_kinds(sound.cepstra[block][telling, :coefficients].astype(float), mixture)
        pitch = np.clip((sound.pitch[block][voiced].astype(float) - usual) / _PITCH_UNIT, -5, 5)
        starts, ends = starts - block.start, ends - block.start
        sums, counts = _sums(cepstra, telling, starts, ends)
        pitches, pitched = _sums(pitch[:, None], voiced, starts, ends)
        found = [sums / np.maximum(counts, 1)[:, None], pitches / (pitched + _PITCH_PRIOR)[:, None]]
        means[begin : begin + _TOGETHER] = np.concatenate(found, axis=1)
    return means


def _without_kinds(cepstra: Floats, mixture: Any) -> Floats:
    """Cepstra, (steps, coefficients), less the mean of the kind of sound that they are of, in its deviations."""
    if not len(cepstra):
        return cepstra
    shares = mixture.predict_proba(cepstra)  # (steps, kinds)
    deviations = np.sqrt(mixture.covariances_)
    return np.asarray(cepstra * (shares @ (1 / deviations)) - shares @ (mixture.means_ / deviations))


def _sums(
    values: Floats, where: NDArray[np.bool_], starts: NDArray[np.int_], ends: NDArray[np.int_]
) -> tuple[Floats, Floats]:
    """Sums of the values, which stand at the steps `where`, from each start to its end; and how many there are."""
    at = np.concatenate([[0], np.cumsum(where)])
    running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=float)])
    return running[at[ends]] - running[at[starts]], (at[ends] - at[starts]).astype(float)
