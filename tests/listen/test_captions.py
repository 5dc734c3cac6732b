"""Transcript imports: what each format gives, what is kept and said, and how a broken file is refused."""

import hashlib
import json
import string
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import TranscriptError
from pipeline.listen.captions import MAX_BYTES, Imported, read_transcript, write_vtt
from pipeline.listen.captions_cue import format_clock, parse_clock, plain
from pipeline.records import Call, ListeningQuality, Participant, Turn

SAMPLES = Path(__file__).parent / "transcripts"


@pytest.fixture
def read(tmp_path):
    """Write a transcript of this name and content, and read it."""

    def write_and_read(name: str, content: str | bytes) -> Imported:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_transcript(path)

    return write_and_read


def vtt(*cues: str) -> str:
    """A WebVTT file of cues of one second each, one after the other."""
    blocks = [f"{format_clock(n)} --> {format_clock(n + 1)}\n{cue}\n" for n, cue in enumerate(cues)]
    return "\n".join(["WEBVTT\n", *blocks])


def said(imported: Imported) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in imported.turns]


# --- WebVTT ---------------------------------------------------------------------------------------


def test_vtt_with_everything_in_it():
    imported = read_transcript(SAMPLES / "meeting.vtt")

    assert imported.turns == (
        Turn("Ann Lee", "Thanks for the time today, Søren & team.", 0.4, 4.12),
        Turn("Søren Ødegård", "Of course. We have two questions about the price <list>.", 4.5, 7.0),
        Turn("Ann Lee", "Happy to.", 6.0, 7.714),
        Turn("田中 健", "One more from me, please.", 7.714, 12.0),
        Turn("unknown", "(somebody coughs)", 14.0, 16.0),
        Turn("Ann Lee", 'Here\'s the thing: it works <script>alert("x")</script> 🎉', 3600.0, 3602.0),
    )
    assert imported.speakers == ("Ann Lee", "Søren Ødegård", "田中 健", "unknown")
    assert imported.duration == 3602.0
    assert imported.format == "vtt"
    assert imported.sha256 == hashlib.sha256((SAMPLES / "meeting.vtt").read_bytes()).hexdigest()
    assert imported.warnings == (
        "1 cue (at line 22) with several voices: split, their time shared by the number of words",
        "1 cue (at line 26) without text: left out, and not counted",
        "1 cue (at line 29) without a speaker: taken as 'unknown'",
        "1 cue (at line 22) starting before an earlier one ends: kept",
    )


def test_vtt_cues_are_turns_in_file_order_and_those_of_one_turn_are_joined(read):
    imported = read("a.vtt", vtt("<v Ann>One.", "<v Ann>Two.", "<v Bob>Three.", "<v Ann>One."))

    assert imported.turns == (
        Turn("Ann", "One. Two.", 0.0, 2.0),
        Turn("Bob", "Three.", 2.0, 3.0),
        Turn("Ann", "One.", 3.0, 4.0),
    )
    assert imported.warnings == ()


def test_vtt_backward_and_overlapping_times_are_kept_and_said(read):
    imported = read(
        "a.vtt",
        "WEBVTT\n\n00:10.000 --> 00:15.000\n<v Ann>Late.\n\n00:02.000 --> 00:03.000\n<v Bob>Early.\n\n"
        "00:03.000 --> 00:04.000\n<v Ann>Then.\n\n00:20.000 --> 00:21.000\n<v Bob>End.\n",
    )

    assert [turn.start for turn in imported.turns] == [10.0, 2.0, 3.0, 20.0]
    assert imported.warnings == (
        "1 cue (at line 6) starting before the cue above: kept in file order",
        "1 cue (at line 9) starting before an earlier one ends: kept",
    )


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("<v Ann>Hello</v> there", [("Ann", "Hello there")]),
        ("Well, <v Ann>hello</v>", [("Ann", "Well, hello")]),
        ("<v Ann>Hi.\n<v Ann>Again.", [("Ann", "Hi. Again.")]),
        ("<v Ann>Hi <v Bob>Yo <v Ann>Ha", [("Ann", "Hi"), ("Bob", "Yo"), ("Ann", "Ha")]),
        ("<v Ann></v><v Bob>Yo", [("Bob", "Yo")]),
        ("<v Tom &amp; Jane>Hi", [("Tom & Jane", "Hi")]),
        ("<v  Ann   Lee >Hi", [("Ann Lee", "Hi")]),
        ("<v.a.b Ann>Hi", [("Ann", "Hi")]),
        ("<v Ann>a < b > c <d> &unknown; AT&T &lt; &#8217;", [("Ann", "a < b > c <d> &unknown; AT&T < \u2019")]),
        ("<v Ann><lang en>Hi</lang> <ruby>k<rt>x</rt></ruby>", [("Ann", "Hi kx")]),
        ("<v Ann>A --> B", [("Ann", "A --> B")]),
        ("<v Ann>no\x00 bell\x07 tab\there", [("Ann", "no bell tab here")]),
        ("<v Ann>e\u0301 is not \u00e9", [("Ann", "e\u0301 is not \u00e9")]),
        ("<v Ann>line\u2028break", [("Ann", "line break")]),
        (" \n<v Ann>after a blank", [("Ann", "after a blank")]),
        ("<v שרה>שלום", [("שרה", "שלום")]),
        ("<v Ann>42", [("Ann", "42")]),
        ("<v Ann>Note: this", [("Ann", "Note: this")]),
    ],
)
def test_vtt_cue_text(read, payload, expected):
    assert said(read("a.vtt", vtt(payload))) == expected


def test_vtt_several_voices_share_the_time_by_words(read):
    first, second = read("a.vtt", vtt("<v Ann>one two three <v Bob>four")).turns

    assert (first.start, first.end, second.start, second.end) == (0.0, 0.75, 0.75, 1.0)


def test_vtt_without_blank_lines_between_cues(read):
    imported = read("a.vtt", "WEBVTT\n1\n00:00.000 --> 00:01.000\n<v Ann>Hi\n2\n00:01.000 --> 00:02.000\n<v Bob>Yo")

    assert said(imported) == [("Ann", "Hi"), ("Bob", "Yo")]


def test_vtt_note_that_holds_a_cue_stays_a_note(read):
    imported = read("a.vtt", vtt("<v Ann>Hi") + "\nNOTE\n00:05.000 --> 00:06.000\n<v Bob>Hidden\n")

    assert said(imported) == [("Ann", "Hi")]


def test_vtt_text_of_no_cue_is_left_out_and_said(read):
    imported = read("a.vtt", vtt("<v Ann>Hi") + "\nlost words\nand more\n")

    assert said(imported) == [("Ann", "Hi")]
    assert imported.warnings == ("1 block (at line 6) without a time line: left out",)


def test_vtt_labels_of_meeting_software():
    imported = read_transcript(SAMPLES / "zoom.vtt")

    assert said(imported) == [
        ("Todd Keeler", "Morning, Maria. Can you hear me?"),
        ("Maria de la Cruz", "Loud and clear."),
        ("Todd Keeler", "Great. Three things: price, timing and rollout."),
        ("unknown", "So here is how I see it: we start small."),
        ("王小明", "好的。"),
    ]
    assert imported.warnings == ("1 cue (at line 16) without a speaker: taken as 'unknown'",)


@pytest.mark.parametrize(
    ("cues", "speakers"),
    [
        (["rep: hi", "customer: hello"], ("rep", "customer")),
        (["SPEAKER_00: hi", "SPEAKER_01: hello"], ("SPEAKER_00", "SPEAKER_01")),
        (["Dr. Smith, MD: hi", "[Ann]: hello"], ("Dr. Smith, MD", "Ann")),
        ([">> ANN: hi", "- Bob (Acme): hello"], ("ANN", "Bob (Acme)")),
        (["Ann: at 10:30", "Bob: https://x.test"], ("Ann", "Bob")),
        (["Ann: a", "b", "c", "d", "e", "Ann: f", "Note: g", "h"], ("Ann", "unknown")),
        (["<b>Ann:</b> hi", "<b>Bob</b>: hi"], ("Ann", "Bob")),
    ],
)
def test_labels_that_are_names(read, cues, speakers):
    assert read("a.vtt", vtt(*cues)).speakers == speakers


def test_labels_are_text_where_the_file_has_voice_tags(read):
    assert said(read("a.vtt", vtt("<v Ann>Bob: said so", "Bob: hi"))) == [
        ("Ann", "Bob: said so"),
        ("unknown", "Bob: hi"),
    ]


# --- SRT and JSON ---------------------------------------------------------------------------------


def test_srt_with_labels_crlf_and_a_blank_line_in_a_cue():
    imported = read_transcript(SAMPLES / "fleet.srt")

    assert imported.turns == (
        Turn("Rep", "Hello, this is Ann. I call about the fleet. Is it a good time?", 1.0, 5.062),
        Turn("Customer", "Yes & no. Go on. I have ten minutes.", 5.062, 8.0),
        Turn("Rep", "Good.", 8.5, 9.0),
    )
    assert imported.format == "srt"


def test_json_object_with_numbers_strings_and_numbered_speakers():
    imported = read_transcript(SAMPLES / "clinic.json")

    assert imported.turns == (
        Turn("Rep", "Good morning, Doctor.", 0.0, 2.5),
        Turn("Dr. Okafor", "Good morning.", 2.75, 4.0),
        Turn("3", "Hi: I am the nurse.", 4.25, 5.0),
    )
    assert (imported.format, imported.duration, imported.warnings) == ("json", 5.0, ())


def test_json_without_times():
    imported = read_transcript(SAMPLES / "untimed.json")

    assert imported.turns == (Turn("Ann", "Shall we start?"), Turn("Bob", "Yes, let's."))
    assert imported.duration is None
    assert imported.warnings == ("no cue has times: nothing that needs them is measured",)


@pytest.mark.parametrize("key", ["turns", "segments", "utterances", "transcript"])
def test_json_list_under_each_key(read, key):
    imported = read("a.json", json.dumps({key: [{"speaker": "Ann", "start": 1, "end": 2, "text": "Hi"}]}))

    assert imported.turns == (Turn("Ann", "Hi", 1.0, 2.0),)


def test_json_milliseconds_and_times_given_in_part(read):
    items = [
        {"speaker": "Ann", "start_ms": 1250, "end_ms": 2000, "text": "Hi"},
        {"speaker": "", "start": 3, "end": None, "text": "half \ud800 a pair"},
    ]
    imported = read("a.json", json.dumps(items))

    assert imported.turns == (Turn("Ann", "Hi", 1.25, 2.0), Turn("unknown", "half \ufffd a pair", 3.0, None))
    assert imported.duration == 3.0
    assert imported.warnings == (
        "1 cue (at item[1]) without a speaker: taken as 'unknown'",
        "1 cue (at item[1]) without a start or an end time",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(read, encoding, line_end):
    imported = read("a.vtt", vtt("<v Zoë>Grüße", "<v 李>你好").replace("\n", line_end).encode(encoding))

    assert said(imported) == [("Zoë", "Grüße"), ("李", "你好")]


# --- what is refused ------------------------------------------------------------------------------

FAULTS = [
    ("a.vtt", "", "the file is empty"),
    ("a.vtt", " \n\n", "the file is empty"),
    ("a.vtt", "1\n00:00.000 --> 00:01.000\n<v A>x", "line 1: the first line is '1', not a WebVTT header"),
    ("a.vtt", "WEBVTTX\n\n00:00.000 --> 00:01.000\n<v A>x", "line 1: the first line is 'WEBVTTX'"),
    ("a.vtt", "WEBVTT", "there is no cue with text among 0 cues"),
    ("a.vtt", vtt("<v Ann></v>"), "there is no cue with text among 1 cues"),
    ("a.vtt", vtt("Hello.", "Here is the thing: no."), "none of the 2 cues names a speaker"),
    ("a.vtt", "WEBVTT\n\n00:05.000 --> 00:04.000\n<v A>x", "line 3: the end 4.000 s is before the start 5.000 s"),
    ("a.vtt", "WEBVTT\n\n-00:05.000 --> 00:04.000\n<v A>x", "line 3: the time line '-00:05.000 --> 00:04.000'"),
    ("a.vtt", "WEBVTT\n\n00:75.000 --> 01:80.000\n<v A>x", "line 3: the time line '00:75.000 --> 01:80.000'"),
    ("a.vtt", "WEBVTT\n\n1\nsoon --> later\n<v A>x", "line 4: the time line 'soon --> later' cannot be read"),
    ("a.vtt", "WEBVTT\n\n00:01.000 -> 00:02.000\n<v A>x", "line 3: the time line '00:01.000 -> 00:02.000'"),
    ("a.vtt", vtt("<v A>x") + "0:00:05.000 – 0:00:06.000\ny", "line 5: the time line '0:00:05.000 – 0:00:06.000'"),
    ("a.vtt", "WEBVTT\n\n99:00:00.000 --> 99:00:01.000\n<v A>x", "line 3: the start time 356400.0 is out of range"),
    ("a.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Zo\xeb>x", "line 4: byte 37 is 0xeb, which is not UTF-8"),
    ("a.vtt", "WE".encode("utf-16"), "line 1: the first line is 'WE', not a WebVTT header"),
    ("a.vtt", b"\xff\xfeWE\xd8", "byte 4 is 0xd8, which is not UTF-16"),
    ("a.vtt", bytes(range(256)) * 4, "this is a binary file, not text"),
    ("a.srt", bytes(4096), "this is a binary file, not text"),
    ("a.srt", "WEBVTT\n\n00:00.000 --> 00:01.000\nA: x", "this is WebVTT. Allowed: SubRip"),
    ("a.srt", "1\n00:00:01,000 --> 00:00:61,000\nA: x", "line 2: the time line '00:00:01,000 --> 00:00:61,000'"),
    ("a.srt", "just some words", "there is no cue with text among 0 cues"),
    ("a.doc", "Ann: hi", "'.doc' is not a transcript format. Allowed: a file named .vtt, .srt, .json, .jsonl, .txt"),
    ("a.json", '[\n{"speaker": ]', "line 2: this is not JSON: Expecting value"),
    ("a.json", "[" * 100_000, "lists lie too deep in one another"),
    ("a.json", "[" + "9" * 5000 + "]", "a number is too long"),
    ("a.json", '"words"', "the file holds 'words'"),
    ("a.json", '{"text": "hi", "language": "en"}', "the object has no list of turns, only ['language', 'text']"),
    ("a.json", "[1]", "item[0]: got 1. Allowed: an object {speaker, start, end, text}"),
    ("a.json", '{"turns": [{"speaker": "A"}]}', "turns[0].text: got None. Allowed: a string"),
    ("a.json", '[{"speaker": ["A"], "text": "x"}]', "item[0].speaker: got ['A']. Allowed: a name, a number or null"),
    ("a.json", '[{"speaker": "A", "text": "x", "start": "soon"}]', "item[0].start: got 'soon'"),
    ("a.json", '[{"speaker": "A", "text": "x", "start": true}]', "item[0].start: got True"),
    ("a.json", '[{"speaker": "A", "text": "x", "start": -1}]', "item[0]: the start time -1.0 is out of range"),
    ("a.json", '[{"speaker": "A", "text": "x", "end": NaN}]', "item[0]: the end time nan is out of range"),
    ("a.json", '[{"speaker": "A", "text": "x", "end": 1e999}]', "item[0]: the end time inf is out of range"),
    ("a.json", '[{"speaker": "A", "text": "x", "end": %s}]' % ("9" * 400), "item[0]: the end time inf is out of range"),
    ("a.json", '[{"speaker": "A", "text": "x", "start": 250000}]', "Give the time in seconds (not milliseconds)"),
    ("a.json", '[{"speaker": "A", "text": "x", "start": 2, "end": 1}]', "item[0]: the end 1.000 s is before"),
    ("a.json", '[{"text": "x", "start": 2, "end": 3}]', "none of the 1 cues names a speaker"),
]


@pytest.mark.parametrize(("name", "content", "message"), FAULTS)
def test_faulty_file_is_refused_with_place_value_and_remedy(read, tmp_path, name, content, message):
    with pytest.raises(TranscriptError) as caught:
        read(name, content)

    text = str(caught.value)
    assert text.startswith(str(tmp_path / name))
    assert message in text
    assert "Allowed: " in text
    assert text.endswith(".")


def test_missing_file_folder_and_size(tmp_path):
    with pytest.raises(TranscriptError, match=r"gone\.vtt: the file does not exist\. .* Check the path"):
        read_transcript(tmp_path / "gone.vtt")
    (tmp_path / "folder.vtt").mkdir()
    with pytest.raises(TranscriptError, match="this is not a file"):
        read_transcript(tmp_path / "folder.vtt")
    with (tmp_path / "big.vtt").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(TranscriptError, match=r"the file has 52,428,801 bytes\. Allowed: at most 52,428,800 bytes"):
        read_transcript(tmp_path / "big.vtt")
    with pytest.raises(TranscriptError, match=r"cannot be read: File name too long"):
        read_transcript(tmp_path / ("x" * 300 + ".vtt"))


@pytest.mark.parametrize(
    ("content", "turns"),
    [
        (vtt("<v A>x<v" + " " * 300_000), 1),
        (vtt("<v A>" + "<v x" * 50_000), 1),
        (vtt("<v A>a<v B>b" * 10_000), 20_000),
        (vtt("<v A>x") + "\nlost\n" * 20_000, 1),
    ],
)
def test_hostile_shapes_take_no_more_than_linear_time(read, content, turns):
    # Sized so that anything quadratic takes minutes, which nobody overlooks.
    assert len(read("a.vtt", content).turns) == turns


# --- writing --------------------------------------------------------------------------------------


def test_write_vtt_by_hand():
    turns = (Turn("A", "Is 1 < 2 & 3 --> 4?", 0.5, 3661.25), Turn("B", "Yes.", 3661.25, 3662.0))

    assert write_vtt(turns, {"A": "Ann Lee", "B": None}) == (
        "WEBVTT\n\n0\n00:00:00.500 --> 01:01:01.250\n<v Ann Lee>Is 1 &lt; 2 &amp; 3 --&gt; 4?</v>\n\n"
        "1\n01:01:01.250 --> 01:01:02.000\n<v B>Yes.</v>\n"
    )


def test_write_vtt_of_a_call_uses_its_names_and_keeps_two_of_one_name_apart():
    people = (
        Participant("S1", "Ann", "rep"),
        Participant("S2", "Ann", "customer"),
        Participant("S3", None, "customer"),
    )
    turns = tuple(Turn(speaker, "Hi.", n, n + 1.0) for n, speaker in enumerate(("S1", "S2", "S3")))
    call = Call("c", "discovery", turns, people, 3.0, ListeningQuality("none"))

    voices = [line.split(">")[0] for line in write_vtt(call).splitlines() if line.startswith("<v")]
    assert voices == ["<v Ann (S1)", "<v Ann (S2)", "<v S3"]


def test_write_vtt_estimates_missing_times_and_says_so(read):
    turns = (Turn("A", "one two three four five", 1.0, 2.0), Turn("B", "six seven eight"), Turn("A", "end", 9.0, 9.5))

    text = write_vtt(turns)

    assert "NOTE Times of 1 of 3 cues are estimated at 150 words a minute.\n" in text
    assert "1 (time estimated)\n00:00:02.000 --> 00:00:03.200\n<v B>six seven eight</v>" in text
    imported = read("a.vtt", text)
    assert imported.turns == turns
    assert "1 of 3 cues carry estimated times: read as cues without times" in imported.warnings


def test_write_vtt_keeps_a_start_without_an_end_and_ends_before_the_next_start(read):
    turns = (Turn("A", "one two three four five", 1.0), Turn("A", "six", 2.5), Turn("B", "seven", 4.0, 5.0))

    text = write_vtt(turns)

    assert "0 (end estimated)\n00:00:01.000 --> 00:00:02.500\n" in text
    imported = read("a.vtt", text)
    assert imported.turns == turns
    assert "2 of 3 cues carry estimated ends: read as cues with a start alone" in imported.warnings


def test_write_vtt_leaves_out_turns_without_text_and_the_others_stay_turns(read):
    assert "<v" not in write_vtt((Turn("A", " \n", 1.0, 2.0),))
    turns = (Turn("A", "", 0.0, 1.0), Turn("A", "and", 1.0, 2.0), Turn("A", "so on", 2.0, 3.0))
    text = write_vtt(turns)
    assert text.startswith("WEBVTT\n\nNOTE Each cue is one turn.\n\n1\n")
    assert read("a.vtt", text).turns == turns[1:]


# --- properties -----------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
TRICKY = st.text(st.sampled_from("ab <>&;:-/v.\n\t\u00a0\u2028\u0301!1"), min_size=1, max_size=30)
SAID = st.one_of(TEXT, TRICKY).map(plain).filter(bool)
MILLISECONDS = st.integers(0, 40 * 3_600_000)
TIMES = st.one_of(
    st.just((None, None)),
    st.tuples(MILLISECONDS, MILLISECONDS).map(lambda pair: (min(pair) / 1000, max(pair) / 1000)),
    MILLISECONDS.map(lambda start: (start / 1000, None)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.one_of(st.sampled_from("AB"), SAID), SAID, TIMES), min_size=1, max_size=8))
def test_what_write_vtt_writes_reads_back_as_the_same_turns(parts):
    turns = tuple(Turn(speaker, text, start, end) for speaker, text, (start, end) in parts)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call.vtt"
        path.write_text(write_vtt(turns), encoding="utf-8", newline="")
        assert read_transcript(path).turns == turns


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["vtt", "srt", "json", "jsonl", "txt"]), st.data())
def test_no_content_makes_reading_fail_in_any_other_way(suffix, data):
    pieces = [
        "WEBVTT\n\n",
        "00:01.000 --> 00:02.000\n",
        "00:00:03,0 --> 00:00:04,0\n",
        "<v Ann>",
        "</v>",
        "Bob: ",
        "\n",
    ]
    pieces += [
        "Ann Lee  0:03\n",
        "[00:01:02] Bob: hi\n",
        "Cy (0:09):\n",
        '{"speaker":"A","text":"b"}\n',
        '"sentences":[{',
    ]
    pieces += ["NOTE", "-->", "<", "&amp;", "\ufeff", '[{"speaker":"A","text":"', '"}]', "\x00", "1\n", " \n"]
    line = st.one_of(st.sampled_from(pieces), st.text(string.printable, max_size=8))
    content = data.draw(st.one_of(st.lists(line, max_size=14).map("".join).map(str.encode), st.binary(max_size=40)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"call.{suffix}"
        path.write_bytes(content)
        try:
            imported = read_transcript(path)
        except TranscriptError:
            return
    assert imported.turns
    assert set(imported.speakers) == {turn.speaker for turn in imported.turns}
    assert all(turn.text == plain(turn.text) for turn in imported.turns)


@given(MILLISECONDS)
def test_clock_times_read_back_exactly(milliseconds):
    assert parse_clock(format_clock(milliseconds / 1000)) == milliseconds / 1000


@pytest.mark.parametrize("text", ["", "1", "1:2", "00:60.0", "60:00:00:00", "١:٠٠:٠٠.٠", "00:00:01.", "1:60:00"])
def test_clock_that_is_none(text):
    assert parse_clock(text) is None
