"""The embedded engine: what it understands, and that order, history and workers do not change a word."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from jiwer import wer

from pipeline.errors import ListeningError
from pipeline.listen.media import RATE, decode
from pipeline.listen.speech import find_speech
from pipeline.listen.sphinx import SphinxTranscriber

SAID = (
    "thanks for making the time today does half an hour still work for you "
    "two weeks is a long time shall we look at that first",
    "yes that works we lose about two weeks on every new customer please do",
)


@pytest.mark.parametrize("channel", [0, 1])
def test_clear_speech_comes_out_mostly_right(two_channels: Path, sphinx: SphinxTranscriber, channel: int) -> None:
    transcript = sphinx(decode(two_channels).channel(channel))
    assert wer(SAID[channel], " ".join(word.text for word in transcript.words)) < 0.3
    assert transcript.language == "en"


def test_words_are_plain_timed_and_rated(two_channels: Path, sphinx: SphinxTranscriber) -> None:
    audio = decode(two_channels)
    words = sphinx(audio.channel(0)).words
    assert all(word.text.replace("'", "").replace(".", "").isalpha() for word in words)
    assert all(0 <= word.start < word.end <= audio.duration for word in words)
    assert list(words) == sorted(words, key=lambda word: word.start)
    rates = [word.probability for word in words]
    assert all(rate is not None and 0 <= rate <= 1 for rate in rates)
    assert min(rates) < max(rates)  # they tell sure words from unsure ones


def test_the_same_words_come_out_whatever_was_heard_before_and_in_any_order(two_channels: Path) -> None:
    audio = decode(two_channels)
    pieces = [
        audio.channel(channel)[round(start * RATE) : round(end * RATE)]
        for channel in range(2)
        for start, end in find_speech(audio.channel(channel))
    ]
    assert len(pieces) >= 4
    engine = SphinxTranscriber(1)
    whole = [((0.0, len(piece) / RATE),) for piece in pieces]
    first = [engine(piece, stretches=where) for piece, where in zip(pieces, whole, strict=True)]
    back = [engine(piece, stretches=where) for piece, where in zip(pieces[::-1], whole[::-1], strict=True)]
    engine.close()
    assert first == back[::-1]


def test_one_worker_and_two_give_the_same_words(two_channels: Path, sphinx: SphinxTranscriber) -> None:
    samples = decode(two_channels).channel(0)
    one = SphinxTranscriber(1)
    assert one(samples) == sphinx(samples)
    one.close()


def test_two_calls_side_by_side_give_the_same_words(two_channels: Path, sphinx: SphinxTranscriber) -> None:
    channels = [decode(two_channels).channel(index) for index in (0, 1)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(sphinx, channels)) == [sphinx(channel) for channel in channels]


def test_silence_and_very_short_stretches_give_no_words(sphinx: SphinxTranscriber) -> None:
    assert sphinx(np.zeros(RATE * 2, np.float32)).words == ()
    assert sphinx(np.ones(200, np.float32), stretches=[(0.0, 0.0125)]).words == ()


def test_a_closed_engine_and_one_whose_process_died_say_so(two_channels: Path) -> None:
    samples = decode(two_channels).channel(0)
    engine = SphinxTranscriber(1)
    engine._workers[0]._child.kill()
    with pytest.raises(ListeningError, match=r"process ended \(status -?\d+\) while it listened\. Check that"):
        engine(samples)
    assert engine(samples).words  # a fresh process took its place
    engine.close()
    with pytest.raises(ListeningError, match="was closed"):
        engine(samples)
