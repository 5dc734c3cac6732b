"""Stretches out of an RTTM file: whose lines, clipped to the recording, and how another recording's file is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ListeningError, TranscriptError
from pipeline.listen.media import RATE
from pipeline.listen.rttm import write_rttm
from pipeline.listen.rttm_diarizer import RttmDiarizer
from pipeline.records import SpeechSegment

SPOKEN = [SpeechSegment("rep", 0.5, 4.0), SpeechSegment("Ann_Lee", 3.5, 9.0), SpeechSegment("rep", 9.2, 10.4)]


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "call.rttm"
    path.write_text(write_rttm(SPOKEN, "a call"))
    return path


def test_the_file_s_stretches_keep_their_labels_and_end_with_the_recording(file: Path) -> None:
    diarizer = RttmDiarizer(file)
    assert diarizer(silence(12.0)) == tuple(SPOKEN)
    told: list[tuple[int, int]] = []
    clipped = diarizer(silence(10.0), speakers=(2, 2), stretches=[(0.0, 1.0)], progress=lambda *at: told.append(at))
    assert clipped == (*SPOKEN[:2], SpeechSegment("rep", 9.2, 10.0))
    assert told == [(1, 1)]
    assert diarizer.name == "RTTM file call.rttm"
    assert diarizer.models == (("rttm", f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"),)
    assert (diarizer.trust, diarizer.warnings) == ("high", ())


def test_a_stretch_that_lies_behind_the_end_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.rttm"
    path.write_text(write_rttm([SpeechSegment("a", 0.0, 3.0), SpeechSegment("b", 3.2, 3.8)], "a"))
    assert RttmDiarizer(path)(silence(3.1)) == (SpeechSegment("a", 0.0, 3.0),)


def test_lines_far_behind_the_recording_s_end_are_another_recording_s(file: Path) -> None:
    with pytest.raises(ListeningError, match=r"its last line ends at 10\.4 s, but the recording is 5\.0 s long") as got:
        RttmDiarizer(file)(silence(5.0))
    assert str(got.value).startswith(str(file))
    assert "`rttm` column" in str(got.value)


def test_of_several_recordings_the_one_of_that_name_is_read(tmp_path: Path) -> None:
    path = tmp_path / "all.rttm"
    other = [SpeechSegment("x", 0.0, 2.0)]
    path.write_text(write_rttm(SPOKEN, "call 7") + write_rttm(other, "second.wav"))
    assert RttmDiarizer(path, Path("calls/call 7.wav"))(silence(12.0)) == tuple(SPOKEN)
    assert RttmDiarizer(path, Path("second.wav"))(silence(2.0)) == tuple(other)
    with pytest.raises(TranscriptError, match=r"lines of 2 recordings \(call_7, second\.wav\), and none is named 'c'"):
        RttmDiarizer(path, Path("c.wav"))
    with pytest.raises(TranscriptError, match="Say which one by its uri"):
        RttmDiarizer(path)


def test_the_only_recording_of_a_file_may_have_any_name(file: Path) -> None:
    assert RttmDiarizer(file, Path("other.wav"))(silence(12.0)) == tuple(SPOKEN)


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "no SPEAKER line"), ("SPEAKER c 1 0 1 A\n", "line 1: 6 fields"), (None, "cannot be read: No such file")],
)
def test_a_broken_or_missing_file_is_refused_before_anybody_listens(
    tmp_path: Path, content: str | None, message: str
) -> None:
    path = tmp_path / "a.rttm"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TranscriptError, match=message):
        RttmDiarizer(path, Path("a.wav"))
