"""Counterfactual edits and disturbances of calls: seeded, pure, and only of what they name."""

import random

import pytest

from pipeline.calibrate.counterfactuals import EDITS, edited
from pipeline.calibrate.disturbances import cut_turns, joined_turns, misheard, wrong_speaker
from pipeline.calibrate.noise import Mishearing
from pipeline.calibrate.robustness import agreement_row, flips
from tests.builders import untimed_call

LINES = (
    ("R", "Morning Ines, it's Tom, from Norwyke. Thanks for the time, um, my colour charts are here."),
    ("C", "Hello Tom. He said, you know, his lads organise it in the car park, and her husband saw her."),
    ("R", "Yes. I know you know Norwyke, so on Tuesday we go to Leeds. Is that little plan okay?"),
    ("C", "Mm."),
    ("R", "Then she'll cancel the trucks by Friday, I'm sure, and we get the line going to plan."),
)
CALL = untimed_call(*LINES)


def texts(edit):
    return [turn.text for turn in edited(CALL, edit).turns]


@pytest.mark.parametrize("edit", EDITS)
def test_counterfactuals_change_only_words_and_are_the_same_twice(edit):
    once = edited(CALL, edit)
    assert once == edited(CALL, edit)
    assert once.participants == CALL.participants
    assert [turn.speaker for turn in once.turns] == [turn.speaker for turn in CALL.turns]
    assert edited(untimed_call(), edit) == untimed_call()


def test_counterfactuals_people_are_renamed_wherever_they_are_said():
    said = texts("people's names")
    assert not any(name in " ".join(said) for name in ("Ines", "Tom"))
    tom = said[1].split()[1]
    assert f"it's {tom.strip('.')}," in said[0]
    assert "Norwyke" in said[0]


def test_counterfactuals_names_that_are_words_stay_words():
    call = untimed_call(("R", "Tom will rose up"), ("R", "the tom and the rose"))
    assert [turn.text for turn in edited(call, "people's names").turns][1] != "the tom and the rose"  # nothing is upper
    call = untimed_call(("R", "Will Tom put the tom in?"))
    assert "the tom in" in edited(call, "people's names").turns[0].text


def test_counterfactuals_gender_words_change_both_ways():
    said = texts("gender words")
    assert said[1] == "Hello Tom. She said, you know, her lasses organise it in the car park, and his wife saw him."
    assert said[4].startswith("Then he'll cancel")


def test_counterfactuals_companies_and_places_but_no_days_or_people():
    said = texts("companies and places")
    assert "Norwyke" not in " ".join(said)
    assert "Leeds" not in " ".join(said)
    assert "Tuesday" in said[2]
    assert "Tom" in said[0]
    assert said[0].split("from ")[1].split(".")[0] == said[2].split("know ")[2].split(",")[0]


def test_counterfactuals_fillers():
    assert texts("fillers left out")[:2] == [
        "Morning Ines, it's Tom, from Norwyke. Thanks for the time my colour charts are here.",
        "Hello Tom. He said his lads organise it in the car park, and her husband saw her.",
    ]
    assert texts("fillers left out")[2] == LINES[2][1], "a verb is no filler"
    longer = edited(untimed_call(("R", "one two three four five " * 40)), "fillers put in").turns[0].text
    assert 201 < len(longer.split()) < 230


def test_counterfactuals_marks_and_capitals():
    assert (
        texts("no punctuation")[2]
        == "Yes I know you know Norwyke so on Tuesday we go to Leeds Is that little plan okay"
    )
    assert texts("lower case")[3] == "mm."
    assert texts("capitals")[3] == "MM."


def test_counterfactuals_spelling_goes_both_ways_and_leaves_doubtful_words():
    said = texts("American spelling")
    assert "my color charts" in said[0]
    assert "lads organize it in the parking lot" in said[1]
    assert texts("British spelling")[4] == LINES[4][1], "trucks and lines are British as well"


def test_counterfactuals_one_dialect_a_call():
    assert texts("dialect words") != [text for _, text in LINES]


def test_disturbances_cut_turns_keep_every_word_and_speaker():
    cut = cut_turns(CALL, random.Random(1), share=1.0)
    assert len(cut.turns) == len(CALL.turns) + 4
    said = " ".join(f"{turn.speaker}:{word}" for turn in cut.turns for word in turn.text.split())
    assert said == " ".join(f"{turn.speaker}:{word}" for turn in CALL.turns for word in turn.text.split())


def test_disturbances_short_turns_are_lost_in_the_speech_about_them():
    joined = joined_turns(CALL, random.Random(1), share=1.0)
    assert [turn.speaker for turn in joined.turns] == ["R", "C", "R"]
    assert joined.turns[2].text == f"{LINES[2][1]} {LINES[3][1]} {LINES[4][1]}"


def test_disturbances_about_so_many_words_change_hands():
    call = untimed_call(*[("RC"[n % 2], f"{'rc'[n % 2]} " * 20) for n in range(200)])
    wrong = wrong_speaker(call, random.Random(1), rate=0.05)
    assert [turn.speaker for turn in wrong.turns] == [turn.speaker for turn in call.turns]
    moved = sum(word != turn.speaker.lower() for turn in wrong.turns for word in turn.text.split())
    assert sum(len(turn.text.split()) for turn in wrong.turns) == 4000
    assert 0.04 < moved / 4000 < 0.06


def test_disturbances_noise_loses_no_turn_that_has_words_left():
    noisy = misheard(CALL, Mishearing(text for _, text in LINES), 0.15, random.Random(1))
    assert all(turn.text == turn.text.lower() for turn in noisy.turns)
    assert len(noisy.turns) >= 4


def test_robustness_flips_are_counted_by_hand():
    row = flips([(0, 1, 2, 3, 0), (1, 1, 1, 1, 1)], [(0, 1, 2, 1, 0), (2, 1, 1, 1, 1)])
    assert (row["pairs"], row["flipped"], row["share"], row["by_more_than_one"]) == (10, 2, 0.2, 1)
    assert row["by_behaviour"] == {
        "agenda": 1, "client_story": 0, "differentiation": 0, "value_proposition": 1, "next_steps": 0
    }  # fmt: skip
    assert agreement_row([(0,) * 5, (3,) * 5], [(0,) * 5, (3,) * 5])["mean"] == 1.0
