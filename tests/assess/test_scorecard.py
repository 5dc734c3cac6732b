"""scorecard.json: valid by its schema, verbatim quotes, and the same bytes for the same call."""

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from pipeline import resources
from pipeline.assess.rubric import rubric_for
from pipeline.assess.scorecard import assess, to_dict, to_json
from pipeline.records import BEHAVIOURS, MEETINGS, Agreement, Evidence, Finding
from tests.builders import timed_call, untimed_call, words

SCHEMA = json.loads(resources.scorecard_schema().read_text(encoding="utf-8"))


class Fixed:
    """A classifier that finds the same in every call."""

    version = "fixed-1"
    agreement = (Agreement("agenda", 0.78, 0.67, 0.85, 118, 1.0),)

    def __call__(self, call):
        quote = call.turns[0].text if call.turns else ""
        evidence = (Evidence(0, 0.0, 5.0, "R", "rep", quote, ("purpose",)),) if quote else ()
        return tuple(Finding(name, (0.1, 0.1, 0.7, 0.1), (), evidence, (0, 0)) for name in BEHAVIOURS)


CALLS = {
    "timed": timed_call(("R", 0, 20, "Öffnen wir “das” Gespräch? " + words(40)), ("M", 20, 30, words(30))),
    "untimed": untimed_call(("R", words(50)), ("C", words(20))),
    "empty": timed_call(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("call_type", ["discovery", "joint", "one_on_one"])
def test_scorecard_is_valid_and_the_same_bytes_twice(call, call_type):
    rubric = rubric_for(call_type)
    text = to_json(assess(call, rubric, Fixed()))
    Draft202012Validator(SCHEMA).validate(json.loads(text))
    assert text == to_json(assess(call, rubric, Fixed()))


def test_scorecard_schema_refuses_a_level_that_is_given_and_withheld():
    card = to_dict(assess(CALLS["timed"], rubric_for("discovery"), Fixed()))
    card["behaviours"]["agenda"]["withheld"] = "a reason"
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(card)


def test_scorecard_keeps_letters_and_quotes_verbatim():
    card = json.loads(to_json(assess(CALLS["timed"], rubric_for("discovery"), Fixed())))
    assert card["behaviours"]["agenda"]["evidence"][0]["quote"].startswith("Öffnen wir “das” Gespräch?")


def test_scorecard_says_when_the_rubric_is_meant_for_another_type():
    card = to_dict(assess(CALLS["timed"], rubric_for("demo"), Fixed()))
    assert any("meant for demo" in one for one in card["quality"]["warnings"])


def test_scorecard_says_that_nobody_but_the_selling_side_speaks():
    card = to_dict(assess(CALLS["timed"], rubric_for("joint"), Fixed()))
    assert any("Only the selling side speaks here" in one for one in card["quality"]["warnings"])


@pytest.mark.parametrize("call_type", MEETINGS)
def test_scorecard_of_a_meeting_warns_of_no_buyer_and_says_so_where_there_is_one(call_type):
    meeting = replace(CALLS["timed"], call_type=call_type)
    card = to_dict(assess(meeting, rubric_for(call_type), Fixed()))
    assert not [one for one in card["quality"]["warnings"] if "selling" in one or "buyer" in one]
    sold = untimed_call(("R", words(50)), ("M", words(50)), ("C", words(20)), call_type=call_type)
    card = to_dict(assess(sold, rubric_for(call_type), Fixed()))
    assert any(one.startswith("A buyer speaks on this call") for one in card["quality"]["warnings"])


def test_scorecard_names_its_versions():
    card = to_dict(assess(CALLS["timed"], rubric_for("joint"), Fixed()))
    assert card["rubric"] == {"id": "joint_call", "version": rubric_for("joint").version}
    assert card["provenance"]["models"]["behaviours"] == "fixed-1"
    assert card["quality"]["agreement"]["agenda"]["kappa"] == 0.78
    assert rubric_for("joint").sha256 in card["provenance"]["rubric"]
