"""The manager's part: share, takeover, where it began and how long the rep was silent."""

import json

import pytest

from pipeline import resources
from pipeline.assess.rubric import rubric_for
from pipeline.assess.takeover import manager_part
from pipeline.records import MEETINGS, Call, Joint, ListeningQuality, Participant, Turn
from tests.builders import timed_call, untimed_call, words

RUBRIC = rubric_for("joint")


def test_takeover_begins_with_the_managers_turn_after_which_the_rep_is_gone():
    call = timed_call(
        ("R", 0, 30, words(80)),
        ("C", 30, 40, words(20)),
        ("M", 40, 45, words(10)),
        ("R", 45, 70, words(60)),
        ("C", 70, 80, "But what does it cost compared to Marlock?"),
        ("M", 81, 140, words(150)),
        ("C", 140, 150, words(20)),
        ("R", 150, 150.5, "right"),
        ("M", 151, 200, words(120)),
    )
    joint = manager_part(call, RUBRIC)
    assert joint.takeover is True
    assert (joint.began_turn, joint.began_at) == (5, 81)
    assert joint.said_before == "But what does it cost compared to Marlock?"
    assert joint.rep_silent_for == 200 - 81  # "right" is a back-channel
    assert joint.manager_share == pytest.approx((5 + 59 + 49) / (5 + 59 + 49 + 55 + 0.5), abs=1e-3)


def test_takeover_without_times_is_counted_in_words():
    call = untimed_call(("R", words(50)), ("C", words(9)), ("M", words(90)), ("C", words(9)), ("M", words(60)))
    joint = manager_part(call, RUBRIC)
    assert (joint.takeover, joint.began_turn, joint.began_at, joint.rep_silent_for) == (True, 2, None, None)
    assert joint.manager_share == 0.75


def test_takeover_a_partner_who_hands_back_takes_nothing_over():
    call = untimed_call(
        ("R", words(60)), ("C", words(9)), ("M", words(50)), ("C", words(9)), ("R", words(60)), ("M", words(10))
    )
    assert manager_part(call, RUBRIC).takeover is False


def test_takeover_a_closing_word_takes_nothing_over():
    assert manager_part(untimed_call(("R", words(90)), ("C", words(9)), ("M", words(12))), RUBRIC).takeover is False


@pytest.mark.parametrize(
    ("speakers", "reason"),
    [
        ("RC", "No manager speaks on this call."),
        ("MC", "No rep speaks on this call."),
        ("C", "No rep and no manager speaks on this call."),
        ("", "No rep and no manager speaks on this call."),
        ("XC", "No speaker is known to be the rep or the manager, and one speaker's role is unknown. Name them in the "
         "manifest."),
    ],
)  # fmt: skip
def test_takeover_cannot_be_told_without_a_rep_and_a_manager(speakers, reason):
    call = untimed_call(*((speaker, words(20)) for speaker in speakers))
    assert manager_part(call, RUBRIC) == Joint(withheld=reason)


@pytest.mark.parametrize("call_type", MEETINGS)
def test_takeover_is_no_matter_in_a_meeting(call_type):
    lines = (("R", words(50)), ("M", words(90)), ("R", "mm"), ("M", words(60)))
    assert manager_part(untimed_call(*lines, call_type=call_type), rubric_for(call_type)) == Joint()


def test_takeover_cannot_be_told_where_nobody_but_the_selling_side_speaks():
    assert manager_part(untimed_call(("R", words(50)), ("M", words(90))), RUBRIC) == Joint()


def joint_calls():
    for path in sorted((resources.ROOT / "data" / "corpus" / "calls").glob("*.json")):
        labelled = json.loads(path.read_text(encoding="utf-8"))
        if labelled["type"] == "joint":
            yield pytest.param(labelled, id=labelled["id"])


@pytest.mark.parametrize("labelled", list(joint_calls()))
def test_takeover_agrees_with_the_labels_of_the_corpus(labelled):
    people = tuple(Participant(one["speaker"], one["name"], one["role"]) for one in labelled["participants"])
    turns = tuple(Turn(turn["speaker"], turn["text"]) for turn in labelled["turns"])
    call = Call(labelled["id"], "joint", turns, people, None, ListeningQuality("by hand"))
    joint = manager_part(call, RUBRIC)
    assert (joint.takeover, joint.began_turn) == (labelled["manager_takeover"], labelled["takeover_turn"])
