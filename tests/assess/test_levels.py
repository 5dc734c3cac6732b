"""Levels by a rubric: thresholds, and every reason for which a level is withheld."""

from dataclasses import replace

import pytest

from pipeline.assess.levels import level_of, risk_of, score_behaviours
from pipeline.assess.rubric import rubric_for
from pipeline.records import BEHAVIOURS, CRITERIA, Evidence, Finding, ListeningQuality
from tests.builders import untimed_call, words

RUBRIC = rubric_for("discovery")
CALL = untimed_call(("R", words(60)), ("C", words(40)))
EVIDENCE = (Evidence(0, None, None, "R", "rep", "word", ("purpose",)),)


def findings(probabilities=(0.05, 0.05, 0.8, 0.1), evidence=EVIDENCE, criteria=("purpose", "plan")):
    return [Finding(name, probabilities, criteria, evidence, (0, 1)) for name in BEHAVIOURS]


def agenda(call=CALL, rubric=RUBRIC, **finding):
    return score_behaviours(call, findings(**finding), rubric)[0]


@pytest.mark.parametrize(
    ("probabilities", "level"),
    [((1, 0, 0, 0), 0), ((0.4, 0.2, 0.4, 0), 1), ((0.1, 0.3, 0.3, 0.3), 2), ((0.2, 0.1, 0.1, 0.6), 3)],
)
def test_levels_with_even_thresholds_are_the_median(probabilities, level):
    assert level_of(probabilities, (0.5, 0.5, 0.5)) == level


def test_levels_a_stricter_threshold_lowers_the_level():
    assert level_of((0.1, 0.1, 0.2, 0.6), (0.5, 0.5, 0.5)) == 3
    assert level_of((0.1, 0.1, 0.2, 0.6), (0.5, 0.5, 0.7)) == 2


def test_levels_the_risk_is_that_of_being_two_or_more_off():
    assert risk_of((0.1, 0.2, 0.3, 0.4), 0) == pytest.approx(0.7)
    assert risk_of((0.1, 0.2, 0.3, 0.4), 2) == pytest.approx(0.1)


def test_levels_say_what_was_shown_and_what_is_missing():
    score = agenda()
    assert (score.level, score.level_name, score.withheld) == (2, "Good", None)
    assert score.criteria == ("purpose", "plan")
    assert score.missing == ("agreement", "outcome", "tailored")
    assert score.evidence == EVIDENCE


def test_levels_not_present_keeps_the_nearest_miss_without_criteria():
    score = agenda(probabilities=(0.9, 0.1, 0, 0), evidence=EVIDENCE * 2)
    assert (score.level, score.criteria) == (0, ())
    assert score.evidence == (replace(EVIDENCE[0], criteria=()),)
    assert score.missing == CRITERIA["agenda"]


MEETING = {"call_type": "one_on_one"}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (untimed_call(("R", words(60)), ("X", words(60)), **MEETING), "not known who leads this meeting"),
        (untimed_call(("R", words(60)), ("M", words(8)), **MEETING), "The manager says only 8 words"),
    ],
)
def test_levels_of_a_meeting_need_a_manager_who_speaks(call, said):
    rubric = rubric_for("one_on_one")
    scores = score_behaviours(
        call, [Finding(one.name, (0, 0, 1, 0), (), EVIDENCE) for one in rubric.behaviours], rubric
    )
    assert all(said in (score.withheld or "") for score in scores)


@pytest.mark.parametrize(
    ("call", "finding", "said"),
    [
        (untimed_call(("X", words(60)), ("C", words(40))), {}, "not known who sells"),
        (replace(CALL, quality=ListeningQuality("e", word_confidence=0.1)), {}, "mean confidence 0.10"),
        (replace(CALL, quality=ListeningQuality("e", speech_attributed=0.5)), {}, "50% is attributed"),
        (untimed_call(("R", words(12)), ("C", words(400))), {}, "only 12 words"),
        (CALL, {"probabilities": (0.3, 0.28, 0.12, 0.3)}, "probability of 30% the level would be two or more off"),
        (CALL, {"evidence": ()}, "cannot cite a passage"),
    ],
)
def test_levels_are_withheld_with_the_reason(call, finding, said):
    score = agenda(call, replace(RUBRIC, min_word_confidence=0.4), **finding)
    assert (score.level, score.level_name) == (None, None)
    assert said in score.withheld


def test_levels_where_nothing_is_known_the_probabilities_say_nothing():
    score = agenda(untimed_call(("X", words(60))))
    assert score.probabilities == (0.25, 0.25, 0.25, 0.25)
    assert score.evidence == ()
