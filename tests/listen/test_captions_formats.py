"""Transcripts as products write them: what each gives, which cues become one turn, and what is refused."""

import json
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import TranscriptError
from pipeline.listen.captions import Imported, looks_like_transcript, read_transcript
from pipeline.listen.captions_cue import Cue, language_code
from pipeline.listen.captions_join import LONG_PAUSE, PAUSE, join_pieces
from pipeline.listen.sources import find_sources
from pipeline.records import SpeechSegment, Turn, Word

SAMPLES = Path(__file__).parent / "transcripts"
STARTS_ONLY = "the file tells when turns start and not when they end: talk is counted in words"


@pytest.fixture
def read(tmp_path):
    """Write a transcript of this name and content (JSON where it is no text), and read it."""

    def write_and_read(name: str, content: object) -> Imported:
        path = tmp_path / name
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_transcript(path)

    return write_and_read


def sample(name: str) -> Imported:
    return read_transcript(SAMPLES / name)


# --- the samples ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "turns", "speakers", "language", "warnings"),
    [
        ("zoom-cloud.vtt", "vtt", 20, ("Dana Whitfield", "Oscar Lindqvist", "Priya Raman"), None, ()),
        ("teams.vtt", "vtt", 20, ("Marta Silva", "Greene, Thomas (Halden Foods)", "Jonas Weber"), "en", ()),
        ("warehouse.srt", "srt", 18, ("Nadia", "Mr Cole"), None, ()),
        ("whisperx.json", "whisper json", 17, ("SPEAKER_00", "SPEAKER_01"), "en", ()),
        ("assemblyai.json", "json", 19, ("A", "B"), "en", ()),
        ("port.jsonl", "jsonl", 19, ("Rhys Morgan", "Amina Yusuf"), None, ()),
        ("gong.json", "gong json", 23, ("Yuki Tan", "Chiara Villa", "Paolo Riva", "Sam Orr"), None, ()),
        ("rev.txt", "txt", 20, ("Karen Boyd", "Mr. Abara"), None, (STARTS_ONLY,)),
        (
            "otter.txt",
            "txt",
            21,
            ("Ben Okafor", "Lucia Moretti", "Speaker 3"),
            None,
            (
                "6 lines (the first at line 1) above the first speaker: left out",
                "1 line (at line 73) of a footer: left out",
                STARTS_ONLY,
            ),
        ),
        (
            "zoom-saved-captions.txt",
            "txt",
            14,
            ("Elif Kaya", "Gordon Pace"),
            None,
            ("the times are times of day: counted from the first one", STARTS_ONLY),
        ),
        (
            "typed.txt",
            "txt",
            22,
            ("Rep", "Facility manager"),
            None,
            (
                "1 line (at line 1) above the first speaker: left out",
                "no cue has times: nothing that needs them is measured",
            ),
        ),
    ],
)
def test_sample(name, kind, turns, speakers, language, warnings):
    imported = sample(name)

    assert (imported.format, len(imported.turns), imported.speakers) == (kind, turns, speakers)
    assert (imported.language, imported.warnings) == (language, warnings)
    assert looks_like_transcript(SAMPLES / name)
    starts = [turn.start for turn in imported.turns if turn.start is not None]
    assert starts == sorted(starts)


def test_zoom_cues_of_one_turn_are_joined_and_its_times_are_theirs():
    imported = sample("zoom-cloud.vtt")

    second = imported.turns[2]
    assert second.text == (
        "No problem at all. I have us down for thirty minutes. I'd like to hear how you schedule the drivers today, "
        "show you two screens, and then decide together whether a pilot makes sense. Does that work for you?"
    )
    assert (second.speaker, second.start, second.end, second.words) == ("Dana Whitfield", 13.067, 28.784, ())
    assert [one for one in imported.speech if 13 < one.start < 28] == [
        SpeechSegment("Dana Whitfield", start, end)
        for start, end in ((13.067, 17.295), (17.346, 21.729), (21.781, 26.408), (26.472, 28.784))
    ]
    assert len(imported.speech) == (SAMPLES / "zoom-cloud.vtt").read_text().count("-->") == 34


def test_zoom_pauses_inside_a_sentence_and_after_one():
    texts = [turn.text for turn in sample("zoom-cloud.vtt").turns]

    assert "Then I ring round. Last month we had eleven shifts that nobody drove." in texts  # 3.2 s inside
    assert texts[texts.index("Four thousand a month.") + 1] == "Let me share my screen."  # 2.4 s after
    assert "Mm-hm." in texts


def test_teams_cues_with_line_breaks_entities_and_identifiers():
    turns = sample("teams.vtt").turns

    assert turns[0] == Turn("Marta Silva", "Good afternoon. Can you both hear me?", 3.459, 6.26)
    assert turns[5] == Turn(
        "Greene, Thomas (Halden Foods)",
        "Three days, and two people. It's the paper logs. Every truck has a clipboard & a thermometer.",
        27.003,
        33.828,
    )


def test_teams_cues_that_are_json(read):
    cue = '{{"startDateTime":"2026-02-10T09:31:16Z","speakerName":"{}","spokenText":"{}","spokenLanguage":"en-us"}}'
    first, second = cue.format("Ann Lee", "Is 1 < 2?"), cue.format("", "Yes.")
    content = f"WEBVTT\n\n00:00:16.246 --> 00:00:17.726\n{first}\n\n00:00:18.000 --> 00:00:19.000\n{second}\n"

    assert read("a.vtt", content).turns == (
        Turn("Ann Lee", "Is 1 < 2?", 16.246, 17.726),
        Turn("unknown", "Yes.", 18.0, 19.0),
    )


def test_otter_turns_have_a_start_and_no_end_and_the_footer_is_nobodys():
    imported = sample("otter.txt")

    assert imported.turns[0] == Turn("Ben Okafor", "Hey Lucia, can you see my screen?", 3.0)
    assert imported.turns[-1] == Turn("Lucia Moretti", "Monday the second. Good.", 129.0)
    assert all(turn.end is None for turn in imported.turns)
    assert (imported.duration, imported.speech) == (129.0, ())


def test_rev_paragraphs_go_on_below_a_blank_line():
    turn = sample("rev.txt").turns[5]

    assert turn.text.startswith("The scaffolding. My neighbour had a roof done")
    assert turn.text.endswith("two thousand pounds. [crosstalk 00:00:31]")
    assert (turn.speaker, turn.start) == ("Mr. Abara", 22.0)


def test_typed_lines_without_a_label_go_on():
    first, second = sample("typed.txt").turns[:2]

    assert first == Turn("Rep", "Good morning, this is Ilse from Nordlys Lighting. Did I catch you at a bad time?")
    assert second == Turn("Facility manager", "Two minutes before the next one. Go ahead.")


def test_zooms_saved_captions_are_counted_from_the_first():
    assert [turn.start for turn in sample("zoom-saved-captions.txt").turns[:3]] == [0.0, 2.0, 5.0]


# --- which cues are one turn ----------------------------------------------------------------------


def cue(speaker: str | None, text: str, start: float | None = None, end: float | None = None, **more) -> Cue:
    return Cue("here", text, start, end, speaker, **more)


@pytest.mark.parametrize(
    ("cues", "turns"),
    [
        ([cue("A", "One.", 0, 1), cue("A", "Two.", 1 + PAUSE, 4)], 1),
        ([cue("A", "One.", 0, 1), cue("A", "Two.", 1.01 + PAUSE, 4)], 2),
        ([cue("A", "one", 0, 1), cue("A", "two.", 1 + LONG_PAUSE, 9)], 1),
        ([cue("A", "one", 0, 1), cue("A", "two.", 1.01 + LONG_PAUSE, 9)], 2),
        ([cue("A", 'He said "no."', 0, 1), cue("A", "Yes.", 4, 5)], 2),
        ([cue("A", "好的。", 0, 1), cue("A", "我们", 4, 5)], 2),
        ([cue("A", "One.", 0, 1), cue("B", "Two.", 1, 2)], 2),
        ([cue(None, "one", 0, 1), cue(None, "two", 1, 2)], 2),
        ([cue("A", "one"), cue("A", "Two.")], 1),
        ([cue("A", "One.", 0), cue("A", "Two.", 1)], 2),
        ([cue("A", "one", 0), cue("A", "two.", 1)], 1),
        ([cue("A", "one", 5, 6), cue("A", "two", 4, 5)], 2),
        ([cue("A", "one", 0, 2), cue("A", "two", 1, 3)], 1),
        ([cue("B", "Long.", 0, 9), cue("A", "one two three", 1, 2), cue("A", "four", 3, 4)], 3),
        ([cue("B", "Long.", 0, 9), cue("A", "okay", 8, 9.5), cue("A", "So now", 10, 12)], 3),
        ([cue("B", "Long.", 0, 9), cue("A", "okay that is", 8, 9.5), cue("A", "good now", 10, 12)], 2),
        ([cue("A", "One.", 0, 1), cue("A", "Two.", 60, 61, goes_on=True)], 1),
        ([cue(None, "One.", 0, 1), cue(None, "Two.", 60, 61, goes_on=True)], 1),
    ],
)
def test_join_pieces(cues, turns):
    assert len(join_pieces(cues)) == turns


def test_join_pieces_keeps_words_where_every_piece_has_them():
    words = Word("One.", 0, 1), Word("Two.", 1, 2)
    both = [cue("A", "One.", 0, 1, words=words[:1]), cue("A", "Two.", 1, 2, words=words[1:])]

    assert join_pieces(both) == [cue("A", "One. Two.", 0, 2, words=words)]
    assert join_pieces([both[0], cue("A", "Two.", 1, 2)])[0].words == ()


@given(
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.sampled_from(["so", "yes.", "a b c"]), st.integers(0, 40)), max_size=9
    )
)
def test_joining_loses_no_word_and_no_speaker(parts):
    cues = [cue(who, text, float(at), float(at + 3)) for who, text, at in parts]
    joined = join_pieces(cues)

    assert " ".join(one.text for one in joined) == " ".join(one.text for one in cues)
    assert [one.speaker for one in joined for _ in one.text.split()] == [
        one.speaker for one in cues for _ in one.text.split()
    ]


@pytest.mark.parametrize("key", ["segments", "utterances", "transcript", "sentences"])
def test_json_pieces_are_joined_and_json_turns_are_not(read, key):
    items = [{"speaker": "A", "start": n, "end": n + 1, "text": "so"} for n in range(3)]

    assert read("a.json", {key: items}).turns == (Turn("A", "so so so", 0.0, 3.0),)
    for content in (items, {"turns": items}):
        assert len(read("a.json", content).turns) == 3
    assert len(read("a.jsonl", "\n".join(map(json.dumps, items))).turns) == 3


def test_labels_at_changes_of_speaker_only(read):
    texts = [
        "Ann: Good morning.",
        "Are you there?",
        "Bob: Yes,",
        "I am.",
        "Ann: Then",
        "we begin.",
        "With you.",
        "Bob: Fine.",
    ]
    cues = [
        f"{n}\n00:00:{2 * n:02d},000 --> 00:00:{2 * n + 1:02d},500\n{text}\n"
        for n, text in enumerate([*texts, "Go on."])
    ]

    imported = read("a.srt", "\n".join(cues))

    assert [(turn.speaker, turn.text) for turn in imported.turns] == [
        ("Ann", "Good morning. Are you there?"),
        ("Bob", "Yes, I am."),
        ("Ann", "Then we begin. With you."),
        ("Bob", "Fine. Go on."),
    ]
    assert imported.warnings == (
        "5 parts without a label: taken for the speaker above, as labels stand at changes only",
    )
    again = "\n".join([*cues, "9\n00:00:30,000 --> 00:00:31,000\nBob: Well.\n"])
    assert "unknown" in read("b.srt", again).speakers


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
    found = [read("a.txt", vtt), read("a.txt", srt), read("a.txt", items), read("a.txt", {"segments": items})]

    assert [one.format for one in found] == ["vtt", "srt", "json", "json"]
    assert {one.turns for one in found} == {(Turn("Ann", "Hi.", 1.0, 2.0),)}


def test_text_time_out_of_range(read):
    with pytest.raises(TranscriptError, match=r"line 1: the end 1\.000 s is before the start 2.000 s"):
        read("a.txt", "[00:02 --> 00:01] Ann: Hi.\n[00:03 --> 00:04] Bob: Yes.\n")


# --- JSON -----------------------------------------------------------------------------------------


def test_whisper_words_carry_times_and_confidence():
    imported = sample("whisperx.json")
    raw = json.loads((SAMPLES / "whisperx.json").read_text())["segments"]
    scores = [word["score"] for one in raw for word in one["words"] if "score" in word]

    first = imported.turns[0]
    assert first.words[:2] == (Word("Thanks", 0.531, 0.969, 0.831), Word("for", 1.047, 1.331, 0.779))
    assert [word.text for word in first.words] == first.text.split()
    assert imported.word_confidence == round(math.fsum(scores) / len(scores), 4)


def test_whisper_word_without_times_lies_between_its_neighbours():
    words = [word for turn in sample("whisperx.json").turns for word in turn.words]
    at = next(index for index, word in enumerate(words) if word.text == "400,000")

    assert (words[at].start, words[at].end) == (words[at - 1].end, words[at + 1].start)
    assert words[at].probability is None


def test_whisper_segment_with_two_voices_is_split_by_its_words(read):
    words = [
        {"word": " So", "start": 0, "end": 0.5, "speaker": "A", "probability": 0.5},
        {"word": " yes?", "start": 0.5, "end": 1, "probability": 1},
        {"word": " Yes.", "start": 1.25, "end": 1.5, "speaker": "B", "probability": 0.75},
    ]
    imported = read(
        "a.json", {"segments": [{"start": 0, "end": 2, "text": " So yes? Yes.", "speaker": "A", "words": words}]}
    )

    assert [(turn.speaker, turn.text, turn.start, turn.end) for turn in imported.turns] == [
        ("A", "So yes?", 0.0, 1.0),
        ("B", "Yes.", 1.25, 1.5),
    ]
    assert (imported.format, imported.word_confidence) == ("whisper json", 0.75)


@pytest.mark.parametrize(
    "words",
    [
        7,
        ["so"],
        [{"word": 1}],
        [{"word": "so", "start": "0", "end": 1}],
        [{"word": "so", "start": 1, "end": 0}],
        [{"word": "so", "start": 1e300, "end": 1e301}],
        [{"word": "sow", "start": 0, "end": 1}],
    ],
)
def test_words_that_are_not_whole_are_left_alone(read, words):
    assert read("a.json", [{"speaker": "A", "text": "so", "start": 0, "end": 1, "words": words}]).turns == (
        Turn("A", "so", 0.0, 1.0),
    )


def test_whisper_without_speakers_is_refused():
    with pytest.raises(TranscriptError, match="none of the 6 cues names a speaker"):
        sample("whisper-no-speakers.json")


def test_assemblyai_milliseconds_and_words():
    imported = sample("assemblyai.json")

    assert imported.turns[0].start == 0.24
    assert imported.turns[0].words[0].start == 0.24
    assert imported.duration == 98.984
    assert 0.8 < imported.word_confidence < 0.9


@pytest.mark.parametrize(
    ("items", "first_end"),
    [
        ([(0, 4000, 10), (4200, 9000, 12)], 4.0),
        ([(0, 4, 10), (5, 9, 12)], 4.0),
        ([(0, 40, 1)], 40.0),
        ([(0.5, 4.0, 10), (5.0, 9.5, 12)], 4.0),
        ([(250, None, 10), (4000, None, 10), (9000, None, 10)], None),
        ([(0, None, 10), (4, None, 10), (60, None, 10)], None),
    ],
)
def test_unit_of_times(read, items, first_end):
    content = [{"speaker": "A", "start": start, "end": end, "text": "word " * words} for start, end, words in items]
    imported = read("a.json", content)

    assert imported.turns[0].end == first_end
    assert imported.duration <= 60


@pytest.mark.parametrize(
    "items",
    [[(0, 4000, 1)], [(0.5, 4000.5, 10), (4200.0, 9000.0, 12)], [(0, 90000, 30)]],
)
def test_times_that_may_be_either_are_refused(read, items):
    content = [{"speaker": "A", "start": start, "end": end, "text": "word " * words} for start, end, words in items]

    with pytest.raises(TranscriptError, match=r"neither seconds .* nor milliseconds .* or in milliseconds as start_ms"):
        read("a.json", content)


def test_deepgram_utterances(read):
    words = [{"word": "yes", "punctuated_word": "Yes.", "start": 0.5, "end": 0.75, "confidence": 0.9, "speaker": 1}]
    items = [{"start": 0.5, "end": 0.75, "transcript": "Yes.", "speaker": 1, "confidence": 0.9, "words": words}]

    imported = read("a.json", {"metadata": {}, "results": {"channels": [], "utterances": items}})

    assert imported.turns == (Turn("1", "Yes.", 0.5, 0.75, (Word("Yes.", 0.5, 0.75, 0.9),)),)


def test_confidence_of_cues_counts_where_words_have_none(read):
    items = [
        {"speaker": "A", "text": "one two three", "confidence": 0.5},
        {"speaker": "B", "text": "four", "confidence": 0.9},
        {"speaker": "B", "text": "five", "confidence": 90},
    ]
    assert read("a.json", items).word_confidence == 0.6


@pytest.mark.parametrize(
    ("name", "code"),
    [("en", "en"), ("en_us", "en"), ("de-DE", "de"), ("English", "en"), ("xyz", None), (7, None), (None, None)],
)
def test_language_code(name, code):
    assert language_code(name) == code


def test_jsonl_names_the_line(read):
    with pytest.raises(TranscriptError, match=r"line 4: this is not JSON: Expecting value"):
        read("a.jsonl", '{"speaker": "A", "text": "x"}\n\n{"speaker": "A", "text": "x"}\n{"speaker": \n')
    with pytest.raises(TranscriptError, match=r"line 2: got 1\. Allowed: an object"):
        read("a.jsonl", '{"speaker": "A", "text": "x"}\n1\n')
    with pytest.raises(TranscriptError, match=r"line 2\.text: got None"):
        read("a.jsonl", '{"speaker": "A", "text": "x"}\n{"speaker": "B"}\n')
    with pytest.raises(TranscriptError, match=r"line 2: this JSON cannot be read: .* too deep"):
        read("a.jsonl", '{"speaker": "A", "text": "x"}\n' + "[" * 100_000)


def test_json_by_content_and_not_by_suffix(read):
    items = [{"speaker": "A", "text": "x"}, {"speaker": "B", "text": "y"}]
    lines = "\n".join(map(json.dumps, items))

    assert read("a.json", lines).format == "jsonl"
    for content in (items, {"turns": items}, json.dumps(items, indent=1), json.dumps({"turns": items}, indent=1)):
        assert read("a.jsonl", content).format == "json"
        assert len(read("a.jsonl", content).turns) == 2


# --- Gong -----------------------------------------------------------------------------------------


def monologue(speaker: object, *sentences: tuple[int | None, int | None, str]) -> dict:
    return {"speakerId": speaker, "sentences": [{"start": a, "end": b, "text": text} for a, b, text in sentences]}


def test_gong_names_sides_and_monologues():
    imported = sample("gong.json")

    assert dict(imported.sides) == {
        "Yuki Tan": "seller",
        "Sam Orr": "seller",
        "Chiara Villa": "buyer",
        "Paolo Riva": "buyer",
    }
    fourth = imported.turns[3]  # Gong begins a new monologue where the topic changes
    assert fourth.text.startswith("Great. I'm Yuki, and with me is Sam")
    assert (fourth.speaker, fourth.start) == ("Yuki Tan", 12.499)
    assert imported.speech[0] == SpeechSegment("Yuki Tan", 1.84, imported.speech[0].end)
    assert len(imported.speech) == 40


def test_gong_monologue_is_one_turn_however_long_its_pauses(read):
    content = {"callId": 1, "transcript": [monologue(7, (0, 1000, "One."), (60_000, 61_000, "Two."))]}

    imported = read("a.json", content)

    assert imported.turns == (Turn("7", "One. Two.", 0.0, 61.0),)
    assert imported.speech == (SpeechSegment("7", 0.0, 1.0), SpeechSegment("7", 60.0, 61.0))
    assert imported.warnings == (
        "1 speaker (at transcript[0]) without a name among the parties: called by the id, and their side is not known",
    )


def test_gong_parties_of_one_name_and_beside_the_call(read):
    parties = [
        {"speakerId": 1, "name": "Ann", "affiliation": "Internal"},
        {"speakerId": "2", "name": "Ann", "affiliation": "External"},
        {"speakerId": "3", "name": "Cy", "affiliation": "Unknown"},
        {"speakerId": None, "name": "Dee", "affiliation": "External"},
        "odd",
    ]
    said = [monologue(str(n), (n * 1000, n * 1000 + 500, "Hi.")) for n in (1, 2, 3)]
    call = {"callId": "9", "transcript": said}
    details = [{"metaData": {"id": "8"}, "parties": []}, {"metaData": {"id": "9"}, "parties": parties}]

    for content in (
        {"callTranscripts": [call], "calls": details},
        {"callTranscripts": [call | {"parties": parties}]},
        {"callTranscripts": [call], "parties": parties},
    ):
        imported = read("a.json", content)
        assert imported.speakers == ("Ann", "Ann (2)", "Cy")
        assert imported.sides == (("Ann", "seller"), ("Ann (2)", "buyer"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"callTranscripts": []}, "callTranscripts: the file holds 0 calls. Allowed: one call a file"),
        ({"callTranscripts": [{}, {}]}, "the file holds 2 calls. Allowed: one call a file. Write each object"),
        ({"callTranscripts": [{"callId": "1"}]}, "callTranscripts[0]: got {'callId': '1'}"),
        ({"callTranscripts": [{"transcript": [1]}]}, "callTranscripts[0].transcript[0]: got 1. Allowed: monologues"),
        ([{"sentences": [{"start": 0}]}], "item[0].sentences[0]: got {'start': 0}. Allowed: an object"),
        ([monologue(1, ("0", 1, "x"))], "item[0].sentences[0].start: got '0'. Allowed: milliseconds as a number"),
        ([monologue(1, (0, 10**400, "x"))], "item[0].sentences[0].end: got 1000"),
        ([monologue(1, (2000, 1000, "x"))], "item[0].sentences[0]: the end 1.000 s is before the start"),
        ([monologue(1, (0, 10**9, "x"))], "item[0].sentences[0]: the end time 1000000.0 is out of range"),
        ([monologue(None, (0, 1, "x"))], "none of the 1 cues names a speaker"),
    ],
)
def test_gong_faults(read, content, message):
    with pytest.raises(TranscriptError) as caught:
        read("a.json", content)
    assert message in str(caught.value)


# --- in a folder ----------------------------------------------------------------------------------


def test_folder_takes_the_transcripts_among_text_and_json_files(tmp_path):
    for name in ("otter.txt", "gong.json", "port.jsonl", "typed.txt"):
        (tmp_path / name).write_bytes((SAMPLES / name).read_bytes())
    (tmp_path / "README.txt").write_text("Recordings of March.\n\nNote: the names are changed.\n")
    (tmp_path / "runs.jsonl").write_text('{"id": 1, "text": "x"}\n')
    (tmp_path / "wide.txt").write_text("Ann  0:03\nHi.\n\nBob  0:05\nYes.\n", encoding="utf-16")

    found = find_sources([tmp_path])

    assert [row.transcript.name for row in found.rows] == [
        "gong.json",
        "otter.txt",
        "port.jsonl",
        "typed.txt",
        "wide.txt",
    ]
    assert found.skipped == (
        (tmp_path / "README.txt", "this text file is no transcript"),
        (tmp_path / "runs.jsonl", "this JSON lines file is no transcript"),
    )


# --- properties -----------------------------------------------------------------------------------

KEYS = st.sampled_from(
    [
        "speaker",
        "text",
        "start",
        "end",
        "words",
        "word",
        "segments",
        "callTranscripts",
        "transcript",
        "sentences",
        "speakerId",
        "parties",
        "calls",
        "metaData",
        "name",
        "affiliation",
        "results",
        "language",
        "confidence",
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10**6),
    st.just(10**400),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["A", "\ud800", "\x00", "00:01.5", "x y z"]),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20
)
ITEM = st.fixed_dictionaries(
    {"speaker": st.sampled_from(["A", "B"]), "text": st.sampled_from(["Hi.", "so", "", "a b c"])},
    optional={"start": LEAVES, "end": LEAVES, "words": VALUES, "confidence": LEAVES, "start_ms": LEAVES},
)
GONG = st.fixed_dictionaries(
    {
        "speakerId": LEAVES,
        "sentences": st.lists(st.fixed_dictionaries({"text": st.just("Hi.")}, optional={"start": LEAVES})),
    }
)
FILES = st.one_of(
    VALUES,
    st.lists(ITEM, max_size=5),
    st.fixed_dictionaries({"segments": st.lists(ITEM, max_size=5)}),
    st.fixed_dictionaries({"callTranscripts": st.lists(st.fixed_dictionaries({"transcript": st.lists(GONG)}))}),
)


def reads_or_is_refused(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        looks_like_transcript(path)
        try:
            imported = read_transcript(path)
        except TranscriptError as error:
            assert "Allowed: " in str(error)
            return
    assert imported.turns
    assert all(turn.text and turn.speaker for turn in imported.turns)
    times = [time for turn in imported.turns for time in (turn.start, turn.end) if time is not None]
    assert all(math.isfinite(time) and time >= 0 for time in times)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["a.json", "a.jsonl", "a.txt"]), FILES)
def test_no_json_makes_reading_fail_in_any_other_way(name, value):
    reads_or_is_refused(name, json.dumps(value).encode())


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(path.name for path in SAMPLES.iterdir())), st.data())
def test_no_cut_or_changed_sample_makes_reading_fail_in_any_other_way(name, data):
    content = bytearray((SAMPLES / name).read_bytes()[:4000])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=4))
        if not content:
            return
    reads_or_is_refused(name, bytes(content))


@pytest.mark.parametrize(
    "content",
    [
        "Ann  0:03\n" + " " * 300_000 + "x\nBob  0:04\nYes.\n",
        "a " * 200_000 + "0:03\n" + "Ann  0:03\nx\nBob  0:04\ny\n",
        "Ann" + " " * 300_000 + "0:03\nx\n" * 3,
        "[" * 300_000,
        ("Ann  0:03\nx y\n" * 20_000),
        "".join(f"Name{n}: x\n" for n in range(20_000)),
        "\n" * 500_000,
    ],
)
def test_hostile_texts_take_no_more_than_linear_time(tmp_path, content):
    reads_or_is_refused("a.txt", content.encode())


def test_hostile_joins_take_no_more_than_linear_time():
    cues = [cue(f"S{n % 3000}", "so", float(n // 3), float(n // 3 + 1)) for n in range(30_000)]
    assert len(join_pieces(cues)) == 30_000
    assert len(join_pieces([cue("A", "so", float(n), n + 1.0) for n in range(30_000)])) == 1
