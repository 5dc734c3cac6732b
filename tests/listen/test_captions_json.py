"""JSON transcripts: Whisper, AssemblyAI, Deepgram, JSON lines and Gong."""

import json
import math
from pathlib import Path

import pytest

from pipeline.errors import TranscriptError
from pipeline.listen.captions import Imported, read_transcript
from pipeline.listen.captions_cue import language_code
from pipeline.records import SpeechSegment, Turn, Word

STARTS_ONLY = "the file tells when turns start and not when they end: talk is counted in words"
SAMPLES = Path(__file__).parent / "transcripts"


def sample(name: str) -> Imported:
    return read_transcript(SAMPLES / name)


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
