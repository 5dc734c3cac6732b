"""RTTM: lines by hand, the round trip, and how a broken file is refused."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import TranscriptError
from pipeline.listen.rttm import read_rttm, write_rttm
from pipeline.records import SpeechSegment


def test_write_rttm_sorts_rounds_and_joins_labels():
    segments = [SpeechSegment("Ann Lee", 2.0, 3.2504), SpeechSegment("王小明", 0.25, 2.5), SpeechSegment("x", 1.0, 1.0)]

    assert write_rttm(segments, "call 7") == (
        "SPEAKER call_7 1 0.250 2.250 <NA> <NA> 王小明 <NA> <NA>\n"
        "SPEAKER call_7 1 2.000 1.250 <NA> <NA> Ann_Lee <NA> <NA>\n"
    )


def test_write_rttm_keeps_labels_apart_that_would_be_equal():
    labels = ["Ann Lee", "Ann_Lee", "Ann  Lee", " "]
    text = write_rttm([SpeechSegment(label, n, n + 1.0) for n, label in enumerate(labels)], "c")

    assert [line.split()[7] for line in text.splitlines()] == ["Ann_Lee_3", "Ann_Lee", "Ann_Lee_2", "unknown"]


def test_write_rttm_of_nothing_is_empty():
    assert write_rttm([], "c") == ""


@pytest.mark.parametrize(("start", "end"), [(2.0, 1.0), (-1.0, 1.0), (0.0, float("nan")), (0.0, float("inf"))])
def test_write_rttm_refuses_impossible_segments(start, end):
    with pytest.raises(ValueError, match="a segment starts at 0 or later, and ends after it starts"):
        write_rttm([SpeechSegment("A", start, end)], "c")


def test_read_rttm_picks_one_recording_and_skips_other_lines(tmp_path):
    path = tmp_path / "a.rttm"
    path.write_text(
        ";; a comment\nSPKR-INFO one 1 <NA> <NA> <NA> unknown A <NA>\nSPEAKER one 1 5 1.5 <NA> <NA> B <NA>\n\n"
        "SPEAKER one 1 0.1 0.2 <NA> <NA> A <NA> <NA>\r\nSPEAKER the_other 1 0 9 <NA> <NA> C <NA> <NA>\n"
    )

    assert read_rttm(path, "one") == (SpeechSegment("A", 0.1, 0.3), SpeechSegment("B", 5.0, 6.5))
    assert read_rttm(path, "the other") == (SpeechSegment("C", 0.0, 9.0),)
    with pytest.raises(TranscriptError, match=r"lines of 2 recordings \(one, the_other\)\. Say which one by its uri"):
        read_rttm(path)
    with pytest.raises(TranscriptError, match="no SPEAKER line of 'three'"):
        read_rttm(path, "three")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no SPEAKER line. Each line reads: SPEAKER uri"),
        (b"SPEAKER c 1 0 1 A\n", "line 1: 6 fields, where 9 or 10 are allowed"),
        (b"\nSPEAKER c 1 zero 1 <NA> <NA> A <NA> <NA>\n", "line 2: start 'zero', duration '1'; allowed are seconds"),
        (b"SPEAKER c 1 0 -1 <NA> <NA> A <NA> <NA>\n", "line 1: start '0', duration '-1'"),
        (b"SPEAKER c 1 nan 1 <NA> <NA> A <NA> <NA>\n", "line 1: start 'nan', duration '1'"),
        (b"SPEAKER c 1 0 1 <NA> <NA> \xe9 <NA> <NA>\n", "this is not UTF-8 text (byte 26). Save it as UTF-8."),
    ],
)
def test_read_rttm_refuses_a_broken_file(tmp_path, content, message):
    path = tmp_path / "a.rttm"
    path.write_bytes(content)
    with pytest.raises(TranscriptError) as caught:
        read_rttm(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_read_rttm_of_a_missing_file(tmp_path):
    with pytest.raises(TranscriptError, match=r"cannot be read: No such file or directory\. Check the path"):
        read_rttm(tmp_path / "gone.rttm")


LABEL = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=12)
SEGMENT = st.tuples(LABEL, st.integers(0, 10**8), st.integers(1, 10**7))


@settings(max_examples=60, deadline=None)
@given(st.lists(SEGMENT, min_size=1, max_size=10))
def test_what_write_rttm_writes_reads_back(parts):
    segments = [SpeechSegment(label, start / 1000, (start + length) / 1000) for label, start, length in parts]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call.rttm"
        path.write_text(write_rttm(segments, "a call"), encoding="utf-8", newline="")
        assert read_rttm(path) == tuple(sorted(segments, key=lambda one: (one.start, one.end, one.speaker)))
