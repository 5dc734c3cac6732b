"""Two voices on one channel told apart without weights: the real phone call, the samples, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from pipeline.errors import ListeningError
from pipeline.listen.media import RATE, Samples, decode
from pipeline.listen.rttm import read_rttm
from pipeline.listen.speech import find_speech
from pipeline.listen.voices import TwoVoices, tell_apart
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


@pytest.mark.parametrize("name", ["routes-discovery.wav", "schools-discovery.webm"])
def test_a_sample_mixed_to_one_channel_is_told_apart(name: str) -> None:
    samples = mono(name)
    heard = TwoVoices()(samples, speakers=(2, 2))
    reference = SAMPLES / "reference" / f"{Path(name).stem}.rttm"
    assert der(reference, heard, len(samples) / RATE) <= 0.05


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
