"""STM files: what is read, what is left out, and the wording of every fault."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeline.errors import TranscriptError
from pipeline.listen.stm import read_stm
from pipeline.records import Turn


def stm(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "call.stm"
    path.write_bytes(text.encode(encoding))
    return path


def test_stm_lines_become_turns_by_start_with_or_without_labels(tmp_path):
    path = stm(
        tmp_path,
        ';; CATEGORY "0" "" ""\n'
        "call 1 Sheila 7.634 8.155 <o,f0,female> Hello?\n"
        "\n"
        "call 1 Diane 6.68 7.16 Hello there.\n"
        "call 1 Diane 9 10.5 <o,f0,female>\n",
    )
    assert read_stm(path) == (Turn("Diane", "Hello there.", 6.68, 7.16), Turn("Sheila", "Hello?", 7.634, 8.155))


def test_stm_of_alternatives_the_first_counts_and_at_is_no_word(tmp_path):
    path = stm(tmp_path, "call 1 A 0 1 we {are / 're} {uh / @} { { gonna / x } / going to } go @\n")
    assert read_stm(path)[0].text == "we are uh gonna go"


def test_stm_lines_of_one_recording_are_picked_by_its_name(tmp_path):
    path = stm(tmp_path, "one 1 A 0 1 first\ntwo 1 B 0 1 second\n")
    assert read_stm(path, "two") == (Turn("B", "second", 0.0, 1.0),)
    with pytest.raises(TranscriptError, match=r"lines of 2 recordings \(one, two\). Keep those of one"):
        read_stm(path)
    with pytest.raises(TranscriptError, match=r"no line with words of 'three'\. Each line reads: file channel"):
        read_stm(path, "three")


def test_stm_of_the_phone_call_that_pyannote_ships():
    [folder] = find_spec("pyannote").submodule_search_locations  # importing pyannote.audio takes seconds
    turns = read_stm(Path(folder) / "audio" / "sample" / "sample.stm")
    assert len(turns) == 13
    assert turns[0] == Turn("Diane", "Hello?", 6.68, 7.16)
    assert {turn.speaker for turn in turns} == {"Diane", "Sheila"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("call 1 A 0", "line 2: 4 fields. Allowed: 5 fields and the text. Each line reads: file channel speaker"),
        ("call 1 A zero 1 hm", "line 2: the start time 'zero' is not a number. Allowed: seconds."),
        ("call 1 A 2 1 hm", "line 2: the end 1.000 s is before the start 2.000 s"),
        ("call 1 A 0 nan hm", "line 2: the end time nan is out of range"),
        ("call 1 A 0 1 IGNORE_TIME_SEGMENT_IN_SCORING", "line 2: the stretch is marked ignore_time_segment_in_scoring"),
    ],
)
def test_stm_a_broken_line_is_named(tmp_path, line, message):
    with pytest.raises(TranscriptError) as told:
        read_stm(stm(tmp_path, f"call 1 A 0 1 hello\n{line}\n"))
    assert message in str(told.value)


def test_stm_that_cannot_be_read_says_why(tmp_path):
    with pytest.raises(TranscriptError, match=r"cannot be read: No such file or directory\. Check the path"):
        read_stm(tmp_path / "none.stm")
    with pytest.raises(TranscriptError, match=r"not UTF-8 text \(byte 16\). Save it as UTF-8."):
        read_stm(stm(tmp_path, "call 1 A 0 1 caf\xe9\n", "latin-1"))
    with pytest.raises(TranscriptError, match=r"no line with words\. Each line reads"):
        read_stm(stm(tmp_path, ";; nothing\n"))
