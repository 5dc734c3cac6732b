"""The real Whisper path, loading and decoding, on tiny seeded weights from a local folder."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ListeningError
from pipeline.listen.media import decode
from pipeline.listen.recording import hear
from pipeline.listen.transcribe import choose_engine
from pipeline.listen.whisper import load_whisper
from pipeline.settings import ListenSettings


@pytest.fixture(scope="module")
def whisper(whisper_folder: Path):
    return load_whisper(ListenSettings(engine="whisper", whisper_model=str(whisper_folder), device="cpu"))


def test_words_have_times_and_probabilities_and_come_out_the_same_twice(whisper, phone_call: Path) -> None:
    samples = decode(phone_call).channel(0)[6 * 16000 : 12 * 16000]
    first, second = whisper(samples), whisper(samples)
    assert first == second
    assert len(first.words) > 3
    assert all(0 <= word.start <= word.end <= 6 for word in first.words)
    assert all(word.probability is not None and 0 <= word.probability <= 1 for word in first.words)
    assert all(word.text == word.text.strip() and word.text for word in first.words)
    assert first.language is not None and 0 < (first.language_probability or 0) <= 1
    assert first.confidence is not None and 0 <= first.confidence <= 1


def test_names_to_expect_reach_the_decoder(whisper, phone_call: Path) -> None:
    samples = decode(phone_call).channel(0)[6 * 16000 : 12 * 16000]
    plain, hinted = whisper(samples), whisper(samples, hotwords=("Sarah Okafor", "Bracken Fluids"))
    assert plain.words != hinted.words


def test_silence_gives_no_words(whisper) -> None:
    assert whisper(np.zeros(16000 * 3, np.float32)).words == ()
    assert whisper(np.zeros(0, np.float32)).words == ()


def test_a_whole_recording_is_heard_and_the_weights_are_named_without_their_place(
    whisper_folder: Path, two_channels: Path
) -> None:
    settings = ListenSettings(engine="whisper", whisper_model=str(whisper_folder), device="cpu")
    engine, said = choose_engine(settings)
    assert said is None
    heard = hear(two_channels, transcriber=engine, settings=settings)
    assert heard.quality.engine == "whisper"
    models = dict(heard.quality.models)
    assert models["whisper whisper-seeded"].startswith("sha256:")
    assert "faster-whisper" in models
    assert {turn.speaker for turn in heard.turns} == {"channel-1", "channel-2"}
    assert heard.quality.word_confidence is not None


def test_auto_takes_whisper_where_its_folder_is_named(whisper_folder: Path) -> None:
    engine, said = choose_engine(ListenSettings(whisper_model=str(whisper_folder), device="cpu"))
    assert (engine.name, said) == ("whisper", None)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("/no/such/folder", "/no/such/folder: there is no such folder with a Whisper model. Ways out: "),
        ("largest", "whisper model: 'largest' is neither a folder nor one of tiny.en, tiny"),
    ],
)
def test_a_model_that_cannot_be_had_is_refused_with_ways_out(model: str, message: str) -> None:
    with pytest.raises(ListeningError) as caught:
        load_whisper(ListenSettings(engine="whisper", whisper_model=model))
    assert str(caught.value).startswith(message)
    assert "--engine sphinx" in str(caught.value)


def test_a_folder_without_weights_and_one_with_wrong_weights_are_refused(tmp_path: Path) -> None:
    settings = ListenSettings(engine="whisper", whisper_model=str(tmp_path), device="cpu")
    with pytest.raises(ListeningError, match=r"holds no model\.bin"):
        load_whisper(settings)
    (tmp_path / "model.bin").write_bytes(b"not a model")
    with pytest.raises(ListeningError, match="holds no Whisper model that can be loaded"):
        load_whisper(settings)


def test_without_a_network_it_fails_in_seconds_and_auto_says_who_listens_instead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    began = time.monotonic()
    with pytest.raises(ListeningError, match="the model hub cannot be reached"):
        choose_engine(ListenSettings(engine="whisper", whisper_model="small"))
    engine, said = choose_engine(ListenSettings(engine="auto", whisper_model="small"))
    assert time.monotonic() - began < 60  # no measurement: it must not hang
    assert engine.name == "sphinx"
    assert said is not None and said.startswith("The small embedded engine (pocketsphinx) listens, because Whisper")
    engine.close()


def test_a_gpu_that_is_not_there_is_not_pretended(whisper_folder: Path) -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("there is a GPU")
    with pytest.raises(ListeningError, match="no CUDA GPU is found"):
        load_whisper(ListenSettings(whisper_model=str(whisper_folder), device="cuda"))
