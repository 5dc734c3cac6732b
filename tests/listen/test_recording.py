"""The whole of listening on recordings made from the two-channel one: which channels count, what people are told."""

from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ListeningError, MediaError
from pipeline.listen.call_rows import CallRow
from pipeline.listen.media import RATE, Audio, Samples, decode
from pipeline.listen.recording import Heard, hear
from pipeline.listen.role_evidence import channel_roles
from pipeline.listen.sphinx import SphinxTranscriber
from pipeline.listen.tracks import Expected
from pipeline.listen.transcribe import Transcript
from pipeline.records import SpeechSegment, Word
from pipeline.settings import ListenSettings

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
OFFLINE = ListenSettings(diarization_model="/no/such/folder")


class TwoVoices:
    """A diarizer with known answers: the first voice until `change`, the second from there."""

    name = "two voices"
    models = (("two voices", "1"),)
    warnings = ()
    trust = "low"

    def __init__(self, change: float) -> None:
        self.change = change
        self.asked: list[tuple[int, int] | None] = []

    def __call__(self, samples: Samples, *, speakers=None, stretches=None, progress=None) -> tuple[SpeechSegment, ...]:
        self.asked.append(speakers)
        end = len(samples) / RATE
        first = SpeechSegment("speaker-1", 0.0, min(self.change, end))
        return (first, SpeechSegment("speaker-2", self.change, end)) if self.change < end else (first,)


@pytest.fixture(scope="module")
def channels(two_channels: Path) -> Samples:
    """(2, samples) of the first two lines; short, as the engine hears them many times."""
    return np.array(decode(two_channels).window(0, 8 * RATE))


@pytest.fixture(scope="module")
def heard(two_channels: Path, sphinx: SphinxTranscriber) -> Heard:
    return hear(two_channels, transcriber=sphinx, settings=OFFLINE)


def wav(path: Path, samples: Samples) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(len(samples))
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(samples, -1, 1).T * 32767).astype("<i2").tobytes())
    return path


def test_two_channels_are_two_speakers_who_take_turns(heard: Heard) -> None:
    assert heard.speakers == ("channel-1", "channel-2")
    assert [turn.speaker for turn in heard.turns] == ["channel-1", "channel-2", "channel-1", "channel-2"]
    assert "half an hour" in heard.turns[0].text
    assert "new customer" in heard.turns[1].text
    assert heard.duration == pytest.approx(15.41, abs=0.01)
    assert (heard.channels, len(heard.sha256)) == (2, 64)


def test_quality_says_who_listened_how_and_how_surely(heard: Heard) -> None:
    quality = heard.quality
    assert (quality.engine, quality.diarization, quality.speech_attributed) == ("sphinx", "channels", 1.0)
    assert dict(quality.models).keys() == {"pocketsphinx en-us"}
    assert quality.word_confidence is not None and 0.3 < quality.word_confidence < 1
    assert quality.warnings[0].startswith("The embedded engine knows US English only")
    assert len(quality.warnings) == 1


def test_speech_lies_within_the_call_under_the_labels_of_the_turns(heard: Heard) -> None:
    assert {one.speaker for one in heard.speech} == set(heard.speakers)
    assert all(0 <= one.start < one.end <= heard.duration for one in heard.speech)
    assert list(heard.speech) == sorted(heard.speech, key=lambda one: one.start)


def test_the_same_recording_gives_the_same_record_and_progress_is_told(
    two_channels: Path, sphinx: SphinxTranscriber, heard: Heard
) -> None:
    told: list[tuple[str, int, int]] = []
    again = hear(
        two_channels,
        transcriber=sphinx,
        settings=OFFLINE,
        progress=lambda stage, done, of: told.append((stage, done, of)),
    )
    assert again == heard
    assert told[0] == ("decode", 0, 1)
    assert told[-1] == ("transcribe", 2, 2)
    assert list(dict.fromkeys(stage for stage, _, _ in told)) == ["decode", "speech", "transcribe"]


def test_three_channels_are_three_speakers(tmp_path: Path, channels: Samples, sphinx: SphinxTranscriber) -> None:
    third = np.roll(channels[1], 5 * RATE) * 0.9
    third[: 2 * RATE] = 0
    path = wav(tmp_path / "three.wav", np.stack([channels[0], third, channels[1]]))
    heard = hear(path, transcriber=sphinx, settings=OFFLINE, expected=Expected(channels=(1, 1, 1)))
    assert heard.speakers == ("channel-1", "channel-2", "channel-3")
    assert heard.channels == 3
    assert {turn.speaker for turn in heard.turns} == set(heard.speakers)


@pytest.mark.parametrize("gain", [1.0, 0.4, -0.7])
def test_two_equal_channels_are_one_whatever_the_gain(
    tmp_path: Path, channels: Samples, sphinx: SphinxTranscriber, gain: float
) -> None:
    mixed = channels.sum(axis=0)
    path = wav(tmp_path / "fake.wav", np.stack([mixed, mixed * gain]))
    with pytest.raises(ListeningError, match=r"fake\.wav: its voices share one channel.*Three ways out"):
        hear(path, transcriber=sphinx, settings=OFFLINE)
    with pytest.raises(ListeningError, match="its voices share one channel"):  # whatever the manifest says of channels
        hear(path, transcriber=sphinx, settings=OFFLINE, expected=Expected(channels=(1, 1)))
    if gain == 1.0:
        voices = TwoVoices(4.3)
        heard = hear(path, transcriber=sphinx, settings=OFFLINE, expected=Expected(speakers=(2, 2)), diarizer=voices)
        assert voices.asked == [(2, 2)]
        assert "Channels 1 and 2 carry the same sound; one was used." in heard.quality.warnings
        assert [turn.speaker for turn in heard.turns] == ["speaker-1", "speaker-2"]
        assert heard.quality.diarization == "two voices"


def test_a_channel_that_carries_the_other_faintly_is_not_heard_twice(
    tmp_path: Path, channels: Samples, sphinx: SphinxTranscriber
) -> None:
    late = np.roll(channels, RATE // 50, axis=1)  # 20 ms
    noise = np.random.default_rng(0).standard_normal(channels.shape).astype(np.float32) * 0.001
    path = wav(tmp_path / "bleed.wav", channels + 0.08 * late[::-1] + noise)
    heard = hear(path, transcriber=sphinx, settings=OFFLINE)
    assert [turn.speaker for turn in heard.turns] == ["channel-1", "channel-2"]
    assert any("of another channel's speech faintly; that was left out" in one for one in heard.quality.warnings)


def test_a_dead_channel_leaves_one_with_everybody_on_it_unless_the_channels_are_known(
    tmp_path: Path, channels: Samples, sphinx: SphinxTranscriber
) -> None:
    path = wav(tmp_path / "dead.wav", np.stack([channels.sum(axis=0), np.zeros_like(channels[0])]))
    with pytest.raises(ListeningError, match="its voices share one channel"):
        hear(path, transcriber=sphinx, settings=OFFLINE)
    heard = hear(path, transcriber=sphinx, settings=OFFLINE, expected=Expected(channels=(1, 1)))
    assert {turn.speaker for turn in heard.turns} == {"channel-1"}
    assert "Nobody speaks on channel 2; check how the call was recorded." in heard.quality.warnings


def test_one_known_speaker_on_one_channel_needs_no_diarizer(
    tmp_path: Path, channels: Samples, sphinx: SphinxTranscriber
) -> None:
    heard = hear(
        wav(tmp_path / "mono.wav", channels[:1]),
        transcriber=sphinx,
        settings=OFFLINE,
        expected=Expected(speakers=(1, 1)),
    )
    assert heard.speakers == ("channel-1",)
    assert len(heard.turns) == 1


def test_people_who_share_a_channel_are_told_apart_within_it(two_channels: Path, sphinx: SphinxTranscriber) -> None:
    voices = TwoVoices(7.0)
    expected = Expected(channels=(2, 1))
    heard = hear(two_channels, transcriber=sphinx, settings=OFFLINE, expected=expected, diarizer=voices)
    assert voices.asked == [(2, 2)]
    assert heard.speakers == ("channel-1-voice-1", "channel-1-voice-2", "channel-2")
    assert [turn.speaker for turn in heard.turns] == [
        "channel-1-voice-1", "channel-2", "channel-1-voice-2", "channel-2",
    ]  # fmt: skip
    assert heard.quality.diarization == "two voices and channels"
    assert heard.quality.diarization_trust == "low"


def test_voices_of_one_named_channel_are_labelled_by_it_and_those_of_equal_channels_are_not(
    tmp_path: Path, channels: Samples, sphinx: SphinxTranscriber
) -> None:
    """Who is named on one of two equal channels may be any of the voices on them."""
    mixed = channels.sum(axis=0)
    mono, three = (
        wav(tmp_path / "mono.wav", mixed[None]),
        wav(tmp_path / "three.wav", np.stack([mixed, mixed, channels[1][::-1]])),
    )
    row = CallRow(None, "a", channels=(("rep", "customer"),))
    heard = hear(mono, transcriber=sphinx, expected=Expected(channels=(2,)), diarizer=TwoVoices(4.3))
    assert heard.speakers == ("channel-1-voice-1", "channel-1-voice-2")
    assert channel_roles(heard.speakers[0], row) == {"rep", "customer"}
    heard = hear(three, transcriber=sphinx, expected=Expected(channels=(1, 1, 1)), diarizer=TwoVoices(4.3))
    assert heard.speakers == ("channels-1-2-voice-1", "channels-1-2-voice-2", "channel-3")
    row = CallRow(None, "a", channels=(("rep",), ("customer",), ("manager",)))
    assert [sorted(channel_roles(one, row)) for one in heard.speakers] == [[], [], ["manager"]]


def test_more_people_than_channels_is_said_where_no_second_voice_is_sure(
    two_channels: Path, sphinx: SphinxTranscriber
) -> None:
    heard = hear(two_channels, transcriber=sphinx, settings=OFFLINE, expected=Expected(speakers=(3, 3)))
    assert heard.speakers == ("channel-1", "channel-2")
    said = "More people may speak than channels carry speech, and no second voice is sure on channel 1"
    assert any(warning.startswith(said) for warning in heard.quality.warnings)


def test_a_trained_model_says_how_many_are_on_a_channel_where_more_may_be(two_channels: Path) -> None:
    class Trained(TwoVoices):
        trust = "high"

    voices = Trained(7.0)
    heard = hear(two_channels, transcriber=Hears(), expected=Expected(speakers=(4, 4)), diarizer=voices)
    assert voices.asked == [(1, 3), (1, 3)]
    assert heard.speakers == tuple(f"channel-{one}-voice-{two}" for one in (1, 2) for two in (1, 2))
    assert heard.quality.diarization_trust == "high"
    alone = Trained(99.0)  # the second voice never speaks
    heard = hear(two_channels, transcriber=Hears(), expected=Expected(speakers=(3, 3)), diarizer=alone)
    assert heard.speakers == ("channel-1", "channel-2")
    assert any("no second voice is sure on channel 2" in warning for warning in heard.quality.warnings)


def test_one_channel_on_which_one_or_two_may_speak_says_that_no_second_was_found(
    tmp_path: Path, channels: Samples, offline: None
) -> None:
    path = wav(tmp_path / "mono.wav", channels.sum(axis=0)[None])
    heard = hear(path, transcriber=Hears(), expected=Expected(speakers=(1, 2)))
    assert heard.speakers == ("channel-1",)
    assert any("no second voice is sure on channel 1" in warning for warning in heard.quality.warnings)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No hub is asked for weights."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


class Hears:
    """An engine that hears one word in every stretch."""

    name = "script"
    models = (("script", "1"),)
    warnings = ()

    def __call__(self, samples, *, hotwords=(), stretches=None, language=None):
        return Transcript(tuple(Word("word", start, min(start + 0.3, end), 0.9) for start, end in stretches))


@pytest.mark.parametrize("expected", [Expected(), Expected(speakers=(3, 3))])
def test_two_voices_on_a_channel_are_found_where_nobody_named_them(expected: Expected, offline: None) -> None:
    samples = decode(SAMPLES / "plant-joint.flac").samples
    audio = Audio.of(np.stack([samples[0] + samples[1], samples[2]]))  # rep and manager share the first channel
    heard = hear(Path("a.wav"), transcriber=Hears(), settings=ListenSettings(), expected=expected, audio=audio)
    assert set(heard.speakers) == {"channel-1-voice-1", "channel-1-voice-2", "channel-2"}
    assert heard.quality.diarization_trust == "low"
    assert any(one.startswith("Channel 1 carries two voices although") for one in heard.quality.warnings)


def test_two_parties_without_a_manifest_are_one_voice_a_channel() -> None:
    audio = decode(SAMPLES / "clinics-demo.mp3")
    heard = hear(audio.path, transcriber=Hears(), settings=OFFLINE, audio=audio)
    assert set(heard.speakers) == {"channel-1", "channel-2"}


def test_the_second_party_of_a_dead_channel_is_looked_for_on_the_live_one(offline: None) -> None:
    samples = decode(SAMPLES / "clinics-demo.mp3").samples
    dead = np.zeros_like(samples[0])
    claimed = Expected(channels=(1, 1))
    for live, people in ((samples.sum(axis=0), 2), (samples[0], 1)):
        audio = Audio.of(np.stack([live, dead]))
        heard = hear(Path("a.wav"), transcriber=Hears(), settings=ListenSettings(), expected=claimed, audio=audio)
        assert len(heard.speakers) == people


def test_a_wrong_number_of_named_channels_is_refused(two_channels: Path, sphinx: SphinxTranscriber) -> None:
    with pytest.raises(ListeningError, match=r"two_channels\.flac: has 2 channel\(s\), but 3 are named\. Correct"):
        hear(two_channels, transcriber=sphinx, settings=OFFLINE, expected=Expected(channels=(1, 1, 1)))


def test_a_recording_in_which_nobody_speaks_is_refused(tmp_path: Path, sphinx: SphinxTranscriber) -> None:
    tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(5 * RATE) / RATE).astype(np.float32)
    path = wav(tmp_path / "tone.wav", np.stack([tone, 0.5 * np.roll(tone, 9)]))
    with pytest.raises(MediaError, match=r"tone\.wav: no speech was found in it\. Check that it is the call's"):
        hear(path, transcriber=sphinx, settings=OFFLINE)


def test_limits_of_the_settings_are_those_of_the_decoder(two_channels: Path, sphinx: SphinxTranscriber) -> None:
    settings = replace(OFFLINE, limits=replace(OFFLINE.limits, max_seconds=3))
    with pytest.raises(MediaError, match="is too long"):
        hear(two_channels, transcriber=sphinx, settings=settings)
