"""Which engine listens, and what an engine's transcript says of itself. Whisper's own ways are in test_whisper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import ListeningError, UsageError
from pipeline.listen.transcribe import Transcript, choose_engine
from pipeline.records import Word
from pipeline.settings import ListenSettings


def test_sphinx_is_taken_without_a_word_where_it_was_asked_for() -> None:
    engine, said = choose_engine(ListenSettings(engine="sphinx"))
    assert (engine.name, said) == ("sphinx", None)
    assert engine.warnings
    engine.close()


def test_an_unknown_engine_is_answered_with_the_list() -> None:
    with pytest.raises(UsageError, match="engine: 'siri' is unknown; choose one of auto, whisper, sphinx"):
        choose_engine(ListenSettings(engine="siri"))  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [ListenSettings(engine="sphinx"), ListenSettings(whisper_model="/no/such/folder")])
def test_another_language_than_english_is_not_given_to_the_embedded_engine(settings: ListenSettings) -> None:
    with pytest.raises(ListeningError, match="language: 'de' was asked for, but the embedded engine knows US English"):
        choose_engine(replace(settings, language="de"))
    engine, _ = choose_engine(replace(settings, language="en"))
    assert engine.name == "sphinx"
    engine.close()


def test_another_language_given_with_a_call_is_refused_too() -> None:
    engine, _ = choose_engine(ListenSettings(engine="sphinx"))
    with pytest.raises(ListeningError, match="language: 'fr' was asked for, but the embedded engine knows US English"):
        engine(np.zeros(16000, np.float32), language="fr")
    heard = engine(np.zeros(16000, np.float32), language="en-GB")
    assert (heard.words, heard.language, heard.language_probability, heard.dropped) == ((), "en", None, ())
    engine.close()


def test_confidence_is_the_mean_of_the_words_that_have_one() -> None:
    words = (Word("a", 0, 1, 0.5), Word("b", 1, 2, 1.0), Word("c", 2, 3))
    assert Transcript(words).confidence == 0.75
    assert Transcript(words[2:]).confidence is None
    assert Transcript(()).confidence is None
