"""One call's files: which of them count, and what a comparison says where something is missing."""

import json

import pytest

from pipeline.errors import TranscriptError
from pipeline.evaluate.compare import compare
from pipeline.evaluate.files import CallFiles, read_call
from pipeline.evaluate.spoken import Spoken
from pipeline.records import SpeechSegment, Turn

VTT = "WEBVTT\n\n00:00.000 --> 00:04.000\n<v Ann>Hello Bob.\n\n00:03.500 --> 00:06.000\n<v Bob>Hello.\n"
RTTM = "SPEAKER call 1 0.100 3.900 <NA> <NA> rep <NA> <NA>\n"
CARD = {
    "participants": [
        {"speaker": "channel-1", "name": "Ann Lee", "role": "rep"},
        {"speaker": "channel-2", "name": None, "role": "unknown"},
    ],
    "quality": {"language": "de"},
}


def made(folder, vtt=VTT, rttm=RTTM, card=None):
    names = {"call.vtt": vtt, "call.rttm": rttm, "scorecard.json": card}
    paths = [folder / name if text is not None else None for name, text in names.items()]
    for path, text in zip(paths, names.values(), strict=True):
        if path is not None:
            path.write_text(text, encoding="utf-8")
    return CallFiles(*paths)


def test_files_times_are_those_of_the_rttm(tmp_path):
    spoken = read_call(made(tmp_path))
    assert [turn.text for turn in spoken.turns] == ["Hello Bob.", "Hello."]
    assert spoken.speech == (SpeechSegment("rep", 0.1, 4.0),)
    assert spoken.notes == ()


def test_files_times_of_cues_stand_in_for_a_missing_or_empty_rttm(tmp_path):
    for rttm in (None, ""):
        spoken = read_call(made(tmp_path, rttm=rttm))
        assert spoken.speech == (SpeechSegment("Ann", 0.0, 4.0), SpeechSegment("Bob", 3.5, 6.0))
        assert spoken.notes == ("The speakers' times are those of the transcript's cues: there is no RTTM file.",)


def test_files_a_scorecard_says_roles_by_label_and_by_name_and_the_language(tmp_path):
    spoken = read_call(made(tmp_path, card=json.dumps(CARD)))
    labels = ("channel-1", "Ann Lee", "Ann Lee (channel-1)", "ann_lee", "channel-2", "Bob")
    assert [spoken.role(label) for label in labels] == ["rep", "rep", "rep", "rep", "unknown", "unknown"]
    assert spoken.language == "de"


def test_files_a_scored_call_in_which_no_word_was_understood_has_all_words_left_out(tmp_path):
    heard = read_call(made(tmp_path, vtt="WEBVTT\n", card=json.dumps(CARD)))
    found = compare("call", Spoken((Turn("rep", "Hello Bob."),)), heard).figures["wer"]
    assert (heard.turns, found.value, found.counts["deletions"]) == ((), 1.0, 2)


@pytest.mark.parametrize(
    ("card", "message"),
    [("[]", "not a scorecard, which is a JSON object. Score the call again."), ("{", "cannot be read (Expecting")],
)
def test_files_a_scorecard_that_is_none_is_told(tmp_path, card, message):
    with pytest.raises(TranscriptError) as told:
        read_call(made(tmp_path, card=card))
    assert message in str(told.value)


def test_files_without_words_and_times_are_no_call(tmp_path):
    with pytest.raises(TranscriptError, match="neither a transcript nor a speaker's time for this call"):
        read_call(made(tmp_path, vtt=None, rttm=""))


TURNS = (Turn("Ann", "Hello Bob."),)
SPEECH = (SpeechSegment("Ann", 0, 4),)


@pytest.mark.parametrize(
    ("reference", "heard", "names", "note"),
    [
        (Spoken(None, SPEECH), Spoken(TURNS, SPEECH), {"der"}, "No words were compared: the reference has no transcri"),
        (Spoken(TURNS, SPEECH), Spoken(None, SPEECH), {"der"}, "No words were compared: the output has no transcript."),
        (Spoken(TURNS), Spoken(TURNS, SPEECH), {"wer"}, "No speakers' times were compared: the reference has none."),
        (Spoken(TURNS), Spoken(TURNS), {"wer"}, "the reference names none. Label its speakers rep, manager and "),
        (
            Spoken((Turn("Ann", "Mm, uh."),)),
            Spoken(TURNS),
            set(),
            "No words were compared: the reference has no words once it is normalised.",
        ),
    ],
)  # fmt: skip
def test_compare_says_what_it_could_not_measure(reference, heard, names, note):
    found = compare("call", reference, heard)
    assert names == {"wer", "der"} & set(found.figures)
    assert any(note in one for one in found.notes)


def test_compare_a_reference_with_itself_has_no_errors(tmp_path):
    spoken = read_call(made(tmp_path, rttm=RTTM + RTTM.replace("0.100", "4.000").replace("rep", "customer")))
    found = compare("call", spoken, spoken).figures
    assert list(found) == [
        "wer", "cpwer", "der", "der_0.125", "der_0.25", "talk_share_error", "side_share_error", "role_accuracy",
        "side_accuracy",
    ]  # fmt: skip
    assert [figure.value for figure in found.values()] == [0, 0, 0, 0, 0, 0, 0, 1, 1]


def test_compare_roles_that_the_scorecard_does_not_know_are_not_right_and_not_left_out(tmp_path):
    card = {"participants": [{"speaker": "Ann", "name": None, "role": "unknown"}, "odd"]}
    heard = read_call(made(tmp_path, vtt=VTT.replace("Bob>", "Ann>"), rttm=None, card=json.dumps(card)))
    reference = Spoken((Turn("rep", "Hello Bob.", 0, 4), Turn("customer", "Hello.", 4, 6)))
    found = compare("call", reference, heard).figures["role_accuracy"]
    assert found.counts == {"right": 0, "wrong": 0, "unknown": 3, "not_heard": 0}


def test_compare_another_system_s_numbered_speakers_have_no_roles():
    reference, heard = Spoken((Turn("rep", "Hello Bob."),)), Spoken((Turn("SPEAKER_00", "Hello Bob."),))
    found = compare("call", reference, heard)
    assert list(found.figures) == ["wer", "cpwer"]
    assert "No roles were compared: the output names none." in found.notes


def test_compare_words_in_the_order_of_time_whatever_the_order_in_the_file():
    turns = (Turn("rep", "hello", 0, 1), Turn("customer", "fine", 1, 2))
    found = compare("call", Spoken(turns), Spoken(turns[::-1]))
    assert found.figures["wer"].value == 0
