"""The real Whisper, loading and both decoding paths, on tiny seeded weights from a local folder."""

from __future__ import annotations

import logging
import time
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ListeningError
from pipeline.listen.guards import INVENTED, LOOPED, NO_SOUND, NO_SPEECH, OUTSIDE, TOO_FAST, Segment
from pipeline.listen.media import Samples
from pipeline.listen.packing import pack
from pipeline.listen.recording import hear
from pipeline.listen.speech import find_speech
from pipeline.listen.transcribe import choose_engine
from pipeline.listen.whisper import WhisperTranscriber, load_whisper
from pipeline.listen.whisper_decode import read_batched
from pipeline.settings import ListenSettings

REASONS = (NO_SOUND, NO_SPEECH, INVENTED, OUTSIDE, LOOPED, TOO_FAST)


def settings_for(folder: Path, **changes) -> ListenSettings:
    return replace(ListenSettings(engine="whisper", whisper_model=str(folder), device="cpu"), **changes)


@pytest.fixture(scope="module", params=["sequential", "batched"])
def whisper(request: pytest.FixtureRequest, whisper_folder: Path) -> WhisperTranscriber:
    return load_whisper(settings_for(whisper_folder, whisper_mode=request.param))


@pytest.fixture(scope="module")
def phone(phone_call: Path) -> Samples:
    """The 30 s of the phone call."""
    with wave.open(str(phone_call)) as source:
        pcm = source.readframes(source.getnframes())
    return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768


def test_words_have_times_in_order_and_probabilities_and_come_out_the_same_twice(
    whisper: WhisperTranscriber, phone: Samples
) -> None:
    first, second = whisper(phone), whisper(phone)
    assert first == second
    assert len(first.words) > 5
    assert all(0 <= word.start <= word.end <= len(phone) / 16000 for word in first.words)
    starts = [word.start for word in first.words]
    assert starts == sorted(starts)
    assert all(word.probability is not None and 0 <= word.probability <= 1 for word in first.words)
    assert all(word.text == word.text.strip() and word.text for word in first.words)
    assert first.confidence is not None and 0 < first.confidence <= 1


def test_words_lie_where_speech_was_found(whisper: WhisperTranscriber, phone: Samples) -> None:
    heard = whisper(phone, stretches=[(9.0, 12.0), (20.0, 23.0)])
    assert heard.words
    assert all(8.5 <= word.start <= word.end <= 12.5 or 19.5 <= word.start <= word.end <= 23.5 for word in heard.words)


def test_what_the_guards_dropped_is_reported(whisper: WhisperTranscriber, phone: Samples) -> None:
    heard = whisper(phone)  # untrained weights repeat themselves, and read from the last moments of windows
    assert heard.dropped
    assert all(reason in REASONS and count > 0 for reason, count in heard.dropped)


def test_speech_that_gave_no_words_is_heard_again(
    whisper_folder: Path, phone: Samples, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from pipeline.listen import whisper as module

    def losing(*args, **options):  # as batched decoding does at times
        segments, language = read_batched(*args, **options)
        return [replace(one, words=()) for one in segments[1:]], language

    stretches = [(9.0, 12.0), (14.0, 19.0), (20.0, 21.0)]
    whisper = load_whisper(settings_for(whisper_folder, whisper_mode="batched"))
    whole = whisper(phone, stretches=stretches)
    monkeypatch.setattr(module, "read_batched", losing)
    with caplog.at_level(logging.INFO, logger="pipeline.listen.whisper"):
        heard = whisper(phone, stretches=stretches)
    assert heard.recovered == len(heard.words) > whole.recovered
    assert any(14.0 <= word.start < 19.0 for word in heard.words)
    assert [word.start for word in heard.words] == sorted(word.start for word in heard.words)
    assert "gave no words and were heard again" in caplog.text
    assert not any(word.text in caplog.text for word in heard.words)
    monkeypatch.setattr(module, "read_sequential", lambda *args, **options: ([Segment(())], ("en", None)))
    assert whisper(phone, stretches=stretches).unheard != ()


def test_the_words_of_a_window_do_not_depend_on_the_windows_beside_it(whisper_folder: Path, phone: Samples) -> None:
    model = load_whisper(settings_for(whisper_folder))._model
    packed = pack(np.tile(phone, 3), [(start, start + 14.0) for start in (7.0, 25.0, 40.0, 58.0, 74.0)])
    assert len(packed.windows()) == 3
    one, several = (read_batched(model, packed, language="en", prompt="", batch=batch)[0] for batch in (1, 8))
    assert one == several


def test_terms_to_expect_reach_the_decoder_in_both_paths(
    whisper: WhisperTranscriber, whisper_folder: Path, phone: Samples
) -> None:
    piece = phone[6 * 16000 : 12 * 16000]
    plain, hinted = whisper(piece), whisper(piece, hotwords=("Sarah Okafor", "Bracken Fluids"))
    assert plain.words != hinted.words
    settings = settings_for(whisper_folder, vocabulary=("Bracken Fluids",))
    mode = "batched" if "batches" in dict(whisper.models)["faster-whisper"] else "sequential"
    from_file = load_whisper(replace(settings, whisper_mode=mode))
    assert from_file(piece, hotwords=("Sarah Okafor",)).words == hinted.words


def test_more_terms_than_the_prompt_holds_are_cut_and_counted(
    whisper_folder: Path, phone: Samples, caplog: pytest.LogCaptureFixture
) -> None:
    whisper = load_whisper(settings_for(whisper_folder))
    terms = tuple(f"name {number}" for number in range(300))
    with caplog.at_level(logging.INFO, logger="pipeline.listen.whisper"):
        fit = whisper._prompt(terms)
    assert 0 < len(fit) < 223
    assert fit == terms[: len(fit)]
    assert f"{len(fit)} of 300 terms to expect fit into Whisper's prompt" in caplog.text
    assert len(whisper._model.hf_tokenizer.encode(" " + ", ".join(fit), add_special_tokens=False).ids) <= 223
    assert whisper(phone[9 * 16000 : 12 * 16000], hotwords=terms).words


def test_silence_gives_no_words(whisper: WhisperTranscriber, phone: Samples) -> None:
    assert whisper(np.zeros(16000 * 3, np.float32)).words == ()
    assert whisper(np.zeros(0, np.float32)).words == ()
    assert whisper(phone, stretches=()).words == ()
    noise = np.random.default_rng(0).normal(0, 0.001, 16000 * 3).astype(np.float32)
    assert find_speech(noise) == ()
    assert whisper(noise).words == ()


@pytest.mark.parametrize("mode", ["sequential", "batched"])
def test_language_is_detected_or_given(multilingual_whisper_folder: Path, phone: Samples, mode: str) -> None:
    piece = phone[7 * 16000 : 12 * 16000]
    whisper = load_whisper(settings_for(multilingual_whisper_folder, whisper_mode=mode))
    heard = whisper(piece)
    assert heard.language in whisper._model.supported_languages
    assert heard.language_probability is not None and 0 < heard.language_probability <= 1
    given = whisper(piece, language="de")
    assert (given.language, given.language_probability) == ("de", None)
    german = load_whisper(settings_for(multilingual_whisper_folder, whisper_mode=mode, language="de-AT"))
    assert german(piece) == given
    assert german(piece, language="en").language == "en"


def test_a_language_that_the_model_does_not_know_is_refused(
    whisper_folder: Path, multilingual_whisper_folder: Path, phone: Samples
) -> None:
    english = load_whisper(settings_for(whisper_folder, language="en_US"))
    assert english(phone[7 * 16000 : 10 * 16000]).language_probability is None
    with pytest.raises(ListeningError, match="language: 'de' was asked for, but Whisper whisper-seeded knows English"):
        english(phone, language="de")
    with pytest.raises(ListeningError, match="language: 'klingon' is none that Whisper whisper-multilingual knows"):
        load_whisper(settings_for(multilingual_whisper_folder, language="klingon"))
    with pytest.raises(ListeningError, match="language: 'yue' is none that"):  # newer than this vocabulary
        load_whisper(settings_for(multilingual_whisper_folder, language="yue"))


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
