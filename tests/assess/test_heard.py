"""The transcript quality gate: what was not heard well enough is withheld with the reason."""

from dataclasses import replace

import pytest

from pipeline.assess.heard import sides_known, why_badly_heard, word_confidence
from pipeline.assess.levels import score_behaviours
from pipeline.records import Evidence, Finding, Turn, Word
from tests.builders import core_rubric, untimed_call, words

RUBRIC = core_rubric("discovery", min_word_confidence=0.4, min_speech_attributed=0.8)


def heard_turn(speaker: str, count: int, probability: float | None) -> Turn:
    said = tuple(Word("word", n * 0.5, n * 0.5 + 0.4, probability) for n in range(count))
    return Turn(speaker, words(count), said[0].start, said[-1].end, said)


def finding(behaviour: str, *turns: int, searched=(0, 2)) -> Finding:
    evidence = tuple(Evidence(turn, None, None, "R", "rep", "word", ("purpose",)) for turn in turns)
    return Finding(behaviour, (0.0, 0.1, 0.8, 0.1), ("purpose",), evidence, searched)


def call_of(*turns: Turn):
    return replace(untimed_call(("R", words(40)), ("C", words(20)), call_type="discovery"), turns=turns)


def test_one_behaviour_is_withheld_where_its_passage_was_badly_heard_and_the_other_is_not():
    call = call_of(heard_turn("R", 40, 0.3), heard_turn("C", 20, 0.9), heard_turn("R", 40, 0.8))
    first, second = (
        score
        for score in score_behaviours(call, [finding("agenda", 0), finding("next_steps", 2)], RUBRIC)
        if score.behaviour in ("agenda", "next_steps")
    )
    assert (first.level, first.word_confidence) == (None, 0.3)
    assert first.withheld == (
        "The words that this rests on were not heard well enough: mean confidence 0.30, the rubric asks for 0.40."
    )
    assert first.evidence, "what was found stays, so that a person can judge"
    assert (second.level, second.withheld, second.word_confidence) == (2, None, 0.8)


def test_without_evidence_the_judged_side_of_what_was_searched_counts():
    call = call_of(heard_turn("R", 40, 0.6), heard_turn("C", 40, 0.1), heard_turn("R", 40, 0.2))
    assert word_confidence(call, finding("agenda", searched=(0, 1))) == 0.6
    assert word_confidence(call, finding("agenda", searched=(0, 2))) == 0.4
    assert word_confidence(call, finding("agenda", searched=None)) is None


@pytest.mark.parametrize("turn", [Turn("R", words(40)), heard_turn("R", 40, None), heard_turn("R", 7, 0.1)])
def test_words_without_confidence_or_too_few_of_them_withhold_nothing(turn):
    call = call_of(turn, heard_turn("R", 40, 0.9), Turn("C", words(20)))
    assert word_confidence(call, finding("agenda", 0)) is None
    agenda = next(one for one in score_behaviours(call, [finding("agenda", 0)], RUBRIC) if one.behaviour == "agenda")
    assert agenda.level == 2


@pytest.mark.parametrize(
    ("unknown", "withheld"),
    [(20, False), (40, True)],
)
def test_everything_is_withheld_where_too_much_is_said_by_people_whose_side_is_unknown(unknown, withheld):
    call = untimed_call(("R", words(60)), ("C", words(40)), ("X", words(unknown)), call_type="discovery")
    assert sides_known(call) == round(100 / (100 + unknown), 4)
    scores = score_behaviours(call, [finding("agenda", 0)], RUBRIC)
    reason = scores[0].withheld or ""
    assert reason.startswith("Of too much of the speech it is not known who sells and who buys: 71%") == withheld
    assert ("Name the people or the channels in the manifest." in reason) == withheld


def test_what_nobody_measured_withholds_nothing():
    assert why_badly_heard(None, None, None, RUBRIC) is None
    assert sides_known(untimed_call(call_type="discovery")) is None
