"""Plain text transcripts: headers, times and labels as people have them, and what is refused."""

from pathlib import Path

import pytest

from pipeline.errors import TranscriptError
from pipeline.listen.captions import Imported, looks_like_transcript, read_transcript
from pipeline.records import Turn

STARTS_ONLY = "the file tells when turns start and not when they end: talk is counted in words"
SAMPLES = Path(__file__).parent / "transcripts"


def sample(name: str) -> Imported:
    return read_transcript(SAMPLES / name)


# --- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape",
    [
        "{n}  {t}\n{w}\n\n",
        "{n}  {t}  \n{w}\n",
        "{n}\t{t}\n{w}\n",
        "{n}    00:0{t}\n{w}\n\n",
        "{n} (00:0{t}):\n{w}\n\n",
        "{n} (00:0{t}): {w}\n",
        "{n} (00:0{t})\n{w}\n",
        "{n}: [{t}] {w}\n",
        "{n} [0{t}]: {w}\n",
        "[{n}] 00:0{t}\n{w}\n",
        "[00:0{t}] {n}: {w}\n",
        "(0{t}) {n}: {w}\n",
        "00:0{t} {n}: {w}\n",
        "0{t} - {n}: {w}\n",
        "00:0{t}.000\t{n}\t{w}\n",
        "[0{t}] {n}\n{w}\n\n",
        "**{n}** (00:0{t}): {w}\n",
        "{n} {t}\n{w}\n\n",
        "{t} {n}\n{w}\n\n",
        "{n} [{t}] {w}\n",
        "{n} - {t}\n{w}\n",
        "[00:0{t}.000] - {n}\n{w}\n\n",
        "{t} | {n}\n{w}\n\n",
        "{n}\n{t}\n{w}\n\n",
    ],
)
def test_text_header(read, shape):
    said = [
        ("Ann Lee", "1:02", "See you at 10:30."),
        ("Bob van Dyk (Acme)", "1:05", "Yes: 5:30."),
        ("Ann Lee", "1:09", "Ok"),
    ]
    if shape in ("{n} {t}\n{w}\n\n", "{t} {n}\n{w}\n\n", "{n} [{t}] {w}\n", "{n} - {t}\n{w}\n"):
        said[1] = ("Bob van Dyk", *said[1][1:])
    imported = read("a.txt", "".join(shape.format(n=n, t=t, w=w) for n, t, w in said))

    assert imported.turns == tuple(
        Turn(name, text, start) for (name, _, text), start in zip(said, (62.0, 65.0, 69.0), strict=True)
    )
    assert imported.warnings == (STARTS_ONLY,)


def test_text_with_both_times(read):
    imported = read(
        "a.txt", "[00:00.000 --> 00:02.500]  SPEAKER_00: Hi.\n[00:02.500 --> 00:04.000]  SPEAKER_01: Hello.\n"
    )

    assert imported.turns == (Turn("SPEAKER_00", "Hi.", 0.0, 2.5), Turn("SPEAKER_01", "Hello.", 2.5, 4.0))


def test_text_with_minutes_above_an_hour_and_times_between(read):
    content = "Ann  75:10\nHi.\n\nBob  1:15:20\nYes.\n76:00\nAnd so on.\n"

    imported = read("a.txt", content)

    assert imported.turns == (Turn("Ann", "Hi.", 4510.0), Turn("Bob", "Yes. And so on.", 4520.0))
    assert imported.warnings[0] == "1 line (at line 6) with nothing but a time: left out"


def test_text_labels_with_times_between_as_meet_writes_them(read):
    content = (
        "Weekly - Transcript\nAttendees\nAnn Lee, Bob Ray\n\n00:00:00\n\nAnn Lee: Shall we: start?\nBob Ray: Yes.\n"
        "00:05:00\nAnn Lee: Good.\nAnn Lee: The price.\n\nMeeting ended after 00:06:12\n"
    )

    imported = read("a.txt", content)

    assert imported.turns == (
        Turn("Ann Lee", "Shall we: start?"),
        Turn("Bob Ray", "Yes."),
        Turn("Ann Lee", "Good. The price."),
    )
    assert imported.warnings[1:3] == (
        "1 line (at line 13) of a footer: left out",
        "1 line (at line 9) with nothing but a time: left out",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_text_encodings_line_ends_and_control_characters(read, encoding, line_end):
    content = "Zoë\u00a0\u00a00:03\nGrüße\x00 \u200f!\n\n李  0:09\n你好\n".replace("\n", line_end)

    imported = read("a.txt", content.encode(encoding))

    assert [(turn.speaker, turn.text) for turn in imported.turns] == [("Zoë", "Grüße \u200f!"), ("李", "你好")]


NO_TRANSCRIPTS = [
    "Ann: hi",
    "just some words\nand more",
    "From: Ann Lee\nTo: Bob Ray\nSubject: Offer\n\nHi Bob,\n\nsee you at 10:30.\n\nBest: Ann",
    "host: localhost\nport: 80\nname: x\n",
    "INFO: started\nWARNING: slow\nINFO: stopped\nWARNING: gone\n",
    "# Samples\n\nNote: one.\n\nMore words.\n\nNote: two.\n\nMore words.\n\nStill more.\n",
    "We meet at  10:30\nthey come at  11:30\n",
    "Monday we meet (10:30) and talk.\n",
    "",
]


@pytest.mark.parametrize("content", NO_TRANSCRIPTS)
def test_text_that_is_no_transcript(read, tmp_path, content):
    (tmp_path / "x.txt").write_text(content)
    assert not looks_like_transcript(tmp_path / "x.txt")
    with pytest.raises(
        TranscriptError, match=r"x\.txt: (no speakers can be told in this text\. Allowed: 'Name|the file is emp)"
    ):
        read("x.txt", content)


def test_text_files_are_read_as_what_they_are(read):
    vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi.\n"
    srt = "1\n00:00:01,000 --> 00:00:02,000\nAnn: Hi.\n"
    items = [{"speaker": "Ann", "start": 1, "end": 2, "text": "Hi."}]
    found = [
        read("a.txt", vtt),
        read("a.txt", srt),
        read("a.txt", items),
        read("a.txt", {"segments": items}),
    ]

    assert [one.format for one in found] == ["vtt", "srt", "json", "json"]
    assert {one.turns for one in found} == {(Turn("Ann", "Hi.", 1.0, 2.0),)}


def test_text_time_out_of_range(read):
    with pytest.raises(TranscriptError, match=r"line 1: the end 1\.000 s is before the start 2.000 s"):
        read("a.txt", "[00:02 --> 00:01] Ann: Hi.\n[00:03 --> 00:04] Bob: Yes.\n")
