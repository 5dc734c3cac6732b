"""Samples in, the stretches in which somebody speaks out, by Silero's detector (it travels with faster-whisper)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.listen.media import RATE, Samples


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


def widened(stretches: Sequence[Stretch], padding: float, duration: float) -> tuple[Stretch, ...]:
    """The stretches with `padding` seconds more at each end, within the recording and never into a neighbour."""
    wide = []
    for index, (start, end) in enumerate(stretches):
        before = (stretches[index - 1][1] + start) / 2 if index else 0.0
        after = (end + stretches[index + 1][0]) / 2 if index + 1 < len(stretches) else duration
        wide.append((max(start - padding, before, 0.0), min(end + padding, after, duration)))
    return tuple(wide)
