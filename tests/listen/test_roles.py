"""Roles: channels and names first, then what is said; what cannot be told stays unknown, and is said."""

from pathlib import Path

import pytest

from pipeline.listen.manifest import CallRow
from pipeline.listen.people import label_role
from pipeline.listen.roles import assign_roles
from pipeline.records import MEETINGS, Turn

ROW = CallRow(Path("a.wav"), "a", rep="Tom Adeyemi", customers=("Ines Roth",))


def nobody(said):
    raise AssertionError("what is said must not be asked")


def sells(**probability):
    return lambda said: {speaker: probability[speaker.replace("-", "_")] for speaker in said}


def assigned(speakers, row, infer=nobody):
    turns = tuple(Turn(speaker, "something " * 20) for speaker in speakers)
    roles = assign_roles(speakers, turns, row, infer=infer)
    return [(one.name, one.role) for one in roles.participants], roles.warnings


def test_roles_come_from_the_channels_of_the_manifest():
    row = CallRow(
        Path("a.wav"),
        "a",
        rep="Tom",
        manager="Mara",
        customers=("Ines",),
        channels=(("customer",), ("rep",), ("manager",)),
    )
    found, warnings = assigned(["channel-1", "channel-2", "channel-3"], row)
    assert found == [("Ines", "customer"), ("Tom", "rep"), ("Mara", "manager")]
    assert warnings == ()


def test_roles_a_channel_left_out_does_not_shift_the_others():
    row = CallRow(Path("a.wav"), "a", rep="Tom", customers=("Ines",), channels=(("rep",), ("rep",), ("customer",)))
    assert assigned(["channel-1", "channel-3"], row)[0] == [("Tom", "rep"), ("Ines", "customer")]


@pytest.mark.parametrize("label", ["Tom Adeyemi", "tom adeyemi", "Tom", "Tom Adeyemi (Sundial)", "ADEYEMI"])
def test_roles_come_from_the_names_in_the_transcript(label):
    found, warnings = assigned([label, "Ines Roth"], ROW)
    assert found == [("Tom Adeyemi", "rep"), ("Ines Roth", "customer")]
    assert warnings == ()


def test_roles_names_as_rttm_writes_them_are_those_of_the_manifest():
    row = CallRow(None, "a", rep="Ann Lee", manager="Lee Stone", customers=("Bo van Dyk",))
    found = assign_roles(["Ann_Lee", "Bo_van_Dyk", "SPEAKER_00"], (), row, infer=nobody).participants
    assert [(one.name, one.role, one.role_from) for one in found[:2]] == [
        ("Ann Lee", "rep", "manifest"),
        ("Bo van Dyk", "customer", "manifest"),
    ]
    assert found[2].role_from not in ("manifest", "label")


def test_roles_names_in_any_script():
    row = CallRow(None, "a", rep="山田 太郎", customers=("Олена",), transcript=Path("a.vtt"))
    assert assigned(["Олена", "山田 太郎"], row)[0] == [("Олена", "customer"), ("山田 太郎", "rep")]


@pytest.mark.parametrize(
    ("label", "role"),
    [
        ("Facility manager", None),
        ("Customer Success Manager", None),
        ("Dana (Customer Success)", None),
        ("Claims Agent 2", None),
        ("Sales Manager", None),  # rep or manager: what is said decides
        ("Manager", "manager"),
        ("the manager", "manager"),
        ("Robert King (manager)", "manager"),
        ("Agent 1", "rep"),
        ("Facility manager - client", "customer"),
    ],
)
def test_a_job_title_is_no_role_on_the_call(label, role):
    found = label_role(label, CallRow(Path("a.wav"), "a"))
    assert (found and found[0]) == role


def test_roles_come_from_labels_that_say_them():
    row = CallRow(None, "a", transcript=Path("a.vtt"))
    assert assigned(["Sales Rep", "Manager", "Customer"], row)[0] == [
        (None, "rep"),
        (None, "manager"),
        (None, "customer"),
    ]


def test_roles_a_stranger_beside_a_known_seller_is_a_customer_and_that_is_said():
    found, warnings = assigned(["Tom Adeyemi", "Guest"], ROW)
    assert found[1] == ("Guest", "customer")
    assert "Guest is taken as customer" in warnings[0]


def test_roles_from_what_is_said_are_said():
    row = CallRow(Path("a.wav"), "a")
    found, warnings = assigned(["channel-1", "channel-2"], row, sells(channel_1=0.02, channel_2=0.99))
    assert found == [(None, "customer"), (None, "rep")]
    assert len(warnings) == 2
    assert "from what is said" in warnings[0]


def test_roles_that_cannot_be_told_stay_unknown():
    found, warnings = assigned(["A", "B"], CallRow(Path("a.wav"), "a"), sells(A=0.55, B=0.5))
    assert [role for _, role in found] == ["unknown", "unknown"]
    assert "name the roles in the manifest" in warnings[0]


def test_roles_the_first_voice_is_not_taken_as_the_seller():
    found, _ = assigned(["A", "B"], CallRow(Path("a.wav"), "a"), sells(A=0.003, B=0.6))
    assert [role for _, role in found] == ["customer", "rep"]


def test_roles_are_not_told_from_a_greeting():
    turns = (Turn("A", "Hello there, we sell pumps."), Turn("B", "Hi."))
    roles = assign_roles(["A", "B"], turns, CallRow(Path("a.wav"), "a"), infer=nobody)
    assert [one.role for one in roles.participants] == ["unknown", "unknown"]


def test_roles_two_sellers_without_names_are_not_told_apart():
    found, warnings = assigned(["A", "B", "C"], CallRow(Path("a.wav"), "a"), sells(A=0.995, B=0.996, C=0.003))
    assert [role for _, role in found] == ["rep", "rep", "customer"]
    assert "which one is the manager" in warnings[-1]


def test_roles_two_customers_on_two_channels_get_their_names_in_order():
    row = CallRow(
        Path("a.wav"), "a", rep="Tom", customers=("Ines", "Max"), channels=(("rep",), ("customer",), ("customer",))
    )
    found, _ = assigned(["channel-1", "channel-2", "channel-3"], row)
    assert found == [("Tom", "rep"), ("Ines", "customer"), ("Max", "customer")]


@pytest.mark.parametrize(("given", "other"), [("rep", "manager"), ("manager", "rep")])
@pytest.mark.parametrize("call_type", MEETINGS)
def test_roles_in_a_meeting_nobody_is_taken_as_customer(given, other, call_type):
    row = CallRow(Path("a.wav"), "a", call_type=call_type, **{given: "Tom Adeyemi"})
    found, warnings = assigned(["Tom", "S2"], row)
    assert [role for _, role in found] == [given, other]
    assert warnings == (f"S2 is taken as {other}: the {given} of this meeting is known.",)


def test_roles_of_a_meeting_in_which_nobody_is_known_are_not_guessed():
    row = CallRow(Path("a.wav"), "a", call_type="one_on_one")
    found, warnings = assigned(["S1", "S2"], row)
    assert [role for _, role in found] == ["unknown", "unknown"]
    assert all("name the roles in the manifest" in one for one in warnings)
