"""What an LLM judge's answer must hold to be taken: every rule of evidence, broken one at a time."""

import json

import pytest

from pipeline.assess.llm_answer import Refused, read_answer
from tests.builders import untimed_call

CALL = untimed_call(
    ("R", "Thanks for coming.\n I'd like to see the dock first,  then two screens. Does that work?"),
    ("C", "Yes, that works. We reach a decision by noon."),
    ("X", "Anybody there?"),
    ("R", "I'll send the agreement today and we start on Tuesday at nine, all right?"),
    ("C", "Tuesday is good."),
)
MEETING = untimed_call(
    ("M", "Let's take the Kessel deal, nothing else. What would you do differently?"),
    ("R", "I'd like to go through the call first. I'll phone the dock manager on Tuesday."),
    ("X", "Anybody there?"),
    ("C", "Is this the demo?"),
    ("M", "You should phone him today. Fine, keep me posted."),
    call_type="deal_review",
)
PLAN = {"turn": 0, "quote": "I'd like to see the dock first, then two screens", "criteria": ["plan"]}
ASKS = {"turn": 0, "quote": "Does that work?", "criteria": ["agreement"]}


def read(level, *evidence, behaviour="agenda", searched=(0, 4), call=CALL):
    return read_answer(json.dumps({"level": level, "evidence": evidence}), call, behaviour, searched)


def passage(turn=0, quote="the dock", criteria=("plan",)):
    return {"turn": turn, "quote": quote, "criteria": list(criteria)}


def test_answer_quotes_are_the_turns_own_text_one_passage_a_turn():
    answer = read(2, ASKS, PLAN)
    [one] = answer.evidence
    assert one.quote == "I'd like to see the dock first,  then two screens. Does that work?"
    assert one.quote in CALL.turns[0].text
    assert (answer.level, one.turn, one.speaker, one.role, one.criteria) == (2, 0, "R", "rep", ("plan", "agreement"))


@pytest.mark.parametrize(
    ("behaviour", "turn", "quote", "names"),
    [("agenda", 1, "Yes, that works.", ["agreement"]), ("next_steps", 4, "Tuesday is good", ["commitment"])],
)
def test_answer_the_buyers_yes_is_evidence_beside_the_sellers_words(behaviour, turn, quote, names):
    first = PLAN if behaviour == "agenda" else passage(3, "we start on Tuesday at nine", ["action", "when"])
    answer = read(2, first, passage(turn, quote, names), behaviour=behaviour)
    assert [one.criteria for one in answer.evidence][-1] == tuple(names)
    with pytest.raises(Refused, match="cites no words of the seller"):
        read(1, passage(turn, quote, names), behaviour=behaviour)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (passage(quote="see the docks first"), "do not stand in turn 0"),
        (passage(quote="ee the dock"), "do not stand in turn 0"),  # cut words
        (passage(quote="i'd like to see"), "do not stand in turn 0"),
        (passage(turn=3), "do not stand in turn 3"),  # the words of another turn
        (passage(quote="  "), "do not stand"),
        (passage(quote="."), "do not stand"),
        (passage(quote=3), "do not stand"),
        (passage(1, "Yes, that works"), "the buyer's, whose words count for agreement alone"),
        (passage(1, "Yes, that works", ["agreement", "plan"]), "count for agreement alone"),
        (passage(1, "Yes, that works", []), "count for agreement alone"),
        (passage(2, "Anybody there?"), "turn 2 is not the seller's"),
        (passage(criteria=["when"]), "a criterion that agenda does not have"),
        (passage(turn=5), "not a number from 0 to 4"),
        (passage(turn=-1), "not a number"),
        (passage(turn=True), "not a number"),
        (passage(turn="0"), "not a number"),
        ({"turn": 0, "quote": "the dock", "criteria": "plan"}, "not a list of names"),
        ({"turn": 0, "quote": "the dock"}, "does not have the fields"),
        ("the dock", "does not have the fields"),
    ],
)
def test_answer_a_false_passage_is_refused_with_its_number(one, said):
    with pytest.raises(Refused, match=rf"^passage 2: .*{said}"):
        read(1, PLAN, one)


def test_answer_a_buyer_shows_nothing_of_a_story():
    with pytest.raises(Refused, match="turn 1 is not the seller's"):
        read(1, passage(1, "Yes, that works", ["client"]), behaviour="client_story")


ASKED = passage(0, "What would you do differently?", ["ask"])
TOLD = passage(4, "You should phone him today.", ["tell"])
REPS = passage(1, "I'll phone the dock manager on Tuesday.", ["action", "owner", "when"])


def test_answer_in_a_meeting_the_manager_is_judged():
    answer = read(3, ASKED, behaviour="guiding", call=MEETING)
    assert [(one.role, one.criteria) for one in answer.evidence] == [("manager", ("ask",))]


def test_answer_the_reps_own_agenda_or_action_carries_a_level_alone():
    answer = read(3, REPS, behaviour="action_items", call=MEETING)
    assert [(one.role, one.criteria) for one in answer.evidence] == [("rep", ("action", "owner", "when"))]
    weak = passage(1, "I'd like to go through the call first.", [])
    assert read(1, weak, behaviour="meeting_purpose", call=MEETING).level == 1


@pytest.mark.parametrize(
    ("level", "behaviour", "evidence", "said"),
    [
        (1, "guiding", [passage(1, "I'd like to go through the call first.", ["ask"])], "turn 1 is not the manager's"),
        (1, "feedback", [passage(1, "I'd like to", [])], "turn 1 is not the manager's"),
        (1, "action_items", [passage(2, "Anybody there?", [])], "turn 2 is not the manager's"),
        (1, "meeting_purpose", [passage(3, "Is this the demo?", ["purpose"])], "turn 3 is not the manager's"),
        (1, "action_items", [], "level 1 cites no words"),
        (3, "guiding", [ASKED, TOLD], "level 3 is not carried by its criteria, which give 2"),
        (2, "guiding", [TOLD], "which give 1"),
        (2, "feedback", [passage(4, "Fine", ["vague"])], "which give 1"),
        (3, "meeting_purpose", [passage(0, "Let's take the Kessel deal", ["purpose"])], "which give 2"),
        (2, "reconciliation", [passage(4, "keep me posted", [])], "which give 1"),
    ],
)
def test_answer_of_a_meeting_that_its_evidence_does_not_carry_is_refused(level, behaviour, evidence, said):
    with pytest.raises(Refused, match=said):
        read(level, *evidence, behaviour=behaviour, call=MEETING)


def test_answer_an_objection_that_was_not_raised_is_not_measured():
    answer = read("not measured", behaviour="objection_handling")
    assert (answer.level, answer.evidence) == (None, ())


@pytest.mark.parametrize(
    ("level", "behaviour", "evidence", "said"),
    [
        ("not measured", "objection_handling", [passage(criteria=[])], "what is not measured has evidence"),
        ("not measured", "objection_handling", [3], "what is not measured has evidence"),
        ("not measured", "discovery", [], "level is not 0, 1, 2 or 3"),
        ("not measured", "reconciliation", [], "level is not 0, 1, 2 or 3"),
        ("none", "objection_handling", [], 'level is not 0, 1, 2, 3 or "not measured"'),
        (None, "objection_handling", [], "level is not"),
    ],
)
def test_answer_only_an_objection_can_be_not_measured_and_then_has_no_evidence(level, behaviour, evidence, said):
    with pytest.raises(Refused, match=said):
        read(level, *evidence, behaviour=behaviour)


def test_answer_a_passage_from_another_part_of_the_call_is_refused():
    with pytest.raises(Refused, match=r"turn 3 is outside the part of the call \(0 to 2\)"):
        read(1, passage(3, "I'll send the agreement today"), searched=(0, 2))


@pytest.mark.parametrize(
    ("level", "evidence", "said"),
    [
        (2, [PLAN], "level 2 is not carried by its criteria, which give 1"),
        (3, [PLAN, ASKS], "level 3 is not carried by its criteria, which give 2"),
        (0, [PLAN], "level 0 has evidence"),
        (1, [], "level 1 cites no words"),
        (4, [PLAN], "level is not 0, 1, 2 or 3"),
        (1.0, [PLAN], "level is not"),
        (True, [PLAN], "level is not"),
        (None, [PLAN], "level is not"),
        (1, [PLAN] * 21, "not a list of at most 20"),
    ],
)
def test_answer_a_level_that_its_evidence_does_not_carry_is_refused(level, evidence, said):
    with pytest.raises(Refused, match=said):
        read(level, *evidence)


def test_answer_a_lower_level_than_the_criteria_allow_is_the_judges_to_give():
    assert read(1, PLAN, ASKS).level == 1


def test_answer_all_faults_are_told_at_once():
    with pytest.raises(Refused) as refused:
        read(1, passage(turn=9), passage(quote="no such words"))
    assert len(refused.value.faults) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Level 2, because the seller asks.",
        '{"level": 1, "evidence": [',
        "[1]",
        "2",
        '{"level": NaN, "evidence": []}',
        '{"level": 0, "level": 0, "evidence": []}',
        '{"level": 0, "evidence": []} and so on',
        "[" * 100_000,
        '{"level": 0, "evidence": [], "note": "x"}',
        '{"level": 1' + "0" * 5000 + ', "evidence": []}',
    ],
)
def test_answer_what_is_not_the_asked_json_is_refused(text):
    with pytest.raises(Refused, match=r"not one JSON object|other fields|level is not"):
        read_answer(text, CALL, "agenda", (0, 4))


@pytest.mark.parametrize("text", ["```json\n{}\n```", "<think>turn 0\nor 3?</think>\n\n{}", " {}\n"])
def test_answer_thoughts_and_code_fences_about_the_json_are_let_pass(text):
    level = '{"level": 0, "evidence": []}'
    assert read_answer(text.replace("{}", level), CALL, "agenda", (0, 4)).level == 0
