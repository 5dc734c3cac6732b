"""Two voices on one channel told apart without weights: the real phone call, the samples, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from pipeline.errors import ListeningError
from pipeline.listen.media import RATE, Samples, decode
from pipeline.listen.rttm import read_rttm
from pipeline.listen.speech import find_speech
from pipeline.listen.voices import TwoVoices, surely_two, tell_apart
from pipeline.listen.voices_pieces import VoiceSettings
from pipeline.records import SpeechSegment

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"


@pytest.fixture(scope="module")
def phone(phone_call: Path) -> Samples:
    return decode(phone_call).channel(0)


def der(reference: Path, heard: tuple[SpeechSegment, ...], duration: float) -> float:
    """The error with 0.25 s left out on each side of every boundary of the reference."""
    whole = Timeline([Segment(0, duration)])
    return float(DiarizationErrorRate(collar=0.5)(annotation(read_rttm(reference)), annotation(heard), uem=whole))


def annotation(segments: tuple[SpeechSegment, ...]) -> Annotation:
    found = Annotation()
    for index, one in enumerate(segments):
        found[Segment(one.start, one.end), index] = one.speaker
    return found


def mono(name: str) -> Samples:
    """A sample's channels mixed to one."""
    return np.ascontiguousarray(np.asarray(decode(SAMPLES / name).samples).mean(0, dtype=np.float32))


def test_a_real_phone_call_is_told_apart_and_marked_low_trust(phone: Samples, phone_call: Path) -> None:
    diarizer = TwoVoices()
    assert diarizer.trust == "low"
    assert "without a trained model" in diarizer.warnings[0]
    heard = diarizer(phone, speakers=(2, 2))
    assert der(phone_call.with_suffix(".rttm"), heard, len(phone) / RATE) <= 0.05
    assert heard == diarizer(phone, speakers=(2, 2), stretches=find_speech(phone))
    assert heard[0].speaker == "speaker-1"
    assert {one.speaker for one in heard} == {"speaker-1", "speaker-2"}
    assert list(heard) == sorted(heard, key=lambda one: one.start)
    assert "3 ways of listening agree on" in diarizer.warnings[0]


def test_a_sample_mixed_to_one_channel_is_told_apart() -> None:
    samples = mono("bakery-discovery.m4a")
    stretches = find_speech(samples)
    voices = tell_apart(samples, stretches)
    assert voices is not None
    assert der(SAMPLES / "reference" / "bakery-discovery.rttm", voices.speech, len(samples) / RATE) <= 0.05
    assert voices.agreement > 0.9
    assert voices.seconds == pytest.approx(sum(end - start for start, end in stretches), abs=0.5)
    assert 0.3 < voices.share < 0.5
    assert surely_two(voices)


def test_one_voice_is_never_surely_two() -> None:
    samples = decode(SAMPLES / "bakery-discovery.m4a").channel(0)
    assert not surely_two(tell_apart(samples, find_speech(samples)))
    assert not surely_two(None)


def test_a_short_call_is_never_surely_two(phone: Samples) -> None:
    assert not surely_two(tell_apart(phone, find_speech(phone)))


def test_a_call_on_which_the_ways_disagree_is_refused(phone: Samples) -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, len(phone)).astype(np.float32)
    message = (
        r"3 ways of listening agree on who speaks in \d\d% of the speech, and at least 90% is needed.*Three ways out"
    )
    diarizer = TwoVoices()
    with pytest.raises(ListeningError, match=message):
        diarizer(phone + noise, speakers=(2, 2), stretches=find_speech(phone))
    assert "agree on" not in diarizer.warnings[0]


@pytest.mark.parametrize(
    "change",
    [
        {"piece": 0.3},
        {"piece": 0.55},
        {"cepstra": 22},
        {"sounds": (3, 4)},
        {"highest": (4000.0,)},
        {"shrinkage": 0.6},
        {"weight": 1.0},
        {"turn": 2.0},
        {"seed": 1},
    ],
    ids=str,
)
def test_the_phone_call_is_told_apart_with_every_one_of_its_settings(
    change: dict[str, Any], phone: Samples, phone_call: Path
) -> None:
    way = replace(VoiceSettings(), **change)
    voices = tell_apart(phone, find_speech(phone), ways=(way,))
    assert voices is not None
    assert der(phone_call.with_suffix(".rttm"), voices.speech, len(phone) / RATE) <= 0.10


def test_progress_is_told_for_each_way_of_listening(phone: Samples) -> None:
    told: list[tuple[int, int]] = []
    TwoVoices()(phone, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_three_or_more_people_are_refused_with_the_ways_out(phone: Samples) -> None:
    with pytest.raises(ListeningError, match=r"3 or more people share a channel; without weights 2 .*Three ways out"):
        TwoVoices()(phone, speakers=(3, 5))


def test_one_person_has_all_the_speech(phone: Samples) -> None:
    stretches = find_speech(phone)
    heard = TwoVoices()(phone, speakers=(1, 1), stretches=stretches)
    assert heard == tuple(SpeechSegment("speaker-1", start, end) for start, end in stretches)


def test_silence_has_no_voices() -> None:
    assert TwoVoices()(np.zeros(RATE * 5, np.float32), speakers=(2, 2)) == ()


def test_too_little_speech_is_refused(phone: Samples) -> None:
    with pytest.raises(ListeningError, match=r"Its 2\.0 s of speech are too little .*Three ways out"):
        TwoVoices()(phone, stretches=((11.0, 13.0),))


def test_no_louder_no_fainter_changes_who_speaks(phone: Samples) -> None:
    stretches = find_speech(phone)
    loud, faint = (tell_apart(phone * gain, stretches) for gain in (1.0, 0.05))
    assert loud is not None and faint is not None
    assert loud.speech == faint.speech
