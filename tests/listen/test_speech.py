"""Where speech is found, and how stretches are widened."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.listen.media import RATE, decode
from pipeline.listen.speech import STEP, SpeechSettings, find_speech, find_speech_in, widened

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"


def test_each_channel_has_speech_where_its_voice_speaks_and_nowhere_else(two_channels: Path) -> None:
    audio = decode(two_channels)
    for channel in range(2):
        samples = audio.channel(channel)
        stretches = find_speech(samples)
        inside = np.zeros(len(samples), bool)
        for start, end in stretches:
            inside[round(start * RATE) : round(end * RATE)] = True
        power = samples**2
        assert power[inside].sum() > 0.99 * power.sum()
        assert stretches == tuple(sorted(stretches))
    rep, customer = (find_speech(audio.channel(channel)) for channel in range(2))
    assert rep[0][1] <= customer[0][0] + 0.3  # the second voice begins when the first has ended


def test_a_long_stretch_is_cut_at_the_length_that_was_set(phone_call: Path) -> None:
    samples = decode(phone_call).channel(0)
    short = find_speech(samples, SpeechSettings(longest=4.0))
    assert len(short) > len(find_speech(samples))
    assert max(end - start for start, end in short) <= 4.3


def test_speech_without_any_pause_is_found_whole_window_by_window() -> None:
    """As a crowded room or music behind a voice: stretches end where they are longest, not in a pause."""
    samples = decode(SAMPLES / "clinics-demo.mp3").channel(0)
    steps = samples[: len(samples) // STEP * STEP].reshape(-1, STEP)
    loud = steps[np.sqrt((steps**2).mean(axis=1)) > 0.02].reshape(-1)
    (start, end), *_, (_, last) = find_speech(loud)
    assert end - start > 19.0
    for window in (45.0, 70.0):
        found = find_speech_in(lambda a, b: loud[a:b], len(loud), window=window)
        assert all(a[1] <= b[0] for a, b in pairwise(found))
        assert sum(b - a for a, b in found) == pytest.approx(last - start, abs=0.5)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, np.float32),
        np.zeros(RATE * 5, np.float32),
        np.random.default_rng(0).standard_normal(RATE * 5).astype(np.float32) * 0.01,
        (0.2 * np.sin(2 * np.pi * 440 * np.arange(RATE * 5) / RATE)).astype(np.float32),
    ],
    ids=["nothing", "silence", "noise", "tone"],
)
def test_what_is_no_speech_has_none(samples: np.ndarray) -> None:
    assert find_speech(samples) == ()


def test_widened_stretches_stay_in_the_call_and_meet_their_neighbours_halfway() -> None:
    assert widened([(0.1, 1.0), (1.2, 2.0), (5.0, 9.9)], 0.5, 10.0) == (
        (0.0, pytest.approx(1.1)),
        (pytest.approx(1.1), 2.5),
        (4.5, 10.0),
    )
    assert widened([], 0.5, 10.0) == ()
