"""The real pyannote pipeline, loading and applying, on tiny seeded checkpoints from a local folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ListeningError
from pipeline.listen.diarize import choose_diarizer
from pipeline.listen.pyannote_weights import load_pyannote
from pipeline.listen.media import decode
from pipeline.listen.recording import hear
from pipeline.settings import ListenSettings


@pytest.fixture(scope="module")
def diarizer(pyannote_folder: Path):
    return load_pyannote(ListenSettings(diarization_model=str(pyannote_folder), device="cpu"))


def test_a_real_call_is_cut_into_voices_in_order_within_the_recording(diarizer, phone_clip: Path) -> None:
    samples = decode(phone_clip).channel(0)
    found = diarizer(samples)
    assert found == diarizer(samples)
    assert found
    assert found[0].speaker == "speaker-1"
    assert list(found) == sorted(found, key=lambda one: one.start)
    assert all(0 <= one.start < one.end <= 10.0 for one in found)
    numbers = [int(one.speaker.removeprefix("speaker-")) for one in found]
    firsts = list(dict.fromkeys(numbers))
    assert firsts == sorted(firsts)


def test_the_known_number_of_speakers_is_kept(diarizer, phone_clip: Path) -> None:
    samples = decode(phone_clip).channel(0)
    assert len({one.speaker for one in diarizer(samples, speakers=(2, 2))}) == 2


def test_a_mono_recording_is_heard_with_its_voices(pyannote_folder: Path, phone_clip: Path, sphinx) -> None:
    settings = ListenSettings(diarization_model=str(pyannote_folder), device="cpu")
    heard = hear(phone_clip, transcriber=sphinx, settings=settings, speakers=2)
    assert heard.channels == 1
    assert heard.quality.diarization == "pyannote pyannote-seeded"
    assert dict(heard.quality.models)["pyannote pyannote-seeded"].startswith("sha256:")
    assert set(heard.speakers) == {"speaker-1", "speaker-2"}
    assert {turn.speaker for turn in heard.turns} <= set(heard.speakers)
    assert heard.quality.speech_attributed is not None and 0 < heard.quality.speech_attributed <= 1
    assert any("told apart by their sound" in warning for warning in heard.quality.warnings)


@pytest.mark.parametrize(
    ("model", "message"),
    [("/no/such/folder", "is neither a folder nor a hub name"), ("nonsense", "is neither a folder nor a hub name")],
)
def test_without_weights_the_error_names_the_recording_and_three_ways_out(model: str, message: str) -> None:
    with pytest.raises(ListeningError) as caught:
        choose_diarizer(ListenSettings(diarization_model=model), Path("calls/a.wav"))
    text = str(caught.value)
    assert text.startswith("calls/a.wav: its voices share one channel")
    assert message in text
    for way in ("(1) weights", "(2) channels", "(3) a transcript with speakers"):
        assert way in text


def test_a_folder_that_holds_no_pipeline_is_refused(tmp_path: Path) -> None:
    settings = ListenSettings(diarization_model=str(tmp_path))
    with pytest.raises(ListeningError, match=r"holds no config\.yaml"):
        load_pyannote(settings)
    (tmp_path / "config.yaml").write_text("pipeline: {name: pyannote.audio.pipelines.Nothing}\n")
    with pytest.raises(ListeningError, match="holds no pipeline that can be loaded"):
        load_pyannote(settings)


def test_offline_the_hub_is_given_up_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ListeningError, match="the model hub cannot be reached"):
        load_pyannote(ListenSettings())
