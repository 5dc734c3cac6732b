"""Clips and the page's playback file: right length, right place, same bytes, readable by our own decoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import OutputError
from pipeline.listen.clips import cut, write_playback
from pipeline.listen.media import RATE, Audio, decode


@pytest.fixture(scope="module")
def audio(two_channels: Path) -> Audio:
    return decode(two_channels)


def test_playback_is_a_small_constant_rate_mp3_of_the_whole_call_with_the_same_bytes_each_time(
    audio: Audio, tmp_path: Path
) -> None:
    first = write_playback(audio, tmp_path / "a.mp3").read_bytes()
    second = write_playback(audio, tmp_path / "b.mp3").read_bytes()
    assert first == second
    assert len(first) < 4200 * audio.duration  # 32 kbit/s is 4,000 bytes a second
    heard = decode(tmp_path / "a.mp3")
    assert (heard.channels, heard.sample_rate) == (1, RATE)
    assert heard.duration == pytest.approx(audio.duration, abs=0.15)
    assert b"Lavf" not in first


def test_both_channels_are_heard_in_it_without_clipping(audio: Audio, tmp_path: Path) -> None:
    heard = decode(write_playback(audio, tmp_path / "a.mp3")).channel(0)
    assert np.abs(heard).max() <= 1.0
    for channel in range(2):
        loud = int(np.abs(audio.channel(channel)).argmax())
        assert np.abs(heard[max(0, loud - 3200) : loud + 3200]).max() > 0.1


@pytest.mark.parametrize("suffix", ["mp3", "wav", "flac"])
def test_a_clip_holds_the_stretch_that_was_asked_for(audio: Audio, tmp_path: Path, suffix: str) -> None:
    clip = decode(cut(audio, 2.0, 4.5, tmp_path / f"clip.{suffix}"))
    assert clip.duration == pytest.approx(2.5, abs=0.15)
    if suffix != "mp3":
        wanted = audio.samples[:, 2 * RATE : round(4.5 * RATE)].sum(axis=0)
        assert np.corrcoef(clip.channel(0), wanted)[0, 1] > 0.999


def test_times_outside_the_call_are_brought_into_it_and_an_empty_clip_is_refused(audio: Audio, tmp_path: Path) -> None:
    clip = decode(cut(audio, audio.duration - 1, audio.duration + 5, tmp_path / "end.wav"))
    assert clip.duration == pytest.approx(1.0, abs=0.01)
    with pytest.raises(OutputError, match=r"a clip from 9 s to 3 s holds nothing; the call has \d+\.\d s"):
        cut(audio, 9, 3, tmp_path / "none.mp3")


def test_an_unwritable_place_is_named(audio: Audio, tmp_path: Path) -> None:
    for write in (lambda path: write_playback(audio, path), lambda path: cut(audio, 0, 1, path)):
        with pytest.raises(OutputError, match=r"no-folder.*cannot be written"):
            write(tmp_path / "no-folder" / "a.mp3")
    assert list(tmp_path.iterdir()) == []
