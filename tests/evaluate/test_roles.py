"""Role accuracy: sums worked by hand, and where a reference's roles come from."""

import pytest

from pipeline.evaluate.roles import role_accuracy, with_roles
from pipeline.evaluate.spoken import Spoken, role_of_label
from pipeline.records import SpeechSegment, Turn


def said(role, text):
    return [(word, role) for word in text.split()]


def test_role_accuracy_worked_by_hand():
    reference = [*said("rep", "how many trucks"), *said("customer", "we have twenty"), *said("manager", "good")]
    heard = [*said("rep", "how many ducks we"), *said("customer", "twenty"), *said("rep", "good")]
    role, side = role_accuracy(reference, heard)
    # how, many, trucks~ducks and twenty are right; we and good are wrong; have was not heard
    assert role.counts == {"right": 4, "wrong": 2, "unknown": 0, "not_heard": 1}
    assert role.value == pytest.approx(4 / 6)
    assert side.counts == {"right": 5, "wrong": 1, "unknown": 0, "not_heard": 1}


def test_role_accuracy_unknown_is_not_right_and_counted_apart():
    role, side = role_accuracy(said("rep", "good morning paul"), [("good", "rep"), *said("unknown", "morning paul")])
    assert role.counts == side.counts == {"right": 1, "wrong": 0, "unknown": 2, "not_heard": 0}
    assert role.value == pytest.approx(1 / 3)


def test_role_accuracy_leaves_out_reference_words_without_a_role():
    role, _ = role_accuracy([*said("rep", "hello"), *said("unknown", "welcome to zoom")], said("rep", "hello welcome"))
    assert role.counts == {"right": 1, "wrong": 0, "unknown": 0, "not_heard": 0}


def test_role_accuracy_of_nothing_heard_is_no_figure():
    role, side = role_accuracy(said("rep", "hello"), [])
    assert role.value is side.value is None
    assert role.counts["not_heard"] == 1


@pytest.mark.parametrize(
    ("label", "role"),
    [("rep", "rep"), ("Customer 2", "customer"), ("manager_1", "manager"), ("Reptile", None), ("unknown", None)],
)
def test_roles_a_label_may_say_its_role(label, role):
    assert role_of_label(label) == role


def test_roles_names_have_those_of_the_manifest_then_of_the_rttm_they_overlap():
    turns = (Turn("Linda Harris", "hello", 0, 4), Turn("Frank", "hi", 4, 6), Turn("Bob", "well", 6, 7))
    speech = (SpeechSegment("rep", 0.1, 4.2), SpeechSegment("customer", 4.1, 6))
    reference, _ = with_roles(Spoken(turns, speech), Spoken(), {"frank": "manager"})
    assert [reference.role(turn.speaker) for turn in turns] == ["rep", "manager", "unknown"]


def test_roles_of_the_output_never_make_those_of_the_reference():
    turns = (Turn("Linda Harris", "hello"),)
    heard = Spoken(turns, roles={"linda_harris": "customer"})
    reference, heard = with_roles(Spoken(turns), heard, {})
    assert (reference.role("Linda Harris"), heard.role("Linda Harris")) == ("unknown", "customer")
    assert not reference.knows_roles


def test_roles_a_name_in_the_output_of_another_system_has_that_of_the_reference():
    turns = (Turn("Linda Harris", "hello"), Turn("rep", "hello"))
    reference, heard = with_roles(Spoken(turns), Spoken(turns), {"linda_harris": "customer"})
    assert [heard.role(turn.speaker) for turn in turns] == ["customer", "rep"]
    assert reference.knows_roles


def test_roles_unknown_in_the_scorecard_stays_unknown():
    turns = (Turn("Linda Harris", "hello"),)
    _, heard = with_roles(Spoken(turns), Spoken(turns, roles={"linda_harris": "unknown"}), {"linda_harris": "rep"})
    assert heard.role("Linda Harris") == "unknown"
