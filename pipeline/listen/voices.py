"""Two people on one channel told apart without a trained model, for want of weights: a fallback of low trust.

Samples in, who speaks when out. Three ways of listening, which differ in what they look at, vote on every step; how far
they agree is measured on the call itself, and a call on which they do not agree is refused rather than guessed.
`benchmarks/voices.py` shows how often the result is right, and how much it moves with the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np

from pipeline.errors import ListeningError
from pipeline.listen.diarize import WAYS_OUT
from pipeline.listen.media import RATE, Samples
from pipeline.listen.speech import STEPS_A_SECOND, Stretch, find_speech_in, total_seconds
from pipeline.listen.voices_pieces import VoiceSettings
from pipeline.listen.voices_sound import Floats, sounds_of
from pipeline.listen.voices_split import Split, split
from pipeline.records import SpeechSegment

WAYS = (
    VoiceSettings(),
    VoiceSettings(piece=0.3, cepstra=20, highest=(4000.0,)),
    VoiceSettings(piece=0.5, cepstra=18, highest=(3400.0, 5500.0)),
)
"""The three ways of listening. The first decides where the others are of two minds."""
LEAST_AGREEMENT = 0.9
"""Share of the speech on which all ways must agree; see `benchmarks/voices.py`."""
_PEOPLE = 2
_ENOUGH = 30.0  # seconds of speech
_LEAST_SHARE = 0.05
_SURE_AGREEMENT = 0.93
_SURE_GAIN = 1.0
_WARNING = (
    "Two voices share a channel and were told apart without a trained model: low trust, check who says what before "
    "relying on it."
)


@dataclass(frozen=True, slots=True)
class Voices:
    """Two voices on one channel: `speech` by start, and `agreement`, the share (0-1) of the speech that all ways of
    listening give to the same voice. `gain` and `apart` are of the first way; see `voices_split.Split`. `share` is the
    lesser voice's share of the speech, which is `seconds` long."""

    speech: tuple[SpeechSegment, ...]
    agreement: float
    gain: float
    apart: float
    share: float
    seconds: float


class TwoVoices:
    """The diarizer that needs no weights. Speakers are labelled `speaker-1` and `speaker-2` in the order they speak."""

    name = "two voices (no weights)"
    models: tuple[tuple[str, str], ...] = (("two-voices", "1"),)
    trust: Literal["high", "low"] = "low"

    def __init__(self) -> None:
        self._agreement: float | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """How far to trust the result; after a call also how far the ways of listening agreed on it."""
        if self._agreement is None:
            return (_WARNING,)
        return (f"{_WARNING} {len(WAYS)} ways of listening agree on {self._agreement:.0%} of the speech.",)

    def __call__(
        self,
        samples: Samples,
        *,
        speakers: tuple[int, int] | None = None,
        stretches: Sequence[Stretch] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[SpeechSegment, ...]:
        """The stretches of both voices in mono 16 kHz samples, by start; empty where nobody speaks.

        `speakers` is the least and the most people where it is known. Raises ListeningError with the ways out for three
        or more, for too little speech, and where the ways of listening do not agree on who speaks.
        """
        self._agreement = None
        if speakers is not None and speakers[0] > _PEOPLE:
            raise ListeningError(
                f"{speakers[0]} or more people share a channel; without weights {_PEOPLE} can be told apart. {WAYS_OUT}"
            )
        if stretches is None:
            stretches = find_speech_in(lambda first, last: samples[first:last], len(samples))
        if not stretches or (speakers is not None and speakers[1] == 1):
            return tuple(SpeechSegment("speaker-1", start, end) for start, end in stretches)
        voices = tell_apart(samples, stretches, progress=progress)
        _check(voices, stretches)
        self._agreement = voices.agreement if voices else None
        return voices.speech if voices else ()


def _check(voices: Voices | None, stretches: Sequence[Stretch]) -> None:
    """Raise ListeningError for a result that should not be used."""
    if voices is None:
        seconds = total_seconds(stretches)
        raise ListeningError(
            f"Its {seconds:.1f} s of speech are too little to tell two voices apart without weights. {WAYS_OUT}"
        )
    if voices.agreement < LEAST_AGREEMENT:
        raise ListeningError(
            f"Without weights its voices cannot be told apart: {len(WAYS)} ways of listening agree on who speaks in "
            f"{voices.agreement:.0%} of the speech, and at least {LEAST_AGREEMENT:.0%} is needed. {WAYS_OUT}"
        )


def tell_apart(
    samples: Samples,
    stretches: Sequence[Stretch],
    *,
    ways: Sequence[VoiceSettings] = WAYS,
    progress: Callable[[int, int], None] | None = None,
) -> Voices | None:
    """Who of two speaks in each stretch, without any refusal; None where there is too little speech to tell."""
    found = listen(samples, stretches, ways, progress=progress)
    if not found:
        return None
    odds = _aligned(found)  # (ways, steps)
    speaking = odds[0] != 0
    if not speaking.any():
        return None
    voted = odds.sum(0)
    voted = np.where(np.abs(voted) > 1e-6, voted, odds[0])
    agree = np.all((odds > 0) == (odds[0] > 0), axis=0)
    speech = _segments(voted, speaking, len(samples) / RATE)
    first = float((voted[speaking] > 0).mean())
    return Voices(
        speech=speech,
        agreement=float(agree[speaking].mean()),
        gain=found[0].gain,
        apart=found[0].apart,
        share=min(first, 1 - first),
        seconds=float(speaking.sum()) / STEPS_A_SECOND,
    )


def surely_two(voices: Voices | None) -> bool:
    """Whether the channel carries two different voices beyond doubt; False is "cannot tell", not "one".

    A short recording of one real voice divides about as well as one of two like voices (gain up to 1.0 on 26 s), so
    less than 30 s of speech says nothing. On longer ones a single voice had gains up to 0.3 and two had 0.9 and more;
    voices in noise, or one that is seldom heard, can be missed. `benchmarks/voices.py` counts both.
    """
    return (
        voices is not None
        and voices.seconds >= _ENOUGH
        and voices.share >= _LEAST_SHARE
        and voices.agreement >= _SURE_AGREEMENT
        and voices.gain >= _SURE_GAIN
    )


def listen(
    samples: Samples,
    stretches: Sequence[Stretch],
    ways: Sequence[VoiceSettings] = WAYS,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Split, ...]:
    """The channel in two voices by every way; empty where there is too little speech for one of them."""
    cepstra = max(way.cepstra for way in ways)
    bands = sorted({top for way in ways for top in way.highest})
    sounds = dict(zip(bands, sounds_of(samples, stretches, cepstra=cepstra, bands=bands), strict=True))
    found: list[Split] = []
    for index, way in enumerate(ways):
        one = split([sounds[top] for top in way.highest], way)
        if one is None:
            return ()
        found.append(one)
        if progress is not None:
            progress(index + 1, len(ways))
    return tuple(found)


def _aligned(found: Sequence[Split]) -> Floats:
    """The odds of every way, (ways, steps), with the first voice of each the one that the first way calls so."""
    first = found[0].odds
    return np.array([one.odds if np.sign(one.odds) @ np.sign(first) >= 0 else -one.odds for one in found])


def _segments(odds: Floats, speaking: np.ndarray, duration: float) -> tuple[SpeechSegment, ...]:
    """The runs of steps of one voice, labelled in the order of first speech."""
    labels: dict[int, str] = {}
    found: list[SpeechSegment] = []
    step = 0
    for voice, run in groupby(np.where(speaking, np.sign(odds), 0).astype(int).tolist()):
        start, step = step, step + len(list(run))
        if voice:
            label = labels.setdefault(voice, f"speaker-{len(labels) + 1}")
            found.append(SpeechSegment(label, start / STEPS_A_SECOND, min(step / STEPS_A_SECOND, duration)))
    return tuple(found)
