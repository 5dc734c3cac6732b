"""The contexts of behaviour cards, talk bars, the joint call and transcript turns."""

from dataclasses import replace
from typing import get_args

import pytest

from pipeline import resources
from pipeline.assess.measures import measure as talk_of
from pipeline.assess.rubric import load_rubric
from pipeline.records import CRITERIA, Agreement, Joint, Talk, Trigger
from pipeline.report.behaviour_cards import behaviour_cards, place_of
from pipeline.report.joint_part import joint_view
from pipeline.report.scorecard_page import page_of
from pipeline.report.talk_bars import talk_bars, talk_notes
from pipeline.report.transcript_turns import turn_views
from pipeline.report.words import SPACE


def card(scorecard, rubric, name):
    return next(one for one in behaviour_cards(scorecard, rubric) if one.name == name)


def test_cards_follow_the_rubric_whatever_the_scorecards_order(joint, rubric):
    backwards = replace(joint, behaviours=joint.behaviours[::-1])
    assert [one.short for one in behaviour_cards(backwards, rubric)] == [one.short for one in rubric.behaviours]


def test_a_behaviour_that_the_rubric_lacks_comes_last_under_its_own_name(joint, rubric):
    odd = replace(joint.behaviours[0], behaviour="active_listening")
    cards = behaviour_cards(replace(joint, behaviours=(odd, *joint.behaviours[1:])), rubric)
    assert cards[-1].title == "Active listening"


def test_quotes_are_verbatim(joint, rubric):
    for score, shown in zip(joint.behaviours, behaviour_cards(joint, rubric), strict=True):
        assert [one.quote for one in shown.evidence] == [one.quote for one in score.evidence]


def test_criteria_are_said_in_the_rubrics_words(joint, rubric):
    agenda = card(joint, rubric, "agenda")
    assert agenda.evidence[0].criteria == ("refers to what this buyer said or asked for earlier",)
    assert agenda.heard == "5 of 5 criteria heard."
    assert card(joint, rubric, "next_steps").missing[0] == "gets the buyer's yes to it"


@pytest.mark.parametrize(
    ("name", "kind", "word"),
    [
        ("agenda", "l3", "Excellent"),
        ("client_story", "l1", "Needs Work"),
        ("differentiation", "l0", "Not Present"),
        ("value_proposition", "withheld", "not sure enough"),
        ("next_steps", "l2", "Good"),
    ],
)
def test_chips(joint, rubric, name, kind, word):
    chip = card(joint, rubric, name).chip
    assert (chip.kind, chip.word) == (kind, word)


def test_not_present_says_what_was_searched(joint, rubric):
    assert card(joint, rubric, "differentiation").searched == "Searched: the whole call (30 turns, 0:01 to 6:53)."
    assert card(joint, rubric, "agenda").searched == "Searched: the first 7 turns of 30, 0:01 to 1:29."


def test_not_present_in_an_untimed_call_is_searched_by_turns(cases, rubric):
    assert card(cases["no_times"], rubric, "next_steps").searched == "Searched: the last 10 turns of 30."


def test_withheld_gives_its_reason_and_keeps_what_was_found(joint, rubric):
    held = card(joint, rubric, "value_proposition")
    assert held.reason.startswith("The machine is not sure enough")
    assert held.evidence_title == "What was found, for you to judge"
    assert len(held.evidence) == 1
    assert held.missing == (), "what is not sure is not counted against anybody"


def test_four_equal_probabilities_are_not_shown(cases, rubric):
    assert card(cases["withheld"], rubric, "agenda").sureness == ()


def test_sureness_begins_with_the_likeliest(joint, rubric):
    assert card(joint, rubric, "next_steps").sureness[0] == ("Good", f"60{SPACE}%")


def test_a_close_call_is_said(joint, rubric):
    def meaning(*probabilities):
        scores = [replace(one, level=2, withheld=None, probabilities=probabilities) for one in joint.behaviours]
        return behaviour_cards(replace(joint, behaviours=tuple(scores)), rubric)[0].meaning

    assert "close call: Needs Work is about as likely" in meaning(0.05, 0.4, 0.45, 0.1)
    assert "close call" not in meaning(0.05, 0.2, 0.65, 0.1)


def test_no_page_speaks_of_the_person(joint, cases, rubric):
    """Levels and their sentences are about what was heard, not about who said it."""
    for scorecard in (joint, cases["no_evidence"], cases["withheld"]):
        for one in behaviour_cards(scorecard, rubric):
            said = " ".join((one.meaning, one.heard, one.missing_for)).lower()
            assert not set(said.split()) & {"you", "rep", "failed", "bad", "poor", "weak", "tom"}


def test_place_of_a_turn_without_time(cases):
    assert place_of(cases["no_times"].call, 4).clock == "turn 5"
    assert place_of(cases["no_times"].call, 4).at is None


# --- talk ---


def bar_of(scorecard, rubric, title):
    return next(one for one in talk_bars(scorecard, rubric) if one.title == title)


def test_every_value_has_its_unit(joint, rubric):
    units = ("%", "s", "min", "minute", "times", "time", "measured")
    for measure in talk_bars(joint, rubric):
        for one in (*measure.sides, *measure.speakers):
            assert one.value.split()[-1] in units, one


def test_talk_share_stands_on_a_scale_of_one(joint, rubric):
    share = bar_of(joint, rubric, "Talk share")
    assert share.sides[0].length == pytest.approx(dict(joint.talk.by_side)["seller"].talk_share)
    assert share.band == (0.35, 0.65)
    assert share.usual == f"35 to 65{SPACE}%"
    assert share.verdict == "above the usual range"


def test_usual_ranges_in_words(joint, rubric):
    assert bar_of(joint, rubric, "Longest monologue").usual == f"up to 2{SPACE}min"
    assert bar_of(joint, rubric, "Speaking pace").usual == f"110 to 180 words a{SPACE}minute"
    assert bar_of(joint, rubric, "Questions").usual == f"0.3 to 2 a{SPACE}minute"
    assert bar_of(joint, rubric, "Interruptions").usual == ""


def test_bars_and_bands_stay_on_their_scale(joint, cases, rubric):
    for scorecard in (joint, *cases.values()):
        for measure in talk_bars(scorecard, rubric):
            for one in (*measure.sides, *measure.speakers):
                assert one.length is None or 0 <= one.length <= 1
            assert measure.band is None or 0 <= measure.band[0] <= measure.band[1] <= 1


def test_not_measured_is_said_and_has_no_bar(cases, rubric):
    patience = bar_of(cases["no_times"], rubric, "Patience")
    assert (patience.sides[0].value, patience.sides[0].length, patience.verdict) == ("not measured", None, "")
    assert patience.band is None


def test_what_is_withheld_has_its_reason_in_place_of_bars(joint, rubric):
    quality = replace(joint.call.quality, diarization_trust="low")
    low = replace(joint, talk=talk_of(replace(joint.call, quality=quality)))
    assert bar_of(low, rubric, "Patience").withheld.endswith("overlaps and short gaps cannot be heard.")
    assert bar_of(low, rubric, "Talk share").withheld == ""


def test_questions_are_counted_without_times_and_have_no_rate(cases, rubric):
    questions = bar_of(cases["no_times"], rubric, "Questions")
    assert (questions.withheld, questions.verdict, questions.sides[0].length) == ("", "", None)
    assert questions.sides[0].value == "4 questions"


def test_talk_is_shown_by_person_where_the_sides_are_not_known(joint, rubric):
    people = tuple(replace(one, role="unknown") for one in joint.call.participants)
    call = replace(joint.call, participants=people)
    unknown = replace(joint, call=call, talk=talk_of(call))
    share = bar_of(unknown, rubric, "Talk share")
    assert [one.name for one in share.sides] == ["Tom Adeyemi", "Ines Roth", "Marek Dvořák", "Priya Nair"]
    assert (share.speakers, share.band, share.verdict) == ((), None, "")
    assert any(note.startswith("Talk is shown by person, not by side.") for note in talk_notes(unknown))


def test_every_oneis_defined_where_it_is_shown_and_in_the_docs(joint, rubric):
    docs = (resources.ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    for one in talk_bars(joint, rubric):
        assert one.definition and "{" not in one.definition
        assert f"**{one.title}**" in docs
    share = bar_of(joint, rubric, "Talk share").definition
    assert share.startswith("The share of all speaking time"), "several definitions of talk share are in use"


def test_measured_none_is_not_the_same_as_not_measured(joint, rubric):
    assert bar_of(joint, rubric, "Interruptions").sides[0].value == f"0{SPACE}times"


def test_patience_is_not_asked_of_the_buyer(joint, rubric):
    patience = bar_of(joint, rubric, "Patience")
    assert [one.tone for one in patience.sides] == ["seller"]
    assert [one.tone for one in patience.speakers] == ["rep", "manager"]


def test_speakers_stand_in_the_order_of_the_floor(joint, rubric):
    assert [one.tone for one in bar_of(joint, rubric, "Talk share").speakers] == [
        "rep",
        "manager",
        "customer",
        "customer",
    ]


def test_a_rubric_without_ranges_has_no_bands(joint, rubric):
    assert all(one.band is None and not one.verdict for one in talk_bars(joint, replace(rubric, talk=())))


def test_nobody_spoke_no_bars(cases, rubric):
    assert talk_bars(cases["empty"], rubric) == ()
    assert talk_notes(replace(cases["empty"], talk=Talk("words", (), (), None, None))) == ()


def test_words_instead_of_times_are_said(cases):
    assert talk_notes(cases["no_times"]) == ("The transcript has no times, so talk share is counted in words.",)


# --- joint call ---


def test_joint_call_with_takeover(joint):
    view = joint_view(joint)
    assert view.answer == "The manager took over the selling side."
    assert (view.said_by, view.said_before) == ("Ines Roth", "Okay. And what did it do for them?")
    assert view.began.clock == "2:23"
    assert view.facts == (
        f"From there Tom Adeyemi said nothing more than a word or two for 4{SPACE}min{SPACE}17{SPACE}s, 13 turns of "
        "others.",
        "Tom Adeyemi did not get the conversation back.",
    )
    assert [(one.name, one.in_words) for one in view.shares] == [
        ("Whole call", f"73{SPACE}%"), ("Before it", f"0{SPACE}%"), ("From there on", f"97{SPACE}%"),
    ]  # fmt: skip
    assert view.question


@pytest.mark.parametrize(("takeover", "word"), [(False, "did not take over"), (None, "cannot be told")])
def test_joint_call_without_takeover(joint, takeover, word):
    view = joint_view(replace(joint, joint=Joint(None if takeover is None else 0.4, takeover=takeover)))
    assert word in view.answer
    assert (view.began, view.said_before, view.question, view.trigger) == (None, "", "", "")


def test_a_partner_is_said_kindly(joint):
    view = joint_view(replace(joint, joint=Joint(0.184, takeover=False)))
    assert view.answer == (
        f"The manager joined as a partner and did not take over: 18{SPACE}% of the selling side's speech."
    )
    assert view.facts == ()
    back = joint_view(replace(joint, joint=Joint(0.4, takeover=False, rep_returned=True, returned_turn=23)))
    assert back.facts == ("For a while the manager led, and Tom Adeyemi took the conversation back at 5:52.",)


def test_why_a_takeover_cannot_be_told_is_said(joint):
    reason = "Only 61% of the words have a speaker; at least 80% are needed."
    view = joint_view(replace(joint, joint=Joint(withheld=reason)))
    assert (view.facts, view.shares) == ((reason,), ())


@pytest.mark.parametrize("trigger", get_args(Trigger))
def test_every_trigger_has_its_words(joint, trigger):
    view = joint_view(replace(joint, joint=replace(joint.joint, trigger=trigger)))
    assert view.trigger.startswith("just after ")


def test_a_takeover_without_times_is_told_in_turns(cases):
    view = joint_view(cases["no_times"])
    assert view.began.clock == "turn 13"
    assert view.facts[0] == "From there Tom Adeyemi said nothing more than a word or two for 13 turns of others."
    assert "in words, as the transcript has no times" in view.definition


def test_a_rep_who_came_back_is_said_so(joint):
    view = joint_view(replace(joint, joint=replace(joint.joint, rep_returned=True, returned_turn=27)))
    assert view.facts[1] == "Tom Adeyemi had a fair part of the conversation again at 6:40."


def test_what_was_said_before_is_cut_to_its_last_words(joint):
    long = replace(joint.joint, said_before=" ".join(str(i) for i in range(100)), said_before_by="nobody")
    view = joint_view(replace(joint, joint=long))
    assert view.said_before.startswith("… 60 61")
    assert view.said_by == "", "a label that the call lacks is nobody's"


def test_no_manager_no_joint_section(cases):
    assert joint_view(cases["one_speaker"]) is None


# --- transcript ---


def test_pieces_join_to_the_turns_text(joint, cases, rubric):
    for scorecard in (joint, *cases.values()):
        views = turn_views(scorecard, behaviour_cards(scorecard, rubric))
        for turn, view in zip(scorecard.call.turns, views, strict=True):
            assert "".join(piece.text for piece in view.pieces) == turn.text


def test_marks_hold_the_quotes_and_lead_to_their_cards(joint, rubric):
    views = turn_views(joint, behaviour_cards(joint, rubric))
    marked = [piece for piece in views[2].pieces if piece.kind]
    assert [piece.text for piece in marked] == [one.quote for one in joint.behaviours[0].evidence]
    assert [piece.tags[0].target for piece in marked] == ["b-agenda-1", "b-agenda-2"]


def test_overlapping_evidence_keeps_both_tags(joint, rubric):
    agenda, story = joint.behaviours[0].evidence[1], joint.behaviours[1]
    inner = replace(agenda, quote="leave ten minutes for questions.", criteria=CRITERIA["client_story"][:1])
    both = (joint.behaviours[0], replace(story, evidence=(inner,)), *joint.behaviours[2:])
    scorecard = replace(joint, behaviours=both)
    pieces = turn_views(scorecard, behaviour_cards(scorecard, rubric))[2].pieces
    assert "".join(piece.text for piece in pieces) == joint.call.turns[2].text
    assert [tag.short for piece in pieces for tag in piece.tags] == ["Agenda", "Client story", "Agenda"]


def test_a_quote_that_is_not_in_its_turn_is_not_marked(joint, rubric):
    bent = replace(joint.behaviours[0].evidence[0], quote="never said")
    scorecard = replace(joint, behaviours=(replace(joint.behaviours[0], evidence=(bent,)),))
    assert all(
        not piece.kind for view in turn_views(scorecard, behaviour_cards(scorecard, rubric)) for piece in view.pieces
    )


# --- the page's context ---


def test_header(joint, cases, rubric):
    page = page_of(joint, rubric, audio=None)
    assert page.heading == "Hexley Foods"
    assert page.facts == ("Joint call", "2 Mar 2026, 10:00", f"6{SPACE}min{SPACE}56{SPACE}s")
    assert [(one.role, one.names) for one in page.people] == [
        ("rep", "Tom Adeyemi"), ("manager", "Priya Nair"), ("buyer", "Ines Roth and Marek Dvořák"),
    ]  # fmt: skip
    nobody = page_of(cases["empty"], rubric, audio=None)
    assert nobody.heading == joint.call.call_id
    assert nobody.facts[1:] == ("date not known", "length not known")
    assert [one.names for one in nobody.people] == ["none known on this call"] * 3
    several = page_of(cases["eight_speakers"], rubric, audio=None)
    assert [one.names for one in several.people] == [
        "2 people, names not known", "name not known", "4 people, names not known",
    ]  # fmt: skip


def test_buyers_head_the_page_where_no_company_is_named(joint, rubric):
    page = page_of(replace(joint, call=replace(joint.call, details=())), rubric, audio=None)
    assert page.heading == "Ines Roth and Marek Dvořák"


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ((3, 2), "Both behaviours judged did their job for this buyer."),
        ((3, 1), "One of the two behaviours judged did its job for this buyer."),
        ((2,), "The one behaviour judged did its job for this buyer."),
        ((0,), "The one behaviour judged did not do its job yet."),
        ((3, None, None), "The one behaviour judged did its job for this buyer. Two are withheld."),
    ],
)
def test_summary_counts(joint, rubric, levels, said):
    scores = tuple(replace(score, level=level) for score, level in zip(joint.behaviours, levels, strict=False))
    assert page_of(replace(joint, behaviours=scores, joint=Joint()), rubric, audio=None).summary == said


def test_moments_are_filled_with_what_else_went_well(joint, rubric):
    scores = tuple(replace(score, level=3, withheld=None) for score in joint.behaviours)
    page = page_of(replace(joint, behaviours=scores, joint=Joint()), rubric, audio=None)
    assert [one.what for one in page.moments] == [
        "What went well: Agenda", "Also went well: Client story", "Also went well: Value proposition",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        ("empty", "Nothing was said on this recording, so there is nothing to judge."),
        ("no_behaviours", "This rubric judges no behaviours; the page shows who spoke, and how."),
        ("one_speaker", "None of the five behaviours judged did its job for this buyer yet."),
        ("withheld", "Every behaviour is withheld. The manager took over at 2:23."),
    ],
)
def test_summary(cases, rubric, name, summary):
    assert page_of(cases[name], rubric, audio=None).summary == summary


def test_moments_to_hear_first(joint, cases, rubric):
    page = page_of(joint, rubric, audio=None)
    assert [one.what for one in page.moments] == [
        "What went well: Agenda", "The manager steps in", "Worth a conversation: Client story",
    ]  # fmt: skip
    assert page.moments[0].said.startswith("I'd like to understand that first"), "the passage with most criteria"
    assert page_of(cases["no_evidence"], rubric, audio=None).moments[0].what == "The manager steps in"
    assert page_of(cases["one_speaker"], rubric, audio=None).moments == ()


def test_honesty_line(joint, rubric):
    lines = dict(page_of(joint, rubric, audio=None).honesty)
    assert lines["Heard by"] == "faster-whisper (whisper large-v3-turbo)"
    assert lines["Confidence in the words"] == f"91{SPACE}%"
    assert lines["Judged by rubric"] == f"Joint call (joint_call, version {rubric.version})"
    assert lines["Withheld"] == "1 of 5: Value proposition"
    assert "Not measured for this classifier" in lines["Agreement with people"]


def test_versions_are_those_of_the_provenance(joint, rubric):
    versions = dict(page_of(joint, rubric, audio=None).versions)
    assert versions["Models, behaviours"] == "1.0.0"
    assert versions["Recording sha256"] == joint.call.source_sha256


def test_honesty_line_shows_the_measured_agreement_beside_two_peoples(joint, rubric):
    measured = (Agreement("agenda", 0.775, 0.673, 0.85, 118, 1.0), Agreement("next_steps", 0.86, 0.81, 0.91, 118, 0.97))
    said = dict(page_of(replace(joint, agreement=measured), rubric, audio=None).honesty)["Agreement with people"]
    assert "118 written practice calls" in said
    assert "Agenda 0.78 (0.67 to 0.85); Next steps 0.86 (0.81 to 0.91)" in said
    assert "Two people rating the same: 0.97 to 1.00." in said


def test_honesty_line_of_an_imported_transcript_says_what_was_not_measured(joint, rubric):
    quality = replace(joint.call.quality, word_confidence=None, speech_attributed=None)
    lines = dict(page_of(replace(joint, call=replace(joint.call, quality=quality)), rubric, audio=None).honesty)
    assert lines["Confidence in the words"] == "not given by this source"
    assert lines["Speech with a known speaker"] == "not measured"


def test_warnings_are_shown_once(joint, rubric):
    assert page_of(joint, rubric, audio=None).warnings == joint.call.quality.warnings


@pytest.mark.parametrize("name", ["one_on_one", "deal_review"])
def test_a_rubric_that_judges_nothing_still_makes_a_page(joint, name):
    page = page_of(replace(joint, behaviours=()), replace(load_rubric(name), behaviours=()), audio=None)
    assert page.cards == () and page.bars
