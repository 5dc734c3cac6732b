"""Samples in, what a voice sounds like in steps of 10 ms out: cepstra, level and pitch, where there is speech.

Worked out block by block, so a long call takes the memory of its features (about 1 MB a minute), not of its spectra.
Cepstra as in Davis and Mermelstein (1980), pitch by autocorrelation with the window's own taken out (Boersma, 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.listen.media import RATE, Samples
from pipeline.listen.speech import STEP, Stretch, mask

Floats = NDArray[np.float64]

_FRAME = RATE // 40  # 25 ms of sound for the cepstra of a step
_SPECTRUM = 512
_BANDS = 26
_LOWEST = 100.0  # Hz; below it is hum, and telephones carry nothing
_PITCH_FRAME = RATE // 20  # 50 ms: three periods of the lowest voice
_PITCH_SPECTRUM = 2048
_PITCH_RANGE = (RATE // 400, RATE // 65)  # periods in samples, for 400 to 65 Hz
_PITCH_CEILING = 1000.0  # Hz; periodicity above it is of formants more than of the voice
_SHORT_PERIODS = 0.0005  # taken off per sample of period, so that twice the period does not win by a hair
_VOICED = 0.45  # autocorrelation from which a step is voiced (Boersma, 1993)
_QUIETEST = 0.15  # share of the steps with speech that are too quiet to tell a voice by: pauses, closures
_BLOCK = 1000  # steps worked out in one go
_SILENCE = 1e-10


@dataclass(frozen=True, slots=True)
class Sound:
    """Features in steps of 10 ms; the steps without speech hold zeros.

    `cepstra` is (steps, coefficients), each coefficient with mean 0 and deviation 1 over the telling steps; `level` is
    in dB; `pitch` is the logarithm of the pitch in Hz, 0 where unvoiced. `speech` says where there is speech,
    `telling` where it is loud enough to tell a voice by, `voiced` which of these have a pitch.
    """

    cepstra: NDArray[np.float32]
    level: NDArray[np.float32]
    pitch: NDArray[np.float32]
    speech: NDArray[np.bool_]
    telling: NDArray[np.bool_]
    voiced: NDArray[np.bool_]


def sounds_of(
    samples: Samples, stretches: Sequence[Stretch], *, cepstra: int, bands: Sequence[float]
) -> tuple[Sound, ...]:
    """The features of mono 16 kHz samples, one `Sound` for each top of the band in `bands` (Hz).

    `cepstra` is the number of coefficients; level, pitch and speech are the same for every band.
    """
    steps = len(samples) // STEP
    speech = mask(stretches, steps)
    found = [np.zeros((steps, cepstra), np.float32) for _ in bands]
    level, pitch, voicing = (np.zeros(steps, np.float32) for _ in range(3))
    filters, cosines = [_mel_bands(top) for top in bands], _cosines(cepstra)
    for first in range(0, steps, _BLOCK):
        last = min(steps, first + _BLOCK)
        if speech[first:last].any():
            spectra = _spectra(samples, first, last)  # (steps, bins)
            for one, weights in zip(found, filters, strict=True):
                one[first:last] = np.log(spectra @ weights + _SILENCE) @ cosines
            level[first:last] = 10 * np.log10(spectra[:, 3:].sum(1) + _SILENCE)
            pitch[first:last], voicing[first:last] = _pitches(samples, first, last)
    telling = speech & (level >= np.quantile(level[speech], _QUIETEST)) if speech.any() else speech
    voiced = telling & (voicing > _VOICED)
    pitch[~voiced] = 0
    return tuple(Sound(_standard(one, telling), level, pitch, speech, telling, voiced) for one in found)


def _standard(cepstra: NDArray[np.float32], telling: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The cepstra with mean 0 and deviation 1 over the telling steps, 0 elsewhere; worked out in place."""
    cepstra[~telling] = 0
    count = max(1, int(telling.sum()))
    cepstra -= (cepstra.sum(0, dtype=float) / count).astype(np.float32)
    cepstra[~telling] = 0
    deviation = np.sqrt(np.einsum("ij,ij->j", cepstra, cepstra, dtype=float) / count)
    cepstra /= np.maximum(deviation, _SILENCE).astype(np.float32)
    return cepstra


def _frames(samples: Samples, first: int, last: int, size: int) -> Floats:
    """The `size` samples around the middle of every step from `first` to before `last`: (steps, size)."""
    start = first * STEP + (STEP - size) // 2
    end = (last - 1) * STEP + (STEP - size) // 2 + size
    piece = np.zeros(end - start)
    inside = samples[max(0, start) : max(0, end)]
    piece[max(0, -start) : max(0, -start) + len(inside)] = inside
    return np.lib.stride_tricks.sliding_window_view(piece, size)[::STEP]


def _spectra(samples: Samples, first: int, last: int) -> Floats:
    """Power spectra of every step: (steps, bins)."""
    frames = _frames(samples, first, last, _FRAME + 1)
    sharper = frames[:, 1:] - 0.97 * frames[:, :-1]  # the usual pre-emphasis: voices fall off towards high frequencies
    return np.asarray(np.abs(np.fft.rfft(sharper * np.hamming(_FRAME), _SPECTRUM)) ** 2)


def _mel_bands(highest: float) -> Floats:
    """Triangles of equal width in mel from the lowest to the highest frequency: (bins, bands)."""
    edges = np.linspace(2595 * np.log10(1 + _LOWEST / 700), 2595 * np.log10(1 + highest / 700), _BANDS + 2)
    edges = 700 * (10 ** (edges / 2595) - 1)
    bins = np.arange(_SPECTRUM // 2 + 1)[:, None] * RATE / _SPECTRUM
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    return np.asarray(np.clip(np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)), 0, None))


def _cosines(cepstra: int) -> Floats:
    """The orthonormal cosine transform without its first row, which is loudness: (bands, coefficients)."""
    bands, orders = np.arange(_BANDS)[:, None], np.arange(1, cepstra + 1)
    return np.asarray(np.sqrt(2 / _BANDS) * np.cos(np.pi * orders * (2 * bands + 1) / (2 * _BANDS)))


def _pitches(samples: Samples, first: int, last: int) -> tuple[Floats, Floats]:
    """The logarithm of the pitch in Hz, and how periodic the sound is (about 0 to 1), for every step."""
    shortest, longest = _PITCH_RANGE
    window = np.hanning(_PITCH_FRAME)
    frames = _frames(samples, first, last, _PITCH_FRAME)
    frames = (frames - frames.mean(1, keepdims=True)) * window
    power = np.abs(np.fft.rfft(frames, _PITCH_SPECTRUM)) ** 2
    power[:, int(_PITCH_CEILING / RATE * _PITCH_SPECTRUM) :] = 0
    own = np.fft.irfft(np.abs(np.fft.rfft(window, _PITCH_SPECTRUM)) ** 2)[shortest : longest + 1]
    likeness = np.fft.irfft(power)
    likeness = likeness[:, shortest : longest + 1] / (likeness[:, :1] + _SILENCE) / (own / np.sum(window**2))
    likeness -= _SHORT_PERIODS * np.arange(shortest, longest + 1)
    best = likeness.argmax(1)
    return np.log(RATE / (best + shortest)), likeness[np.arange(len(best)), best]
