"""Pages of more than the core behaviours: the further ones of a sales call, and manager meetings without a buyer."""

import re
from dataclasses import replace

import pytest

from pipeline.assess.rubric import rubric_for
from pipeline.records import CALL_TYPES, JUDGED, MEETING_BEHAVIOURS, MEETINGS, BehaviourScore, Joint, Participant
from pipeline.report import words
from pipeline.report.behaviour_cards import behaviour_cards
from pipeline.report.index_page import index_page
from pipeline.report.scorecard_page import page_of, scorecard_page

from .judged import MEETING, TOO_LITTLE, one_on_one, one_on_one_call, one_on_one_rubric, public, six, six_rubric
from .test_scorecard_page import read


def card(scorecard, rubric, name):
    return next(one for one in behaviour_cards(scorecard, rubric) if one.name == name)


def shown(html):
    """What people read on a page: its text without style and script."""
    return re.sub(r"<style>.*?</style>|<script>.*?</script>", "", html, flags=re.DOTALL)


@pytest.fixture(scope="module")
def meeting_html():
    return scorecard_page(one_on_one(), one_on_one_rubric(), audio="audio.mp3")


# --- every behaviour ------------------------------------------------------------------------------


def test_every_behaviour_has_a_question_to_ask_of_its_own():
    asked = [words.QUESTIONS[name] for name in JUDGED]
    assert len(set(asked)) == len(JUDGED)
    assert all(one.endswith("?") for one in asked)
    assert not [one for name, one in words.QUESTIONS.items() if name in MEETING_BEHAVIOURS and "buyer" in one]


@pytest.mark.parametrize("name", JUDGED)
@pytest.mark.parametrize("level", range(4))
def test_every_level_of_every_behaviour_has_a_meaning_for_whom_it_serves(name, level):
    other = "buyer" if name in MEETING_BEHAVIOURS else "the rep"
    assert other not in words.level_sentence(name, level)


def test_every_call_type_has_its_words():
    assert set(words.CALL_TYPE_WORDS) == set(CALL_TYPES)


def test_a_renamed_behaviour_keeps_its_question_and_whom_it_serves():
    rubric = six_rubric()
    renamed = replace(rubric.behaviours[0], name="our_opening")
    score = replace(six().behaviours[0], behaviour="our_opening", level=1)
    [one] = behaviour_cards(replace(six(), behaviours=(score,)), replace(rubric, behaviours=(renamed,)))
    assert (one.question, one.served) == (words.QUESTIONS["agenda"], "this buyer")


# --- what is not there ----------------------------------------------------------------------------


def test_the_nearest_miss_is_shown_as_what_it_is_and_no_more():
    absent = card(six(), six_rubric(), "differentiation")
    assert absent.evidence_title == "The nearest that was found"
    assert absent.evidence_note == "It does not count as the behaviour; it is shown so that you can check."
    assert [one.criteria for one in absent.evidence] == [()]
    html = scorecard_page(six(), six_rubric(), audio=None)
    section = next(read(html).all("section", id="b-differentiation")).text
    order = ["Not Present", "It was not heard", "Searched: the whole call", "The nearest that was found", "dashboards"]
    assert [section.index(text) for text in order] == sorted(section.index(text) for text in order)


def test_the_nearest_miss_in_the_transcript_is_not_called_the_behaviour():
    turn = next(read(scorecard_page(six(), six_rubric(), audio=None)).all("li", id="t18"))
    assert [tag.text for tag in turn.all("a", class_="tag")] == ["nearest to Differentiation"]


def test_the_nearest_miss_is_no_mark_on_the_floor_and_no_moment_to_hear():
    page = page_of(six(), six_rubric(), audio=None)
    assert "Differentiation" not in [row.short for row in page.floor.rows]
    assert not [one for one in page.moments if "Differentiation" in one.what]


@pytest.mark.parametrize(
    ("searched", "said"),
    [
        ((0, 13), "the whole meeting (14 turns)"),
        ((0, 5), "the first 6 turns of 14"),
        ((0, 0), "the first turn of 14"),
        ((9, 13), "the last 5 turns of 14"),
        ((13, 13), "the last turn of 14"),
        ((3, 9), "turns 4 to 10 of 14"),
        ((3, 3), "turn 4 of 14"),
        ((0, 99), "the whole meeting (14 turns)"),
    ],
)
def test_the_part_that_was_searched_in_words(searched, said):
    scorecard = replace(one_on_one(), call=one_on_one_call(timed=False))
    score = replace(scorecard.behaviours[2], searched=searched)
    [one] = behaviour_cards(replace(scorecard, behaviours=(score,)), one_on_one_rubric())
    assert one.searched == f"Searched: {said}."


def test_a_behaviour_on_which_machine_and_people_disagree_says_that_and_no_likelihood():
    held = card(six(), six_rubric(), "value_proposition")
    assert held.meaning.startswith("No level is given here: in trials, the machine and people")
    assert held.reason == TOO_LITTLE
    assert held.sureness == (), "how likely the machine holds a level does not help where it cannot be trusted"
    assert held.evidence and held.evidence_title == "What was found, for you to judge"


def test_a_call_that_was_not_heard_is_not_put_down_to_agreement():
    quarter = (0.25, 0.25, 0.25, 0.25)
    unheard = BehaviourScore("value_proposition", None, quarter, withheld="The words were not heard well enough.")
    assert "in trials" not in card(replace(six(), behaviours=(unheard,)), six_rubric(), "value_proposition").meaning


# --- meetings -------------------------------------------------------------------------------------


def test_a_meetings_page_knows_no_buyer(meeting_html):
    for word in ("buyer", "Seller", "selling", "takeover", "takes over", "Joint call", "this customer"):
        assert word not in shown(meeting_html), word


@pytest.mark.parametrize("call_type", MEETINGS)
@pytest.mark.parametrize("level", [None, 0, 1, 2, 3])
def test_no_level_of_a_shipped_meeting_rubric_speaks_of_a_buyer(call_type, level):
    rubric = rubric_for(call_type)
    scores = tuple(
        BehaviourScore(one.name, level, (0.1, 0.2, 0.3, 0.4), "Not sure." if level is None else None, (),
                       tuple(name for name, _ in one.criteria), one_on_one().behaviours[0].evidence, (0, 5))
        for one in rubric.behaviours
    )  # fmt: skip
    scorecard = replace(one_on_one(), behaviours=scores, agreement=())
    assert "buyer" not in shown(scorecard_page(scorecard, rubric, audio=None))


def test_a_meeting_is_headed_by_its_two_people():
    page = page_of(one_on_one(), one_on_one_rubric(), audio=None)
    assert page.heading == "Priya Nair with Tom Adeyemi"
    assert [(one.role, one.names) for one in page.people] == [("manager", "Priya Nair"), ("rep", "Tom Adeyemi")]
    assert page.summary == "Two of the four behaviours judged did their job for the rep. One is withheld."
    about = replace(one_on_one().call, call_type="deal_review", details=(("account", "Hexley Foods"),))
    assert page_of(replace(one_on_one(), call=about), one_on_one_rubric(), audio=None).heading == "Hexley Foods"


def test_a_buyer_in_a_meeting_is_named_all_the_same():
    call = one_on_one_call()
    call = replace(call, participants=(*call.participants, Participant("I", "Ines Roth", "customer")))
    people = page_of(replace(one_on_one(), call=call), one_on_one_rubric(), audio=None).people
    assert [one.role for one in people] == ["manager", "rep", "buyer"]


def test_a_meetings_talk_is_by_person_and_the_usual_range_is_the_managers():
    share, *_, pace = page_of(one_on_one(), one_on_one_rubric(), audio=None).bars
    assert [(one.name, one.tone) for one in share.sides] == [("Tom Adeyemi", "rep"), ("Priya Nair", "manager")]
    assert share.speakers == ()
    assert (share.band_tone, share.band_for) == ("manager", "the manager")
    assert share.verdict == "manager in the usual range"
    assert pace.title == "Speaking pace"


def test_a_meetings_patience_is_the_managers_with_the_rep():
    bars = {one.title: one for one in page_of(one_on_one(), one_on_one_rubric(), audio=None).bars}
    patience = bars["Patience"]
    assert patience.definition.startswith("The pause before answering the rep:")
    assert [(one.name, one.value) for one in patience.sides] == [("Priya Nair", f"0.4{words.SPACE}s")]


def test_two_managers_have_no_usual_range_between_them():
    call = one_on_one_call()
    both = replace(call, participants=tuple(replace(one, role="manager") for one in call.participants))
    share = page_of(replace(one_on_one(), call=both), one_on_one_rubric(), audio=None).bars[0]
    assert (share.band, share.verdict) == (None, "")


def test_a_meeting_asks_the_managers_question():
    moments = page_of(one_on_one(), one_on_one_rubric(), audio=None).moments
    assert [(one.what, one.question) for one in moments[:2]] == [
        ("What went well: Purpose", ""), ("Worth a conversation: Guiding", words.QUESTIONS["guiding"]),
    ]  # fmt: skip
    assert moments[1].why == "It was attempted. Stronger when it asks so that the rep finds the way."


def test_a_meetings_page_shows_no_takeover_whatever_is_stored():
    stored = replace(
        one_on_one(),
        joint=Joint(0.8, takeover=True, began_turn=6, began_at=90.0, rep_silent_for=30.0, said_before="So what?"),
    )
    page = page_of(stored, one_on_one_rubric(), audio=None)
    assert page.joint is None and page.floor.span is None
    assert "took over" not in page.summary
    assert not [one for one in page.moments if one.kind == "joint"]


def test_the_floor_of_a_meeting_in_words():
    assert page_of(one_on_one(), one_on_one_rubric(), audio=None).floor.in_words[0].startswith("The meeting lasts")


# --- the list of calls ----------------------------------------------------------------------------


def test_index_lists_sales_calls_and_meetings_apart_each_with_its_own_behaviours():
    root = read(index_page([public(one_on_one()), public(six())]))
    assert [one.text for one in root.all("h2")] == ["Sales calls", "Manager meetings"]
    sold, met = root.all("section")
    assert [one.text for one in sold.all("dt")][:2] == ["Agenda", "Client story"]
    shorts = {one.name: one.short for one in rubric_for("one_on_one").behaviours}
    named = [shorts.get(one.name, one.name.replace("_", " ").capitalize()) for one in MEETING]
    assert [one.text for one in met.all("dt")] == named


def test_index_says_of_a_meeting_what_holds_for_one():
    text = shown(
        index_page([public(replace(one_on_one(), joint=Joint(0.8, takeover=True, began_turn=6, began_at=90.0)))])
    )
    assert "Priya Nair with Tom Adeyemi" in text
    assert "one-to-one" in text
    assert "manager talks" in text
    assert "seller" not in text and "takes over" not in text


def test_index_of_one_kind_hides_the_kinds_name():
    [heading] = read(index_page([public(six())])).all("h2")
    assert heading.attributes["class"] == "quiet"
