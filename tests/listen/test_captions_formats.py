"""Transcripts as products write them: what each gives, and which cues become one turn."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.listen.captions import Imported, looks_like_transcript, read_transcript
from pipeline.listen.captions_cue import Cue
from pipeline.listen.captions_join import LONG_PAUSE, PAUSE, join_pieces
from pipeline.records import SpeechSegment, Turn, Word

STARTS_ONLY = "the file tells when turns start and not when they end: talk is counted in words"
SAMPLES = Path(__file__).parent / "transcripts"


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
